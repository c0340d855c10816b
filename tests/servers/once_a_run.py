"""What hundreds of applications and clients of a run would each make anew, though it comes out the same: templates are
compiled once, a force's ground is read once from the same files, and the certificates the machine trusts once."""

from __future__ import annotations

import hashlib
import pickle
import ssl
from collections.abc import MutableMapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import httpx._transports.default
import pytest
from jinja2 import BaseLoader, BytecodeCache, Environment, Template
from jinja2.bccache import Bucket

from shared.geography.forces import ForceGround


class Compiled(BytecodeCache):
    """What templates were compiled to, in memory; for the same source and the same way to compile it alone."""

    def __init__(self) -> None:
        self._found: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._found:
            bucket.bytecode_from_string(self._found[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._found[bucket.key] = bucket.bytecode_to_string()

    def get_bucket(self, environment: Environment, name: str, filename: str | None, source: str) -> Bucket:
        ways = (environment.autoescape, environment.trim_blocks, environment.lstrip_blocks, *environment.extensions)
        bucket = Bucket(environment, f"{name} {filename} {ways}", self.get_source_checksum(source))
        self.load_bytecode(bucket)
        return bucket


_COMPILED: Final = Compiled()
_load: Final = BaseLoader.load


def _load_compiled(
    self: BaseLoader, environment: Environment, name: str, globals: MutableMapping[str, Any] | None = None
) -> Template:
    if environment.bytecode_cache is None:
        environment.bytecode_cache = _COMPILED
    return _load(self, environment, name, globals)


_GROUNDS: Final[dict[tuple[object, ...], bytes]] = {}
_read: Final = ForceGround.read


def _read_once(folder: Path, forces: Sequence[str]) -> ForceGround:
    files = [folder / force / "areas.geojson" for force in forces]
    key = (*forces, *(hashlib.sha256(file.read_bytes()).digest() if file.exists() else None for file in files))
    if key not in _GROUNDS:
        _GROUNDS[key] = pickle.dumps(_read(folder, forces))
    # Shapes of its own for each: two threads at work on one bring the process down.
    ground: ForceGround = pickle.loads(_GROUNDS[key])
    return ground


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context()


def _context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    plain = verify is True and cert is None and trust_env
    return _trusted() if plain else httpx.create_ssl_context(verify, cert, trust_env)


def pytest_configure(config: pytest.Config) -> None:
    """What they call in many places, ours and others', finds what was made before."""
    BaseLoader.load = _load_compiled  # type: ignore[method-assign] # as said above
    ForceGround.read = _read_once  # type: ignore[method-assign] # as said above
    httpx._transports.default.create_ssl_context = _context  # type: ignore[attr-defined] # where clients look it up
