"""Keeps what says who she is: a data key a woman, wrapped by the master key, which lives outside the database.

    master key ── derived ──┬─ wraps each participant's own data key (AES-256-GCM)
                            ├─ digests: look-ups by equality without the text (HMAC-SHA256)
                            └─ seals what is nobody's yet: drafts, answers that wait, contact references, links

Whoever holds the database without the master key can open nothing here. Every sealing is bound to its place, so that a
sealed value moved to another row does not open. Losing a data key (erasure) loses all that was sealed under it.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from services.intake.domain.person import WrappedKey
from shared.survey_link import opaque

_NONCE: Final = 12
_WRAPPING: Final = "wrapping"


class CannotOpen(Exception):
    """Something sealed does not open: another key, another place, or altered. Carries nothing of it."""


class MasterKeyWrong(Exception):
    """The master key must be 32 random bytes in base64."""


def _seal(box: AESGCM, plain: bytes, place: str) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + box.encrypt(nonce, plain, place.encode())


def _open(box: AESGCM, sealed: bytes, place: str) -> bytes:
    try:
        return box.decrypt(sealed[:_NONCE], sealed[_NONCE:], place.encode())
    except (InvalidTag, ValueError):
        raise CannotOpen from None


@dataclass(frozen=True, slots=True, repr=False)
class DataKey:
    """One participant's own key, open; never stored so."""

    key: bytes
    _box: AESGCM = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_box", AESGCM(self.key))

    def seal(self, content: Any, place: str) -> bytes:
        """Seal something JSON can hold; `place` names the column and row it is for."""
        return _seal(self._box, _json(content), place)

    def open(self, sealed: bytes, place: str) -> Any:
        """What was sealed for this place.

        :raises CannotOpen: it was not.
        """
        return json.loads(_open(self._box, sealed, place))


class Vault:
    """All that the master key does."""

    def __init__(self, master_key: bytes) -> None:
        """:raises MasterKeyWrong: the key has not 32 bytes."""
        if len(master_key) != 32:
            raise MasterKeyWrong
        self._master = master_key
        self._boxes: dict[str, AESGCM] = {}

    @classmethod
    def of(cls, text: str) -> Vault:
        """From base64, as settings hold it.

        :raises MasterKeyWrong: it is not 32 bytes in base64.
        """
        try:
            return cls(base64.b64decode(text, validate=True))
        except ValueError:
            raise MasterKeyWrong from None

    def _derived(self, purpose: str) -> bytes:
        return HKDFExpand(SHA256(), 32, f"walkandtalk intake {purpose} 1".encode()).derive(self._master)

    def _box(self, purpose: str) -> AESGCM:
        """What seals under the key of a purpose. Purposes are few and ours, so each is derived once."""
        found = self._boxes.get(purpose)
        if found is None:
            found = self._boxes[purpose] = AESGCM(self._derived(purpose))
        return found

    @cached_property
    def master_id(self) -> str:
        """Names the master key without telling anything of it; stored beside what it wraps, for rotation."""
        return self._derived("name").hex()[:16]

    @cached_property
    def _digesting(self) -> bytes:
        return self._derived("digests")

    def new_data_key(self, owner: str) -> tuple[DataKey, WrappedKey]:
        """A fresh data key, and the same to be stored in the row of `owner`."""
        key = os.urandom(32)
        return DataKey(key), WrappedKey(self.master_id, _seal(self._box(_WRAPPING), key, f"key of {owner}"))

    def data_key(self, stored: WrappedKey, owner: str) -> DataKey:
        """The data key that was stored.

        :raises CannotOpen: it was wrapped by another master key, or for somebody else.
        """
        if stored.master != self.master_id:
            raise CannotOpen
        return DataKey(_open(self._box(_WRAPPING), stored.wrapped, f"key of {owner}"))

    def digest(self, kind: str, text: str) -> bytes:
        """The same for the same text, and useless to whoever has not the master key; 32 bytes."""
        return hmac.digest(self._digesting, f"{kind}\0{text}".encode(), "sha256")

    def seal(self, purpose: str, content: Any, place: str = "", *, size: int = 0) -> bytes:
        """Seal under a key for one purpose.

        :param size: pad to at least so many bytes, where the length alone would tell something.
        """
        return _seal(self._box(purpose), _json(content).ljust(size), place)

    def open(self, purpose: str, sealed: bytes, place: str = "") -> Any:
        """What was sealed for this purpose and place.

        :raises CannotOpen: it was not.
        """
        return json.loads(_open(self._box(purpose), sealed, place))

    def seal_text(self, purpose: str, content: Any) -> str:
        """The same as text that fits a URL's path or an event."""
        return base64.urlsafe_b64encode(self.seal(purpose, content)).decode().rstrip("=")

    def open_text(self, purpose: str, text: str) -> Any:
        """What seal_text() was given.

        :raises CannotOpen: it was not.
        """
        try:
            sealed = opaque(text)
        except ValueError:
            raise CannotOpen from None
        return self.open(purpose, sealed)


def _json(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
