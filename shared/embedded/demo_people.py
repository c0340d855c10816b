"""The made-up people of the demo, read from demo_people.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FILE = Path(__file__).with_name("demo_people.yaml")
OFFICERS_A_TEAM = 3


@dataclass(frozen=True, slots=True)
class Person:
    """One who may sign in at the demo identity provider."""

    sub: str
    name: str
    roles: tuple[str, ...]
    force_id: str
    team_id: str | None = None
    """The team of an officer."""
    partner_id: str | None = None
    """The organisation of a partner."""

    def claims(self) -> dict[str, object]:
        """What the provider says of them besides `sub`."""
        claims: dict[str, object] = {"name": self.name, "roles": list(self.roles), "force_id": self.force_id}
        if self.team_id:
            claims["team_id"] = self.team_id
        if self.partner_id:
            claims["partner_id"] = self.partner_id
        return claims


@cache
def people() -> tuple[Person, ...]:
    """Everybody of the demo, force by force."""
    forces = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(person for force_id, force in forces.items() for person in _of_force(force_id, force))


def person(sub: str) -> Person:
    """The person with this `sub`; raises KeyError when the demo has none."""
    for one in people():
        if one.sub == sub:
            return one
    raise KeyError(sub)


def teams(force_id: str) -> tuple[str, ...]:
    """The teams of a force that have officers in the demo."""
    found = (one.team_id for one in people() if one.force_id == force_id and one.team_id)
    return tuple(dict.fromkeys(found))


def _of_force(force_id: str, force: dict[str, Any]) -> list[Person]:
    short = force["short"]
    found = [
        Person(f"{role}-{short}", force[role], (role,), force_id)
        for role in ("coordinator", "analyst", "auditor", "admin")
    ]
    for number, name in enumerate(force["officers"]):
        team = force["teams"][number // OFFICERS_A_TEAM]
        found.append(Person(f"officer-{short}-{number + 1}", name, ("officer",), force_id, team_id=team))
    for partner_id, name in force["partners"].items():
        found.append(Person(f"partner-{partner_id}", name, ("partner",), force_id, partner_id=partner_id))
    return found
