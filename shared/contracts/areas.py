"""`areas.v1`, written by assignment: the neighbourhood areas in force, without their boundaries."""

from __future__ import annotations

from typing import ClassVar
from uuid import NAMESPACE_URL, UUID, uuid5

from shared.contracts.envelope import TYPE_PREFIX, Event, ShortText, Slug

TOPIC = "areas.v1"


def area_key(area_id: str) -> UUID:
    """The aggregate id of an area, derived from its slug, so that its versions keep their order."""
    return uuid5(NAMESPACE_URL, f"{TYPE_PREFIX}area/{area_id}")


class AreaPublished(Event):
    """This version of an area, and the team answerable for it, is the one in force."""

    name: ClassVar[str] = "area-published"
    topic: ClassVar[str] = TOPIC

    area_id: Slug
    area_name: ShortText
    team_id: Slug
    team_name: ShortText
    boundary_version: str

    @property
    def key(self) -> UUID:
        return area_key(self.area_id)


EVENTS: tuple[type[Event], ...] = (AreaPublished,)
