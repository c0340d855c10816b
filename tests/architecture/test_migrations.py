"""Migrations go up, all the way down, and up again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import asyncpg
import pytest

from shared.contracts.catalogue import SERVICES
from shared.provisioning import ROOT, migrate, migrations_of
from shared.provisioning import _dbmate as dbmate  # the one place that knows where the tool is
from tests.servers.databases import Templates

each_service = pytest.mark.parametrize("service", SERVICES)

_EVERYTHING = """
SELECT 'table ' || c.oid::regclass || ' ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod) || a.attnotnull
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'public'::regnamespace AND c.relname NOT LIKE 'schema_migrations%'
UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conname NOT LIKE 'schema_migrations%'
UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'schema_migrations'
UNION ALL SELECT 'routine ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'policy ' || polname || ' ' || polrelid::regclass FROM pg_policy
UNION ALL SELECT 'grants ' || c.oid::regclass || ' ' || c.relacl::text FROM pg_class AS c
WHERE c.relnamespace = 'public'::regnamespace AND c.relacl IS NOT NULL AND c.relname NOT LIKE 'schema_migrations%'
ORDER BY 1
"""


def files_of(service: str) -> list[Path]:
    """A service's migrations in the order they run."""
    return sorted((file for folder in migrations_of(service) for file in folder.glob("*.sql")), key=lambda f: f.name)


@each_service
def test_migrations_are_numbered_and_go_both_ways(service: str) -> None:
    """Shared ones first; each can be undone; no two have a number in common."""
    files = files_of(service)
    numbers = [file.name.partition("_")[0] for file in files]
    assert len(set(numbers)) == len(numbers)
    assert all(len(number) == 14 and number.isdigit() for number in numbers)
    assert max(n for n, f in zip(numbers, files, strict=True) if f.is_relative_to(ROOT / "shared")) < min(
        n for n, f in zip(numbers, files, strict=True) if not f.is_relative_to(ROOT / "shared")
    )
    for file in files:
        text = file.read_text(encoding="utf-8")
        up, mark, down = text.partition("-- migrate:down")
        assert up.startswith("-- migrate:up\n") and mark, file.name
        assert down.strip(), f"{file.name} cannot be undone"


@each_service
async def test_migrations_run_down_to_nothing_and_up_again(service: str, templates: Templates) -> None:
    """What one migration makes it removes, and the second way up ends where the first did."""
    name = f"{service}_down_and_up"
    admin = await asyncpg.connect(templates.admin_url)
    try:
        await admin.execute(f"CREATE DATABASE {name} OWNER {service}_owner")
        owner = templates.url(service, "owner", name)
        migrate(service, owner)
        before = await everything(owner)
        assert len(before) > 100
        for _ in files_of(service):
            roll_back(service, owner)
        assert await everything(owner) == []
        migrate(service, owner)
        assert await everything(owner) == before
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()


async def everything(url: str) -> list[str]:
    """All that stands in a database, in words."""
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(_EVERYTHING)]
    finally:
        await connection.close()


def roll_back(service: str, url: str) -> None:
    """Undo the last migration."""
    folders = [part for folder in migrations_of(service) for part in ("--migrations-dir", str(folder))]
    subprocess.run(
        [dbmate(), "--no-dump-schema", *folders, "rollback"],
        env={"DATABASE_URL": f"{url}?sslmode=disable", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        timeout=60,
        check=True,
    )
