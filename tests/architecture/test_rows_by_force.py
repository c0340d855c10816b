"""Every row belongs to a force, and PostgreSQL itself keeps the forces and the services apart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from shared.contracts.catalogue import SERVICES
from shared.database import Database
from shared.provisioning import LOGINS
from tests.architecture.rows import Connection, insert, loosen, tables
from tests.servers.databases import ServiceDatabaseMaker, Templates

WITHOUT_FORCE = {
    "relay_bus": "one row: which cluster the log was published to",
    "audit_seal": "the chain runs through all forces; holds numbers and hashes",
}
KEY_NOT_BY_FORCE = {
    "outbox_log": "partitioned by position, which a key has to hold; read by position alone",
    "outbox_pending": "read and deleted by position, in which the relay publishes",
    "inbox": "partitioned by id, which a key has to hold; the force stands behind it",
}
NOT_FOR_LOGINS = {
    ("audit", "web"): {"UPDATE", "DELETE"},
    ("audit", "bus"): {"UPDATE", "DELETE"},
    # Neither moves one to another force or walk; pages delete none, and the bus side adds none.
    ("disclosure", "web"): {"UPDATE", "DELETE"},
    ("disclosure", "bus"): {"UPDATE", "INSERT"},
}
"""What the web and bus logins may not do to a table, though its rows are of their force."""

each_service = pytest.mark.parametrize("service", SERVICES)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Connection]:
    connection: Connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@each_service
async def test_every_table_is_secured_by_force(service: str, database: ServiceDatabaseMaker) -> None:
    """Row-level security is on, holds for the owner too, and is one policy for reading and writing."""
    found = await database(service)
    async with connected(found.admin_url) as admin:
        all_tables = await tables(admin)
        assert len(all_tables) > 10
        for table in all_tables:
            if table.partition:
                continue
            if not table.by_force:
                assert table.name in WITHOUT_FORCE, f"{table.name} has no force_id"
                continue
            assert table.secured and table.forced, f"{table.name} is not secured"
            assert next(one for one in table.columns if one.name == "force_id").needed
            policies = await admin.fetch(
                "SELECT polcmd, polpermissive, polroles, pg_get_expr(polqual, polrelid) AS seen,"
                " pg_get_expr(polwithcheck, polrelid) AS written FROM pg_policy WHERE polrelid = $1",
                table.oid,
            )
            assert len(policies) == 1, f"{table.name} has {len(policies)} policies"
            policy = policies[0]
            # `*` is every command, role 0 everybody; without a check of its own what is seen is what may be written.
            assert (policy["polcmd"], policy["polroles"], policy["written"]) == (b"*", [0], None)
            assert policy["seen"] == "(force_id = ANY (( SELECT permitted_forces() AS permitted_forces)::text[]))"


@each_service
async def test_primary_keys_begin_with_the_force(service: str, database: ServiceDatabaseMaker) -> None:
    """Rows of a force lie together, and no id is unique across forces by accident."""
    found = await database(service)
    async with connected(found.admin_url) as admin:
        for table in await tables(admin):
            if table.by_force and not table.partition and table.name not in KEY_NOT_BY_FORCE:
                assert table.key[:1] == ("force_id",), f"{table.name} has the key {table.key}"
        names = {table.name for table in await tables(admin)}
        assert set(KEY_NOT_BY_FORCE) | set(WITHOUT_FORCE) <= names


@each_service
async def test_partitions_can_only_be_reached_through_their_table(service: str, database: ServiceDatabaseMaker) -> None:
    """A partition has no policy of its own, so no login may name it; new ones as well."""
    found = await database(service)
    async with found.bus.transaction(["metropolitan"]) as tx:
        await tx.connection.execute("SELECT roll_partitions('2026-11-22 12:00+00')")
    async with connected(found.admin_url) as admin:
        partitions = [table.name for table in await tables(admin) if table.partition]
        assert len(partitions) >= 6
        reached = await admin.fetch(
            "SELECT p, r, a FROM unnest($1::text[]) AS p, unnest($2::text[]) AS r,"
            " unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) AS a WHERE has_table_privilege(r, p, a)",
            partitions,
            [f"{service}_web", f"{service}_bus"],
        )
        assert reached == []


@each_service
@pytest.mark.parametrize("login", ["web", "bus"])
async def test_transaction_touches_no_row_of_another_force(
    service: str, login: str, database: ServiceDatabaseMaker
) -> None:
    """In every table: not read, not changed, not removed, not added; and without a force nothing is seen at all."""
    found = await database(service)
    pool: Database = getattr(found, login)
    async with connected(found.admin_url) as admin:
        await loosen(admin)
        mine = [table for table in await tables(admin) if table.by_force and not table.partition]
        for table in mine:
            await admin.execute(insert(table, "avon-and-somerset"))
    for table in mine:
        denied = NOT_FOR_LOGINS.get((table.name, login), set())
        name = f'"{table.name}"'
        async with pool.pool.acquire() as bare:
            assert await bare.fetchval(f"SELECT count(*) FROM {name}") == 0  # noqa: S608 - a table's own name
        async with pool.transaction(["avon-and-somerset"]) as tx:
            assert await tx.connection.fetchval(f"SELECT count(*) FROM {name}") == 1, name  # noqa: S608 - as above
        async with pool.transaction(["metropolitan"]) as tx:
            assert await tx.connection.fetchval(f"SELECT count(*) FROM {name}") == 0, name  # noqa: S608 - as above
            for verb, statement in (
                ("UPDATE", f"UPDATE {name} SET force_id = 'metropolitan'"),  # noqa: S608 - as above
                ("DELETE", f"DELETE FROM {name}"),  # noqa: S608 - as above
            ):
                if verb in denied:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        async with tx.savepoint():
                            await tx.connection.execute(statement)
                else:
                    assert await tx.connection.execute(statement) == f"{verb} 0", name
            refused = "permission denied" if "INSERT" in denied else "row-level security"
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match=refused):
                async with tx.savepoint():
                    await tx.connection.execute(insert(table, "avon-and-somerset"))


async def test_logins_cannot_set_the_rules_aside(templates: Templates) -> None:
    """No login is a superuser, bypasses row-level security, owns a table or may become who does."""
    async with connected(templates.admin_url) as admin:
        names = [f"{service}_{login}" for service in SERVICES for login in LOGINS]
        roles = await admin.fetch(
            "SELECT rolname, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS mighty,"
            " ARRAY(SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members WHERE member = r.oid) AS groups"
            " FROM pg_roles AS r WHERE rolname = ANY ($1) OR rolname LIKE 'walkandtalk%'",
            names,
        )
        assert len(roles) == len(names) + 2
        for role in roles:
            assert not role["mighty"], role["rolname"]
            login = role["rolname"].rpartition("_")[2]
            expected = [f"walkandtalk_{login}"] if login in ("web", "bus") and role["rolname"] in names else []
            assert role["groups"] == expected, role["rolname"]
    for service in SERVICES:
        async with connected(templates.admin_url.rsplit("/", 1)[0] + f"/{service}") as admin:
            owners = await admin.fetch(
                "SELECT DISTINCT pg_get_userbyid(relowner)::text AS owner FROM pg_class"
                " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S')"
            )
            assert [row["owner"] for row in owners] == [f"{service}_owner"]


@each_service
@pytest.mark.parametrize("login", LOGINS)
async def test_login_enters_its_own_database_alone(service: str, login: str, templates: Templates) -> None:
    """A service that is broken into opens no other service's database."""
    for other in SERVICES:
        url = templates.url(service, login, other)
        if other == service:
            async with connected(url) as own:
                assert await own.fetchval("SELECT current_user") == f"{service}_{login}"
        else:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await asyncpg.connect(url)
