"""Women go through the whole story with marked names and words; once they are erased nothing of it is found."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from prometheus_client import CollectorRegistry

from services.assignment.handlers.erasure import forget as assignment_forgets
from services.feedback.handlers import forget as feedback_forgets
from services.intake.domain.person import WrappedKey
from services.intake.handlers.erasure import forgetter
from services.intake.handlers.hers import PRIVATE_LINK
from services.intake.handlers.keeping import Keeping
from services.intake.metrics import IntakeMetrics
from services.intake.vault import Vault
from services.partners.handlers import forget as partners_forgets
from shared import audit
from shared.backup import newest, put_back, restore
from shared.bus import outbox
from shared.bus.erasure import SCRUB, Forget, Ledger, scrub
from shared.bus.outbox import Fact
from shared.cli.backups import programs  # the one place that knows where they are
from shared.contracts.catalogue import SERVICES
from shared.contracts.walk_requests import WalkRequestWithdrawn
from shared.database import Database
from shared.embedded.demo import Demo
from shared.embedded.stack import BROKER, Stack
from shared.policies import Policies
from shared.provisioning import ROOT
from shared.runtime import utc_now
from shared.timers import TimerLoop, Timers
from tests.integration.test_intake_pages import csrf_of
from tests.servers.everywhere import _database, everything, forms_of, rows
from tests.servers.intake_service import a_body

pytestmark = pytest.mark.timeout(300)

MARK = uuid4().hex[:8]
WALKS = 4
MARKED = {
    "name": f"Marked{MARK} Blodeuwedd",
    "email": f"marked-{MARK}-",
    "phone": "07700 9" + str(int(MARK, 16))[-5:].rjust(5, "3"),
    "address": f"Flat {MARK}, 2 Marked Row, Abertawe",
    "words": f"What{MARK} she wrote of the place",
    "concern": f"What{MARK} the officer wrote of what she said",
    "place": f"Behind{MARK} her own house",
    "meeting": f"By{MARK} her own door",
}
FORMS = {name: forms_of(value) for name, value in MARKED.items()}
FORCES = Policies.read(ROOT / "deploy" / "forces").forces
COUNTS = {
    "assignment": ("walk", "request", "concern", "referral"),
    "partners": ("concern", "referral", "referral_change"),
    "feedback": ("answers", "invitation", "concern", "referral", "follow_up"),
}
BUS = "SELECT bus_id FROM relay_bus"
OTHER = "Somebody Else"


class Marked(Demo):
    """The demo's story, with marks in every place where something of hers is written."""

    async def _ask(
        self, method: str, service: str, path: str, who: str | None, body: Any = None, headers: Mapping[str, str] = {}
    ) -> httpx.Response | None:
        if body and path.endswith("/walk-requests"):
            contact = {**body["contact"], "phone": MARKED["phone"], "address": MARKED["address"]}
            body = {**body, "name": MARKED["name"], "words": MARKED["words"], "contact": contact}
        elif body and "meeting_place" in body:
            body = {**body, "meeting_place": MARKED["meeting"]}
        elif body and "concerns" in body:
            marks = {"words": MARKED["concern"], "place_name": MARKED["place"]}
            body = {**body, "concerns": [{**one, **marks} for one in body["concerns"]]}
        return await super()._ask(method, service, path, who, body, headers)


async def marks(places: AsyncIterator[tuple[str, bytes]]) -> set[tuple[str, str]]:
    """Which mark stands where."""
    return {
        (name, place)
        async for place, content in places
        for name, written in FORMS.items()
        if any(form in content for form in written)
    }


async def counts(stack: Stack) -> dict[tuple[str, str], int]:
    """How many rows there are of what is counted."""
    return {
        (service, table): (await rows(stack, service, f"SELECT count(*) FROM {table}"))[0][0]  # noqa: S608  # from above
        for service, tables in COUNTS.items()
        for table in tables
    }


async def until_quiet(stack: Stack) -> None:
    """Nothing is left to be published, scrubbed or held, in any service."""
    waiting = (
        "SELECT (SELECT count(*) FROM outbox_pending) + (SELECT count(*) FROM held)"
        " + (SELECT count(*) FROM timer WHERE kind IN ('scrub', 'answers-withdrawn'))"
    )
    quiet = 0
    async with asyncio.timeout(90):
        while quiet < 4:
            left = [(await rows(stack, service, waiting))[0][0] for service in SERVICES]
            quiet = quiet + 1 if not any(left) else 0
            await asyncio.sleep(0.4)


def walkandtalk(stack: Stack, *words: object) -> None:
    """What IT types, with the administrator's address in the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "shared.cli", *map(str, words)],
        env={**os.environ, "WALKANDTALK_DATABASE_ADMIN_URL": stack.postgres.admin_url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


async def somebody_else(stack: Stack) -> str:
    """A woman who is not erased asks for a walk; her request."""
    async with httpx.AsyncClient(base_url=stack.urls["intake"], timeout=20) as client:
        answer = await client.post(
            "/api/v1/walk-requests",
            json=a_body(name=OTHER, contact={"email": "somebody.else@nest.example"}),
            headers={"Idempotency-Key": uuid4().hex},
        )
    assert answer.status_code == 201, answer.text
    await until_quiet(stack)
    return str(answer.json()["request_id"])


def address(stack: Stack, database: str) -> str:
    return stack.postgres.admin_url.rsplit("/", 1)[0] + f"/{database}"


async def test_what_is_erased_is_found_nowhere_and_an_older_copy_forgets_it_too(stack: Stack, tmp_path: Path) -> None:
    """Databases, topics, logs, parked records, metrics hold no mark; the counts are what they were; late events count
    as such; the audit log is whole; copies of all four databases from before, restored, forget before they serve."""
    vault = Vault.of(stack.secrets.master_key)
    demo = Marked(stack, WALKS, seed=31)
    for story in demo._stories:
        story.email = f"{MARKED['email']}{story.number}@nest.example"
    report = await demo.run()
    assert report.faults == []
    requests = {UUID(story.request_id): story.force_id for story in demo._stories}
    assert {"concern", "place", "meeting"} == {name for name, _ in await marks(everything(stack))}
    other = await somebody_else(stack)
    before = await counts(stack)
    dumps, keys = tmp_path / "dumps", tmp_path / "keys"
    await asyncio.to_thread(walkandtalk, stack, "backup", "--dumps", dumps, "--keys", keys)
    older = {service: next(dumps.glob(f"{service}-*.dump")) for service in SERVICES}

    async with httpx.AsyncClient(base_url=stack.urls["intake"], timeout=20) as client:
        for request_id, force_id in requests.items():
            page = f"/your-request/{vault.seal_text(PRIVATE_LINK, [force_id, request_id.hex])}/erase"
            token = csrf_of(await client.get(page))
            assert (await client.post(page, data={"csrf_token": token})).status_code == 200
    # The night comes now: what is withdrawn then is due.
    await rows(stack, "intake", "UPDATE timer SET due_at = now(), try_at = now() WHERE kind = 'answers-withdrawn'")
    await until_quiet(stack)
    # A broker that comes back without its memory stands for the end of the topics' retention; the relays publish again
    # all that they still have.
    known = [(await rows(stack, service, BUS))[0][0] for service in SERVICES]
    await asyncio.to_thread(stack.kill, BROKER)
    await asyncio.to_thread(stack.start, BROKER)
    async with asyncio.timeout(60):
        while set(known) & {(await rows(stack, service, BUS))[0][0] for service in SERVICES}:  # noqa: ASYNC110  # told by other processes
            await asyncio.sleep(0.3)
    await until_quiet(stack)
    assert await marks(everything(stack)) == set()
    assert await counts(stack) == before

    await late_event(stack, *next(iter(requests.items())))
    database = Database(address(stack, "intake"))
    await database.open()
    try:
        assert await audit.verify(database, FORCES, stack.folder / "data" / "intake.audit-heads") == []
    finally:
        await database.close()

    # The copy of keys that is made next takes the place of the older one, as it would a week later.
    await asyncio.to_thread(walkandtalk, stack, "backup", "--keys", keys, "--keep-keys", "0")
    for service, file in older.items():
        await forgets_what_it_came_back_with(stack, service, file, vault, set(requests), keys)
    assert other in [str(row["id"]) for row in await rows(stack, "intake", "SELECT id FROM walk_request")]


async def late_event(stack: Stack, request_id: UUID, force_id: str) -> None:
    """One more event of hers is published: assignment counts it, and nothing else happens."""
    database = Database(address(stack, "intake"))
    await database.open()
    try:
        async with database.transaction([force_id]) as tx:
            await outbox.append(tx, [Fact(WalkRequestWithdrawn(request_id=request_id), force_id, utc_now())])
    finally:
        await database.close()
    counted = 'walkandtalk_bus_events_total{event="walk-request-withdrawn",outcome="erased"}'
    async with httpx.AsyncClient(base_url=stack.urls["assignment"], timeout=20) as client, asyncio.timeout(20):
        while counted not in (await client.get("/metrics")).text:  # noqa: ASYNC110  # counted by another process
            await asyncio.sleep(0.2)


async def forgets_what_it_came_back_with(
    stack: Stack, service: str, file: Path, vault: Vault, requests: set[UUID], keys: Path
) -> None:
    """A dump from before the erasure, restored beside with the keys of now. Before any tombstone is applied intake
    opens somebody else and nothing of hers; the others hold her words, and with the file of tombstones none."""
    async with restored(stack, service, file) as name:
        database = Database(address(stack, name))
        await database.open()
        try:
            if service == "intake":
                assert await opened(database, vault) == set()
                put = await put_back(address(stack, name), newest(keys, service) or Path())
                women = await database.pool.fetchval("SELECT count(*) FROM participant")
                assert put["participant_key"][0] == women - len(requests)
                assert OTHER in await opened(database, vault)
                hers = (
                    "SELECT count(*) FROM participant_key AS k JOIN walk_request AS r USING (force_id, participant_id)"
                    " WHERE r.id = ANY ($1)"
                )
                assert await database.pool.fetchval(hers, list(requests)) == 0
                known = await database.pool.fetch("SELECT id FROM walk_request WHERE id = ANY ($1)", list(requests))
                assert len(known) == len(requests)
            else:
                assert bool(await marks(_database(stack, name))) == (service != "feedback")
            ledger = Ledger(stack.folder / "data" / f"{service}.tombstones")
            assert await ledger.missing(database, FORCES)
            await ledger.apply(database, FORCES, forget_of(service, stack, vault), utc_now())
            due = Timers()
            due.on(SCRUB, scrub)
            while await TimerLoop(database, due, utc_now, (*FORCES, "unknown")).fire_due():
                pass
            assert await ledger.missing(database, FORCES) == {}
            assert await marks(_database(stack, name)) == set()
            if service == "intake":
                left = await database.pool.fetch("SELECT id FROM walk_request WHERE id = ANY ($1)", list(requests))
                assert left == []
        finally:
            await database.close()


async def opened(database: Database, vault: Vault) -> set[str]:
    """Which women the keys in this copy and today's ring open, by name."""
    found = set()
    for row in await database.pool.fetch(
        "SELECT p.id, p.sealed, k.master, k.wrapped_key FROM participant AS p"
        " JOIN participant_key AS k ON k.force_id = p.force_id AND k.participant_id = p.id"
    ):
        key = vault.data_key(WrappedKey(row["master"], row["wrapped_key"]), str(row["id"]))
        found.add(key.open(row["sealed"], f"person {row['id']}")["name"])
    return found


def forget_of(service: str, stack: Stack, vault: Vault) -> Forget:
    """What each service does to forget."""
    keeping = Keeping(vault, b"", "", "", IntakeMetrics(CollectorRegistry()))
    by_service: dict[str, Forget] = {
        "intake": forgetter(keeping),
        "assignment": assignment_forgets,
        "partners": partners_forgets,
        "feedback": feedback_forgets,
    }
    return by_service[service]


@asynccontextmanager
async def restored(stack: Stack, service: str, file: Path) -> AsyncIterator[str]:
    """The copy as a database of its own; its name."""
    name = f"{service}_{MARK}"
    admin = await asyncpg.connect(stack.postgres.admin_url)
    try:
        await admin.execute(f"CREATE DATABASE {name}")
        await asyncio.to_thread(restore, address(stack, name), file, programs())
        yield name
    finally:
        await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await admin.close()
