"""What intake's routes, pages and channels are given."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, cast
from urllib.parse import urlsplit

from fastapi import Depends
from starlette.exceptions import HTTPException
from starlette.requests import Request

from services.intake.handlers.keeping import Keeping
from services.intake.handlers.requests import Accepted, Keyed, request_walks
from services.intake.messages.words import Words
from services.intake.metrics import IntakeMetrics
from services.intake.places import teams_at
from services.intake.settings import Settings
from services.intake.vault import Vault
from shared import runtime
from shared.contracts.policy import ForcePolicy
from shared.geography.boundaries import BoundaryFileRefused
from shared.geography.forces import ForceGround
from shared.geography.ground import Ground
from shared.geography.postcodes import Postcodes
from shared.policies import PolicyFault
from shared.together import Together
from shared.web.callers import Callers
from shared.web.hosts import name_of, with_name
from shared.web.languages import ENGLISH, spoken


@dataclass
class Dependencies(runtime.Dependencies[Settings]):
    """The vault, the keys of links, the counters, and every postcode."""

    keeping: Keeping = field(init=False, repr=False)
    postcodes: Postcodes = field(init=False, repr=False)
    force_ground: ForceGround = field(init=False, repr=False)
    """Whose place is whose."""
    words: Words = field(init=False, repr=False)
    callers: Callers = field(init=False, repr=False)
    grounds: dict[str, Ground] = field(init=False, repr=False, default_factory=dict)
    """What maps show, of the forces whose map was asked for."""
    drawing: asyncio.Lock = field(init=False, repr=False, default_factory=asyncio.Lock)
    accept: Together[Keyed, Accepted] = field(init=False, repr=False)
    """Requests that come while others of their force are being accepted share the next transaction."""

    def __post_init__(self) -> None:
        super().__post_init__()
        settings = self.settings
        self.keeping = Keeping(
            Vault(settings.ring()),
            base64.b64decode(settings.link_key.get_secret_value()),
            settings.feedback_url.rstrip("/"),
            settings.intake_url.rstrip("/"),
            IntakeMetrics(self.registry),
            settings.means(),
            {force: policy.limits for force, policy in self.policies.items()},
            {
                force: timedelta(hours=policy.requests.confirm_within_hours)
                for force, policy in self.policies.items()
                if policy.requests.confirm != "none"
            },
            {
                force: with_name(settings.intake_url, policy.hosts[0])
                for force, policy in self.policies.items()
                if policy.hosts
            },
        )
        self.callers = Callers(settings.client_address_header, settings.uncounted_networks)
        self.postcodes = Postcodes.open(settings.postcodes_dir or settings.data_dir)
        try:
            self.force_ground = ForceGround.read(settings.forces_dir, self.policies.forces)
        except BoundaryFileRefused as fault:
            raise PolicyFault(fault.message) from fault
        self.words = Words.read(self.policies, settings.forces_dir)
        self.accept = Together(self._accept)

    @property
    def force_names(self) -> dict[str, str]:
        """The force of each host name of a force's own.

        :raises PolicyFault: one is the name that all forces share.
        """
        shared = name_of(urlsplit(self.settings.intake_url).netloc)
        found = {host: force for force, policy in self.policies.items() for host in policy.hosts}
        if shared in found:
            raise PolicyFault(f"{found[shared]}: hosts: {shared} is the name of every force, of WALKANDTALK_INTAKE_URL")
        return found

    def where_to_ask(self, force_id: str) -> str:
        """The address of a force's first page."""
        return f"{self.keeping.home(force_id)}/{force_id}/"

    async def ground_of(self, force_id: str) -> Ground:
        """What a force's map shows; drawn when it is first asked for, which takes a moment."""
        # Shapes are made ready by one thread at a time: two that begin on the same one bring the process down.
        async with self.drawing:
            if force_id not in self.grounds:
                areas = self.force_ground.areas.get(force_id, ())
                self.grounds[force_id] = await asyncio.to_thread(Ground.of, areas, self.postcodes)
        return self.grounds[force_id]

    async def teams_at(self, force_id: str, postcodes: str) -> tuple[str, ...]:
        """The force's teams at these postcodes, as a woman typed them.

        :raises FieldsWrong: one cannot be found.
        """
        return teams_at(await self.ground_of(force_id), postcodes, self.postcodes) if postcodes else ()

    async def forget_attempts(self) -> None:
        """What was counted in hours that are over."""
        async with self.bus_database.transaction(self.policies.forces) as tx:
            await self.keeping.counting.forget(tx, self.clock())

    async def _accept(self, force_id: str, asked: Sequence[Keyed]) -> Sequence[Accepted]:
        async with self.database.transaction([force_id]) as tx:
            return await request_walks(tx, asked, self.clock(), keeping=self.keeping)


async def dependencies(request: Request) -> Dependencies:
    """What the application was built with."""
    # FastAPI would call a plain function in a thread.
    return cast(Dependencies, request.app.state.dependencies)


Deps = Annotated[Dependencies, Depends(dependencies)]


def policy_of(force: str, deps: Dependencies) -> ForcePolicy:
    """The force of a path; a page not found where there is no such force, or it has none in the language spoken."""
    if force not in deps.policies or spoken() not in (ENGLISH, *deps.policies[force].languages):
        raise HTTPException(404)
    return deps.policies[force].in_language(spoken())
