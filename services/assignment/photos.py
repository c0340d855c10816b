"""A photograph as it came from a phone, drawn anew: no place, time, device or owner is left in it."""

from __future__ import annotations

import asyncio
from io import BytesIO
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from services.assignment.domain.refusals import NotAPhoto, PhotoTooLarge

LARGEST_SENT: Final = 12_000_000
"""Bytes of a photograph as it comes in."""
MOST_POINTS: Final = 50_000_000
"""Width times height that is still decoded: phones of today take up to 50 megapixels. A file of a few bytes may claim
thousands of millions; that is looked at before anything is decoded."""
LONGEST_SIDE: Final = 1600
LARGEST_KEPT: Final = 700_000
_KINDS: Final = ("JPEG", "PNG", "WEBP")
_QUALITIES: Final = (82, 70, 55, 40, 25)

_at_once = asyncio.Semaphore(2)
"""A decoded photograph takes up to 150 MB."""


async def cleaned(data: bytes) -> bytes:
    """A JPEG of the same picture, upright, at most 1,600 points a side, that holds nothing but the picture.

    :raises NotAPhoto: neither JPEG, PNG nor WebP, or damaged.
    :raises PhotoTooLarge: too many bytes, or too many points.
    """
    async with _at_once:
        return await asyncio.to_thread(redrawn, data)


def redrawn(data: bytes) -> bytes:
    """What `cleaned` does, here and now."""
    if len(data) > LARGEST_SENT:
        raise PhotoTooLarge
    try:
        with Image.open(BytesIO(data), formats=_KINDS) as sent:
            if sent.width * sent.height > MOST_POINTS:
                raise PhotoTooLarge
            # JPEG can be decoded at a half, a quarter or an eighth.
            sent.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            upright = ImageOps.exif_transpose(sent).convert("RGBA")
    except Image.DecompressionBombError:
        raise PhotoTooLarge from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, MemoryError):
        # SyntaxError is how Pillow says that a PNG is broken.
        raise NotAPhoto from None
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    # A new picture: what the file said beside its points (EXIF, XMP, comments, colour profile) is not in it.
    drawn = Image.new("RGB", upright.size, "white")
    drawn.paste(upright, mask=upright.getchannel("A"))
    for quality in _QUALITIES:
        out = BytesIO()
        drawn.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= LARGEST_KEPT:
            break
    return out.getvalue()
