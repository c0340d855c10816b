"""Rows for any table, made from its columns alone: for tests that ask something of every table there is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

_VALUES = {
    "text": "'x' || i",
    "uuid": "gen_random_uuid()",
    "integer": "i",
    "bigint": "i",
    "double precision": "i",
    "boolean": "false",
    "date": "date '2026-01-01' + i % 300",
    "time without time zone": "time '08:00'",
    "timestamp with time zone": "timestamptz '2026-01-01' + i * interval '1 minute'",
    "bytea": "sha256(i::text::bytea)",
    "jsonb": "'{}'::jsonb",
    "text[]": "'{}'::text[]",
    "bigint[]": "'{}'::bigint[]",
    "uuid[]": "'{}'::uuid[]",
}

_TABLES = """
SELECT c.oid, c.relname AS name, c.relispartition AS partition, c.relrowsecurity AS secured,
       c.relforcerowsecurity AS forced,
       coalesce((SELECT array_agg(a.attname::text ORDER BY k.place)
        FROM pg_index AS i
        CROSS JOIN LATERAL unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)
        JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE i.indrelid = c.oid AND i.indisprimary), '{}') AS key
FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'schema_migrations'
ORDER BY c.relname
"""

_COLUMNS = """
SELECT attname AS name, format_type(atttypid, atttypmod) AS type, attnotnull AS needed,
       attidentity <> '' OR atthasdef AS given
FROM pg_attribute WHERE attrelid = $1 AND attnum > 0 AND NOT attisdropped ORDER BY attnum
"""

_LOOSEN = """
SELECT format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS %I', conrelid::regclass, conname) FROM pg_constraint
WHERE contype IN ('c', 'f', 'x') AND connamespace = 'public'::regnamespace AND conparentid = 0
"""


@dataclass(frozen=True)
class Table:
    """A table of a migrated database; `key` is its primary key, in order."""

    oid: int
    name: str
    partition: bool
    secured: bool
    forced: bool
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def by_force(self) -> bool:
        return any(column.name == "force_id" for column in self.columns)


@dataclass(frozen=True)
class Column:
    """`given`: the database fills it where nothing is said."""

    name: str
    type: str
    needed: bool
    given: bool


async def tables(admin: Connection) -> list[Table]:
    """Every table of the services' own schema, partitions among them."""
    found = []
    for row in await admin.fetch(_TABLES):
        columns = tuple(Column(**one) for one in await admin.fetch(_COLUMNS, row["oid"]))
        found.append(Table(**{**row, "key": tuple(row["key"])}, columns=columns))
    return found


async def loosen(admin: Connection) -> None:
    """Drop what says which values go together, so that made-up rows fit. Only for a database nobody else uses."""
    for row in await admin.fetch(_LOOSEN):
        await admin.execute(row[0])


def insert(table: Table, force_id: str, rows: int = 1) -> str:
    """SQL that adds made-up rows of a force."""
    wanted = [one for one in table.columns if one.name == "force_id" or (one.needed and not one.given)]
    values = [f"'{force_id}'" if one.name == "force_id" else _VALUES[one.type] for one in wanted]
    names = ", ".join(f'"{one.name}"' for one in wanted)
    return f'INSERT INTO "{table.name}" ({names}) SELECT {", ".join(values)} FROM generate_series(1, {rows}) AS i'  # noqa: S608 - a test's own names
