"""The master key is replaced by command while the service runs; nothing she was given stops working."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from uuid import UUID

from typer.testing import CliRunner, Result

from services.intake.handlers.drafts import begin_draft, read_draft
from services.intake.handlers.hers import PRIVATE_LINK
from services.intake.handlers.keeping import open_request
from services.intake.handlers.keys import BEGINNING, rewrap_some
from services.intake.keys import app
from services.intake.ring import Ring
from services.intake.store import requests as request_rows
from services.intake.vault import CannotOpen, Vault
from tests.integration.test_erasure import erase
from tests.servers.databases import ServiceDatabase, ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, KEY, ROOT, Intake, intake_service, settings_of


async def keys(found: ServiceDatabase, ring: str, *words: str, **more: str) -> Result:
    """`walkandtalk keys …` where intake runs with this ring."""
    told = {
        "WALKANDTALK_DATABASE_BUS_URL": found.bus_url,
        "WALKANDTALK_MASTER_KEY": ring,
        "WALKANDTALK_FORCES_DIR": str(ROOT / "deploy" / "forces"),
        **more,
    }
    return await asyncio.to_thread(CliRunner().invoke, app, list(words), env=told)


def test_the_commands_are_reached_from_walkandtalk() -> None:
    """They run where intake's own code is: what is shared knows none of it."""
    done = subprocess.run(
        [sys.executable, "-m", "shared.cli", "keys", "--help"], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0 and "rotate" in done.stdout


async def test_the_master_key_is_replaced_while_women_ask(database: ServiceDatabaseMaker) -> None:
    """With the new ring in place keys are wrapped anew, in batches, from where it was interrupted; the older key is
    given up when none names it. Her link, her draft, the look-up by her address and her erasure go on as before."""
    async with intake_service(database) as intake:
        asked = [await intake.ask(name=f"Woman {n}", contact={"email": f"w{n}@example.com"}) for n in range(4)]
        async with intake.database.web.transaction([FORCE]) as tx:
            token = await begin_draft(tx, FORCE, {"half": "filled"}, intake.now, keeping=intake.deps.keeping)
        made = await keys(intake.database, KEY, "new")
        assert made.exit_code == 0 and KEY in made.stdout, made.output
        both = made.stdout
        assert "4 keys" in (await keys(intake.database, KEY, "status")).stdout

        again = Intake(intake.database, intake.admin, settings_of(intake.database, master_key=both), intake.now)
        async with again.running():
            vault = again.deps.keeping.vault
            asked.append(await again.ask(name="Woman 4", contact={"email": "w4@example.com"}))
            assert (await keys(intake.database, both, "retire")).exit_code == 1
            async with intake.database.bus.transaction([FORCE]) as tx:
                first = await rewrap_some(tx, BEGINNING, 2, vault=vault)
            assert (first.done, first.shut) == (2, 0)
            done = await keys(intake.database, both, "rotate", "--yes", "--batch", "1")
            assert done.exit_code == 0 and done.stdout.startswith("2 keys"), done.output
            assert await intake.one("SELECT count(DISTINCT master) FROM participant_key") == 1
            assert (await keys(intake.database, KEY, "status")).exit_code == 1

        retired = await keys(intake.database, both, "retire")
        assert retired.exit_code == 0 and KEY not in retired.stdout, retired.output
        alone = Intake(
            intake.database, intake.admin, settings_of(intake.database, master_key=retired.stdout), intake.now
        )
        async with alone.running():
            keeping = alone.deps.keeping
            ids = [UUID(one["request_id"]) for one in asked]
            async with intake.database.web.transaction([FORCE]) as tx:
                stored = await request_rows.requests(tx, ids)
                assert [open_request(keeping.vault, stored[id_]).person.name for id_ in ids] == [
                    f"Woman {n}" for n in range(5)
                ]
                draft = await read_draft(tx, FORCE, token, intake.now, keeping=keeping)
            assert draft is not None and draft.content == {"half": "filled"}
            old_link = Vault.of(KEY).seal_text(PRIVATE_LINK, [FORCE, ids[0].hex])
            async with alone.client() as client:
                assert (await client.get(f"/your-request/{old_link}")).status_code == 200
            digest = Vault.of(KEY).digest("email", "w4@example.com")
            assert await intake.one("SELECT count(*) FROM participant_digest WHERE digest = $1", digest) == 1
            assert (await erase(alone, asked[0]["request_id"])).status_code == 200
        for one in stored.values():
            try:
                Vault.of(KEY).data_key(one.key, str(one.held.participant_id))
            except CannotOpen:
                continue
            raise AssertionError("the key that was given up still opens her")


async def test_a_ring_that_does_not_open_all_keys_is_told(database: ServiceDatabaseMaker, tmp_path: Path) -> None:
    """Another master key in its place, or a key that is missing, shows in the status; what is not a ring is said so,
    and none of it repeated."""
    async with intake_service(database) as intake:
        await intake.ask()
        stranger = Ring(os.urandom(32)).text()
        (tmp_path / "ring").write_text(stranger)
        file = {"WALKANDTALK_MASTER_KEY_FILE": str(tmp_path / "ring")}
        shown = await keys(intake.database, "", "status", **file)
        assert shown.exit_code == 1 and "not in the ring" in shown.stdout, shown.stderr
        turned = await keys(intake.database, "", "rotate", "--yes", **file)
        assert turned.exit_code == 1 and "1 keys open under no master key" in turned.stderr
        await intake.admin.execute("DELETE FROM participant_key")
        shown = await keys(intake.database, KEY, "status")
        assert shown.exit_code == 1 and "1 rows have no key" in shown.stderr
        wrong = await keys(intake.database, KEY[:-8], "status")
        assert wrong.exit_code == 2 and "WALKANDTALK_MASTER_KEY: " in wrong.stderr and KEY[:10] not in wrong.stderr
        both = await keys(intake.database, KEY, "status", **file)
        assert both.exit_code == 2 and "not both" in both.stderr
