"""Templates are compiled once a run: hundreds of tests build an application of their own, and each would do it anew."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, Final

import pytest
from jinja2 import BaseLoader, BytecodeCache, Environment, Template
from jinja2.bccache import Bucket


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


def pytest_configure(config: pytest.Config) -> None:
    """Environments that keep nothing themselves share what was compiled."""
    BaseLoader.load = _load_compiled  # type: ignore[method-assign] # they are made in many places, ours and others'
