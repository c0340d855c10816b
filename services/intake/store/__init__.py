"""The only package that touches intake's rows. Sets in, sets out; what is sealed stays sealed here."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.database import Queries

QUERIES: Final = Queries.read(Path(__file__).parent.with_name("queries"))
