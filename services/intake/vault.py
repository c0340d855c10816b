"""Keeps what says who she is: a data key a woman, wrapped by the master key, which lives outside the database.

    ring ─┬─ master key ── wraps each participant's own data key (AES-256-GCM); can be replaced
          └─ root ─┬─ digests: look-ups by equality without the text (HMAC-SHA256)
                   └─ seals what is nobody's yet: drafts, answers that wait, contact references, links

Whoever holds the database without the ring can open nothing here. Every sealing is bound to its place, so that a
sealed value moved to another row does not open. Losing a data key (erasure) loses all that was sealed under it.
Data keys stand in a table of their own, which a copy of the database leaves out (shared/backup.py).
"""

from __future__ import annotations

import base64
import hmac
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from services.intake.domain.person import WrappedKey
from services.intake.ring import Ring
from shared.survey_link import opaque

_NONCE: Final = 12
_WRAPPING: Final = "wrapping"


class CannotOpen(Exception):
    """Something sealed does not open: another key, another place, or altered. Carries nothing of it."""


def _derived(key: bytes, purpose: str) -> bytes:
    return HKDFExpand(SHA256(), 32, f"walkandtalk intake {purpose} 1".encode()).derive(key)


def _box(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(_derived(key, purpose))


def _name(master: bytes) -> str:
    return _derived(master, "name").hex()[:16]


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
    """All that the ring does."""

    def __init__(self, ring: Ring) -> None:
        self._root = ring.root
        self._boxes: dict[str, AESGCM] = {}
        # By the name under which a wrapped key says who wrapped it: the name tells nothing of the key.
        self._wrapping = {_name(key): _box(key, _WRAPPING) for key in (ring.master, *ring.older)}
        self.master_id = next(iter(self._wrapping))
        """Names the master key; stored beside what it wraps."""

    @classmethod
    def of(cls, text: str) -> Vault:
        """From a ring's text.

        :raises MasterKeyWrong: it is none.
        """
        return cls(Ring.parse(text))

    @property
    def masters(self) -> Sequence[str]:
        """The names of the master keys here, the one that wraps first."""
        return tuple(self._wrapping)

    def _box(self, purpose: str) -> AESGCM:
        """What seals under the key of a purpose. Purposes are few and ours, so each is derived once."""
        found = self._boxes.get(purpose)
        if found is None:
            found = self._boxes[purpose] = _box(self._root, purpose)
        return found

    @cached_property
    def _digesting(self) -> bytes:
        return _derived(self._root, "digests")

    def new_data_key(self, owner: str) -> tuple[DataKey, WrappedKey]:
        """A fresh data key, and the same to be stored in the row of `owner`."""
        key = os.urandom(32)
        return DataKey(key), self._wrapped(key, owner)

    def data_key(self, stored: WrappedKey, owner: str) -> DataKey:
        """The data key that was stored.

        :raises CannotOpen: it was wrapped by a master key that is not here, or for somebody else.
        """
        return DataKey(self._unwrapped(stored, owner))

    def rewrapped(self, stored: WrappedKey, owner: str) -> WrappedKey:
        """The same data key, wrapped by the master key of now.

        :raises CannotOpen: as data_key() says.
        """
        return self._wrapped(self._unwrapped(stored, owner), owner)

    def _wrapped(self, key: bytes, owner: str) -> WrappedKey:
        return WrappedKey(self.master_id, _seal(self._wrapping[self.master_id], key, f"key of {owner}"))

    def _unwrapped(self, stored: WrappedKey, owner: str) -> bytes:
        box = self._wrapping.get(stored.master)
        if box is None:
            raise CannotOpen
        return _open(box, stored.wrapped, f"key of {owner}")

    def digest(self, kind: str, text: str) -> bytes:
        """The same for the same text, and useless to whoever has not the ring; 32 bytes."""
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
