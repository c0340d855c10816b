"""The ring of keys that stands outside the database: the master key, those it follows, and the root of all other keys.

As text (a variable, or a file), keys divided by spaces, lines or commas:

    7f3k…=            the master key, which wraps data keys from now on
    Qm2v…=            a master key before it, for as long as a data key is wrapped by it
    root:c81x…=       what digests, links and drafts are sealed with: it stays when the master key is replaced

A text of one key alone is a ring too: its root follows from the key. A force with a key service of its own (an HSM, a
cloud's) keeps the ring wrapped by it; a program named in the settings unwraps each key when intake starts.
"""

from __future__ import annotations

import base64
import os
import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

_ROOT: Final = "root:"
_KEY_BYTES: Final = 32
_SECONDS: Final = 30


class MasterKeyWrong(Exception):
    """A ring of keys cannot be read; the message says why and holds nothing of it."""


class KeyServiceFailed(Exception):
    """The program that speaks to the key service did not do what it was asked; the message says which step."""


class KeyService(Protocol):
    """Who keeps the master keys. Asked when intake starts and when a key is made, never for a request."""

    def wrap(self, key: bytes) -> str:
        """The key as it may be written down: one word, without comma or colon."""

    def unwrap(self, text: str) -> bytes:
        """The key that was wrapped.

        :raises MasterKeyWrong, KeyServiceFailed:
        """


class Plain:
    """No key service: keys are written down in base64, and whoever holds the ring's text guards it."""

    def wrap(self, key: bytes) -> str:
        return base64.b64encode(key).decode()

    def unwrap(self, text: str) -> bytes:
        try:
            return base64.b64decode(text, validate=True)
        except ValueError:
            raise MasterKeyWrong("must be 32 random bytes in base64") from None


class Helper:
    """A program of the force's own in front of its key service: run with `wrap` or `unwrap` behind its words, it reads
    one line from its input and writes one to its output. Keys are in base64; what is wrapped is a word of its own."""

    def __init__(self, command: str) -> None:
        self._command = shlex.split(command)

    def wrap(self, key: bytes) -> str:
        wrapped = self._ask("wrap", base64.b64encode(key).decode())
        if not re.fullmatch(r"[^\s,:]+", wrapped):
            raise KeyServiceFailed("the key service's program answered wrap with more than one word, or with none")
        return wrapped

    def unwrap(self, text: str) -> bytes:
        return Plain().unwrap(self._ask("unwrap", text))

    def _ask(self, what: str, line: str) -> str:
        try:
            done = subprocess.run(
                [*self._command, what], input=line + "\n", capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise KeyServiceFailed(f"the key service's program did not {what}: {type(fault).__name__}") from None
        if done.returncode != 0:
            # Nothing it wrote is repeated: it may hold a key.
            raise KeyServiceFailed(f"the key service's program did not {what}: it ended with {done.returncode}")
        return done.stdout.strip()


PLAIN: Final = Plain()


@dataclass(frozen=True, slots=True, repr=False)
class Ring:
    """The keys, open. `older` wrap nothing new."""

    master: bytes
    older: tuple[bytes, ...] = ()
    root: bytes = field(default=b"")

    def __post_init__(self) -> None:
        if not self.root:
            if self.older:
                raise MasterKeyWrong("a ring of several keys must name its root")
            object.__setattr__(self, "root", HKDFExpand(SHA256(), 32, b"walkandtalk intake root 1").derive(self.master))
        if {len(key) for key in (self.master, self.root, *self.older)} != {_KEY_BYTES}:
            raise MasterKeyWrong("must be 32 random bytes in base64")

    @classmethod
    def parse(cls, text: str, service: KeyService = PLAIN) -> Ring:
        """The ring from its text.

        :raises MasterKeyWrong, KeyServiceFailed:
        """
        words = re.split(r"[\s,]+", text.strip())
        roots = [word.removeprefix(_ROOT) for word in words if word.startswith(_ROOT)]
        masters = [word for word in words if word and not word.startswith(_ROOT)]
        if not masters or len(roots) > 1:
            raise MasterKeyWrong("must have one master key or more, and at most one root")
        opened = [service.unwrap(word) for word in (*masters, *roots)]
        if len(set(opened)) < len(opened):
            raise MasterKeyWrong("must not name a key twice")
        return cls(opened[0], tuple(opened[1 : len(masters)]), opened[-1] if roots else b"")

    @classmethod
    def given(cls, text: str | None, file: Path | None, service: KeyService) -> Ring:
        """The ring as settings give it: its text, or a file that holds it.

        :raises MasterKeyWrong, KeyServiceFailed:
        """
        if file is not None:
            try:
                text = file.read_text(encoding="ascii")
            except (OSError, UnicodeDecodeError):
                raise MasterKeyWrong(f"{file} cannot be read") from None
        return cls.parse(text or "", service)

    def text(self, service: KeyService = PLAIN) -> str:
        """The ring as it is written down, a key a line."""
        keys: Sequence[bytes] = (self.master, *self.older)
        return "\n".join([*(service.wrap(key) for key in keys), _ROOT + service.wrap(self.root)])

    def with_new_master(self) -> Ring:
        """A new master key in front; data keys wrapped by those before still open, and the root stays."""
        return replace(self, master=os.urandom(_KEY_BYTES), older=(self.master, *self.older))

    def without_older(self) -> Ring:
        """The master key alone, with the root: whoever finds an older key opens nothing wrapped since."""
        return replace(self, older=())


def key_service(command: str | None) -> KeyService:
    """The force's own where settings name its program, else none."""
    return Helper(command) if command else PLAIN
