"""Photographs are drawn anew: upright, small, and without anything that was written beside the picture."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image, PngImagePlugin

from services.assignment.domain.refusals import NotAPhoto, PhotoTooLarge
from services.assignment.photos import LARGEST_KEPT, LARGEST_SENT, LONGEST_SIDE, redrawn

SECRET = b"KX41-canary-of-a-phone"


def a_photo(kind: str = "JPEG", size: tuple[int, int] = (400, 300)) -> bytes:
    """A picture whose left half is red, with a secret in every place such a file has for words."""
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    secret = SECRET.decode()
    exif = Image.Exif()
    exif[0x010E] = exif[0x010F] = exif[0x013B] = exif[0x9C9B] = secret
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[29] = secret
    exif.get_ifd(0x8825)[2] = (51.0, 27.0, 16.2)
    out = BytesIO()
    if kind == "PNG":
        words = PngImagePlugin.PngInfo()
        words.add_text("Comment", secret)
        words.add_itxt("XML:com.adobe.xmp", secret)
        picture.save(out, kind, exif=exif, pnginfo=words)
    elif kind == "WEBP":
        picture.save(out, kind, exif=exif, xmp=SECRET)
    else:
        picture.save(out, kind, exif=exif, comment=SECRET, xmp=SECRET, icc_profile=SECRET)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_but_the_picture_is_left(kind: str) -> None:
    """No EXIF, place, comment, XMP or colour profile; the picture itself is the same, and upright."""
    sent = a_photo(kind)
    assert SECRET in sent or kind == "PNG"
    kept = redrawn(sent)
    assert SECRET not in kept
    assert b"Exif" not in kept and b"ICC_PROFILE" not in kept and b"http" not in kept
    with Image.open(BytesIO(kept)) as found:
        found.load()
        assert (found.format, dict(found.getexif())) == ("JPEG", {})
        assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        # Orientation 6: what was left is on top.
        assert found.size == (300, 400)
        top, bottom = found.getpixel((150, 50)), found.getpixel((150, 350))
        assert isinstance(top, tuple) and isinstance(bottom, tuple)
        assert top[0] > 200 > 100 > top[2] and bottom[2] > 200 > 100 > bottom[0]


def test_what_follows_the_picture_in_the_file_is_not_kept() -> None:
    """Phones append films and second pictures behind the end of the first."""
    assert SECRET not in redrawn(a_photo() + SECRET * 50)


def test_a_large_photograph_becomes_small() -> None:
    """At most 1,600 points a side and 700 kB, however restless the picture."""
    noise = Image.effect_noise((2000, 1500), 120).convert("RGB")
    out = BytesIO()
    noise.save(out, "JPEG", quality=90)
    kept = redrawn(out.getvalue())
    assert len(kept) <= LARGEST_KEPT
    with Image.open(BytesIO(kept)) as found:
        assert max(found.size) == LONGEST_SIDE


def test_a_few_bytes_that_claim_thousands_of_millions_of_points_are_refused_undecoded() -> None:
    """A decompression bomb costs nothing but the look at its head."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    for side in (8_000, 60_000):
        head = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
        bomb = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
        with pytest.raises(PhotoTooLarge):
            redrawn(bomb)


def test_too_many_bytes_are_refused() -> None:
    """Before anything is looked at."""
    with pytest.raises(PhotoTooLarge):
        redrawn(bytes(LARGEST_SENT + 1))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%PDF-1.7",
        a_photo()[:500],
        a_photo("PNG")[:200],
        b"\x89PNG\r\n\x1a\n" + bytes(50),
    ],
)
def test_what_is_no_photograph_is_refused(data: bytes) -> None:
    """By its content, whatever it was called; half a picture is none."""
    with pytest.raises(NotAPhoto):
        redrawn(data)


def test_what_can_be_seen_through_becomes_white() -> None:
    """A picture without ground shows nothing that was hidden under it."""
    picture = Image.new("RGBA", (10, 10), (255, 0, 0, 0))
    out = BytesIO()
    picture.save(out, "PNG")
    with Image.open(BytesIO(redrawn(out.getvalue()))) as found:
        assert found.getpixel((5, 5)) == (255, 255, 255)
