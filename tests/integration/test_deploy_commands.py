"""What a deployment runs before and beside the services: `walkandtalk provision` and `walkandtalk topics`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from fastapi import FastAPI
from pydantic import SecretStr
from typer.testing import CliRunner

from services.assignment.app import build
from services.assignment.settings import Settings
from shared.bus.topics import NewTopicSpec, Topics, apply, compare
from shared.cli import app
from shared.contracts.catalogue import SERVICES
from shared.database import Database
from shared.embedded.postgres import EmbeddedPostgres
from shared.embedded.processes import free_port
from shared.policies import Policies
from shared.provisioning import SettingMissing, login_url, migrations_needed, provision_from
from tests.servers.apache_kafka import ApacheKafka

DEPLOY = Path(__file__).parents[2] / "deploy"
WEB_AND_BUS = [f"{service}_{login}" for service in SERVICES for login in ("web", "bus")]


@pytest.fixture
def empty_server(server_folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server of its own: the shared one's logins keep their passwords."""
    server = EmbeddedPostgres(server_folder / "postgres-to-provision", free_port())
    server.start()
    yield server
    server.remove()


def assignment_on(server: EmbeddedPostgres, folder: Path) -> FastAPI:
    """Assignment in both roles, on a server that may not know it yet and a broker that is away."""
    return build(
        Settings(
            database_web_url=login_url(server.admin_url, "assignment", "web", "assignment_web-secret"),
            database_bus_url=login_url(server.admin_url, "assignment", "bus", "assignment_bus-secret"),
            kafka_bootstrap="localhost:1",
            forces_dir=DEPLOY / "forces",
            data_dir=folder,
            session_secret=SecretStr("a secret of at least thirty-two characters"),
            oidc_issuer="http://localhost:1",
            oidc_client_id="walkandtalk",
            oidc_client_secret=SecretStr("none"),
        )
    )


async def test_service_starts_first_and_is_ready_once_its_database_is_provisioned(
    empty_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Before, it lives and says that it is not ready; afterwards it is, and its bus side starts by itself.

    Provisioning twice is provisioning once; passwords come from variables or files, and the owner's needs none.
    """
    app = assignment_on(empty_server, tmp_path)
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        assert (await client.get("/health/live")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 503
        environment = {f"WALKANDTALK_{login.upper()}_PASSWORD": f"{login}-secret" for login in WEB_AND_BUS}
        (tmp_path / "password").write_text(environment.pop("WALKANDTALK_ASSIGNMENT_WEB_PASSWORD") + "\n")
        environment["WALKANDTALK_ASSIGNMENT_WEB_PASSWORD_FILE"] = str(tmp_path / "password")
        environment["WALKANDTALK_DATABASE_ADMIN_URL"] = empty_server.admin_url
        for _ in range(2):
            said: list[str] = []
            await provision_from(environment, 10, said.append)
            assert said == [f"{service}: the database is up to date" for service in SERVICES]
        assert (await client.get("/health/ready")).status_code == 200
        database: Database = app.state.dependencies.database
        assert not await database.holds({*migrations_needed("assignment"), "29991231000000"}), "one is still to come"
        async with asyncio.timeout(20):
            while not await areas_published(database):  # noqa: ASYNC110 - nothing tells when another task has committed
                await asyncio.sleep(0.05)


async def areas_published(database: Database) -> int:
    """What assignment puts in its outbox at start, from the files of its forces."""
    async with database.transaction(["avon-and-somerset", "metropolitan"]) as tx:
        return int(await tx.connection.fetchval("SELECT count(*) FROM outbox_log WHERE topic = 'areas.v1'"))


async def test_provisioning_names_what_the_environment_lacks() -> None:
    """The name of the variable, nothing of the others."""
    with pytest.raises(SettingMissing, match="WALKANDTALK_INTAKE_WEB_PASSWORD is not set"):
        await provision_from({"WALKANDTALK_DATABASE_ADMIN_URL": "postgresql://admin:secret@localhost:1/postgres"}, 0)


def test_a_server_that_is_away_is_said_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command ends with 1 and a sentence."""
    monkeypatch.setenv("WALKANDTALK_DATABASE_ADMIN_URL", "postgresql://admin:hidden@127.0.0.1:1/postgres")
    for login in WEB_AND_BUS:
        monkeypatch.setenv(f"WALKANDTALK_{login.upper()}_PASSWORD", "hidden")
    done = CliRunner().invoke(app, ["provision", "--seconds", "0"])
    assert done.exit_code == 1
    assert "cannot be reached" in done.output
    assert "hidden" not in done.output


async def test_topics_become_what_the_file_says(apache_kafka: ApacheKafka) -> None:
    """What is missing is created, what others made without its retention is set right; a second run changes nothing."""
    specs = Topics.read(DEPLOY / "topics.yaml").everything(Policies.read(DEPLOY / "forces"), one_broker=True)
    # The server is shared: tests before this one may have made some of them, as a plain broker would.
    assert {difference.what for difference in await compare(apache_kafka.bootstrap, specs)} & {"topic", "retention.ms"}
    assert await apply(apache_kafka.bootstrap, specs) == []
    assert await compare(apache_kafka.bootstrap, specs) == []
    assert await apply(apache_kafka.bootstrap, specs) == []


async def test_topics_are_widened_but_never_cut(apache_kafka: ApacheKafka) -> None:
    """Partitions are added and retention set; fewer partitions are left to a person, as order by key is at stake."""
    config = {"retention.ms": "3600000", "min.insync.replicas": "1"}
    narrow, wide = NewTopicSpec("widened.v1", 4, 1, config), NewTopicSpec("cut.v1", 4, 1, config)
    admin = AIOKafkaAdminClient(bootstrap_servers=apache_kafka.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(narrow.name, 2, 1), NewTopic(wide.name, 6, 1, topic_configs=config)])
    finally:
        await admin.close()
    left = await apply(apache_kafka.bootstrap, [narrow, wide])
    assert [difference.sentence for difference in left] == ["cut.v1: partitions is 6, wanted 4"]
    assert await compare(apache_kafka.bootstrap, [narrow]) == []
