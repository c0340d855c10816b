"""The only package that touches assignment's rows, a set at a time; the SQL stands in queries/."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from shared.database import Queries

QUERIES: Final = Queries.read(Path(__file__).parent.with_name("queries"))
