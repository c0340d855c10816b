"""Pictures and files behind a port, each under the hash of what it holds; everywhere else only hashes travel.

What is put twice is there once. A store knows no row: whoever keeps rows deletes what none of them names any more.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from shared.contracts.refusals import Refusal, TryAgain

LARGEST: Final = 2_000_000
"""Bytes of one attachment. What comes in may be larger; what is kept was made smaller first."""

_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_FORCE: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class AttachmentGone(Refusal):
    """This picture is no longer kept."""


class AttachmentTooLarge(Refusal):
    """This file is too large to be kept."""


class AttachmentsAway(TryAgain):
    """Pictures cannot be reached just now. Try again in a minute."""


def digest_of(data: bytes) -> str:
    """The name of an attachment: SHA-256 of what it holds, in hex."""
    return hashlib.sha256(data).hexdigest()


class Attachments(Protocol):
    """Where attachments of forces are kept."""

    async def put(self, force_id: str, data: bytes) -> str:
        """Keep it, and give its digest; what is there already stays as it is.

        :raises AttachmentTooLarge, AttachmentsAway:
        """

    async def get(self, force_id: str, digest: str) -> bytes:
        """What was put.

        :raises AttachmentGone: none of this force has that digest, or it is damaged.
        :raises AttachmentsAway:
        """

    async def delete(self, force_id: str, digest: str) -> None:
        """Let go of it; what is not there is well.

        :raises AttachmentsAway:
        """


class Folder:
    """Files of a folder that all replicas of a service share: `<force>/<first two letters of the digest>/<digest>`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def put(self, force_id: str, data: bytes) -> str:
        if len(data) > LARGEST:
            raise AttachmentTooLarge
        digest = digest_of(data)
        try:
            await asyncio.to_thread(_write, self._path(force_id, digest), data)
        except OSError as fault:
            raise AttachmentsAway from fault
        return digest

    async def get(self, force_id: str, digest: str) -> bytes:
        try:
            data = await asyncio.to_thread(self._path(force_id, digest).read_bytes)
        except FileNotFoundError:
            raise AttachmentGone from None
        except OSError as fault:
            raise AttachmentsAway from fault
        if digest_of(data) != digest:
            raise AttachmentGone
        return data

    async def delete(self, force_id: str, digest: str) -> None:
        try:
            await asyncio.to_thread(self._path(force_id, digest).unlink, missing_ok=True)
        except OSError as fault:
            raise AttachmentsAway from fault

    def _path(self, force_id: str, digest: str) -> Path:
        # Neither comes from outside unchecked; a name that could leave the folder is refused all the same.
        if not _FORCE.fullmatch(force_id) or not _DIGEST.fullmatch(digest):
            raise AttachmentGone
        return self._root / force_id / digest[:2] / digest


def _write(path: Path, data: bytes) -> None:
    """A file that is there whole or not at all, also after a crash."""
    if path.exists() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise
