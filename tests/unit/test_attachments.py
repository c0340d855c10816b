"""The attachment store: content under its hash, by force, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.attachments import LARGEST, AttachmentGone, Attachments, AttachmentTooLarge, Folder, digest_of


@pytest.fixture
def attachments(tmp_path: Path) -> Attachments:
    return Folder(tmp_path / "attachments")


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def test_what_was_put_comes_back_under_its_hash(attachments: Attachments) -> None:
    """The name is the SHA-256 of the content; putting it again changes nothing."""
    digest = await attachments.put("northvale", b"a picture")
    assert digest == digest_of(b"a picture")
    assert await attachments.put("northvale", b"a picture") == digest
    assert await attachments.get("northvale", digest) == b"a picture"


async def test_an_attachment_is_of_one_force(attachments: Attachments) -> None:
    """Whoever knows the hash, but asks for another force, is told that there is none; so is deletion kept apart."""
    digest = await attachments.put("northvale", b"a picture")
    with pytest.raises(AttachmentGone):
        await attachments.get("southdale", digest)
    await attachments.delete("southdale", digest)
    assert await attachments.get("northvale", digest) == b"a picture"


async def test_what_was_deleted_is_gone(attachments: Attachments, tmp_path: Path) -> None:
    """No file of it is left, and deleting it again is well."""
    digest = await attachments.put("northvale", b"a picture")
    await attachments.delete("northvale", digest)
    await attachments.delete("northvale", digest)
    with pytest.raises(AttachmentGone):
        await attachments.get("northvale", digest)
    assert files(tmp_path) == []


async def test_a_damaged_file_is_not_handed_out_and_can_be_put_again(attachments: Attachments, tmp_path: Path) -> None:
    """What does not fit its hash is nobody's picture."""
    digest = await attachments.put("northvale", b"a picture")
    (file,) = files(tmp_path)
    file.write_bytes(b"another")
    with pytest.raises(AttachmentGone):
        await attachments.get("northvale", digest)
    await attachments.put("northvale", b"a picture")
    assert await attachments.get("northvale", digest) == b"a picture"


@pytest.mark.parametrize("digest", ["../../../etc/passwd", "", "A" * 64, "0" * 63, "0" * 64 + "/.."])
async def test_a_name_that_is_no_hash_opens_nothing(attachments: Attachments, digest: str) -> None:
    """No path leads out of the folder."""
    with pytest.raises(AttachmentGone):
        await attachments.get("northvale", digest)
    with pytest.raises(AttachmentGone):
        await attachments.get("../northvale", "0" * 64)


async def test_what_is_too_large_is_not_kept(attachments: Attachments, tmp_path: Path) -> None:
    """One byte too many is refused, and leaves no file."""
    with pytest.raises(AttachmentTooLarge):
        await attachments.put("northvale", bytes(LARGEST + 1))
    assert files(tmp_path) == []
