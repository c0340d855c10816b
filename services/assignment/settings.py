"""What the environment says to assignment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from shared.settings import ServiceSettings

_LINE = re.compile(r"([a-z][a-z0-9-]{1,40})\s+([0-9a-f]{64})")


class Settings(ServiceSettings):
    """Assignment's own settings: its usual port, and who may send people by SCIM."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8002
    scim_tokens_file: Path | None = None
    """A line a token: the force, and the token's SHA-256 in hex. The token itself is in the identity provider alone. A
    force may have two while one is replaced. None: nobody sends people."""

    @field_validator("scim_tokens_file")
    @classmethod
    def _readable(cls, given: Path | None) -> Path | None:
        if given is not None:
            try:
                scim_tokens(given)
            except OSError:
                raise ValueError("must be a file that can be read") from None
        return given


def scim_tokens(file: Path | None) -> tuple[tuple[str, bytes], ...]:
    """(force, digest of a token) from the file; lines that begin with # are comments.

    :raises ValueError: a line is neither.
    """
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines() if file else (), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        match = _LINE.fullmatch(text)
        if match is None:
            raise ValueError(f"line {number} must be a force and the SHA-256 of its token, in hex")
        found.append((match[1], bytes.fromhex(match[2])))
    return tuple(found)
