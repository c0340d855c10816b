"""What is proposed and agreed with her, and what she may still change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.intake.domain.refusals import TimesGone, TooLateToChange
from services.intake.domain.requests import RequestState
from shared.contracts.walks import WalkArranged, WalkProposed


@dataclass(frozen=True, slots=True)
class Offer:
    """Times she may choose from (UTC, ascending); `answered` once she has: `chosen` None where none suits."""

    id: UUID
    walk_id: UUID
    times: tuple[datetime, ...]
    meeting_place: str
    answer_by: datetime
    answered: bool = False
    chosen: datetime | None = None

    def open_at(self, now: datetime) -> bool:
        """Whether she can choose now."""
        return not self.answered and now <= self.answer_by


@dataclass(frozen=True, slots=True)
class Standing:
    """When and where the walk is, or was, to be; what is proposed."""

    starts_at: datetime | None = None
    meeting_place: str | None = None
    offer: Offer | None = None

    def proposed(self, event: WalkProposed) -> Standing:
        """New times replace those proposed before; what is agreed stands until she chooses."""
        offer = Offer(event.proposal_id, event.walk_id, event.times, event.meeting_place, event.answer_by)
        return replace(self, offer=offer)

    def as_json(self) -> dict[str, Any]:
        """What is sealed."""
        offer = self.offer
        return {
            "starts_at": self.starts_at.isoformat() if self.starts_at else None,
            "meeting_place": self.meeting_place,
            "offer": offer
            and {
                "id": offer.id.hex,
                "walk_id": offer.walk_id.hex,
                "times": [at.isoformat() for at in offer.times],
                "meeting_place": offer.meeting_place,
                "answer_by": offer.answer_by.isoformat(),
                "answered": offer.answered,
                "chosen": offer.chosen.isoformat() if offer.chosen else None,
            },
        }

    @classmethod
    def from_json(cls, opened: Mapping[str, Any]) -> Standing:
        """What was sealed."""
        offer = opened["offer"]
        return cls(
            _moment(opened["starts_at"]),
            opened["meeting_place"],
            offer
            and Offer(
                UUID(offer["id"]),
                UUID(offer["walk_id"]),
                tuple(map(datetime.fromisoformat, offer["times"])),
                offer["meeting_place"],
                datetime.fromisoformat(offer["answer_by"]),
                offer["answered"],
                _moment(offer["chosen"]),
            ),
        )


NOTHING: Final = Standing()


def arranged(event: WalkArranged) -> Standing:
    """Agreed; whatever was proposed has lapsed."""
    return Standing(event.starts_at, event.meeting_place)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


ENDED: Final = (RequestState.COMPLETED, RequestState.CANCELLED, RequestState.WITHDRAWN)


def choose(
    standing: Standing, state: RequestState, proposal_id: UUID, chosen: datetime | None, now: datetime
) -> Standing:
    """She chooses one of the proposed times, or none of them (None). The same answer again changes nothing.

    :raises TimesGone: the times were replaced or have lapsed, she has answered otherwise, or it is too late.
    """
    offer = standing.offer
    if offer is None or offer.id != proposal_id or state in ENDED:
        raise TimesGone
    if offer.answered and offer.chosen == chosen:
        return standing
    if not offer.open_at(now) or not (chosen is None or chosen in offer.times):
        raise TimesGone
    return replace(standing, offer=replace(offer, answered=True, chosen=chosen))


def may_amend(state: RequestState) -> bool:
    """Whether she can still change where and when: until a time is agreed."""
    return state in (RequestState.RECEIVED, RequestState.ROUTED, RequestState.TAKEN)


def refuse_amendment(state: RequestState) -> None:
    """:raises TooLateToChange: a time is agreed, or there is nothing left to change."""
    if not may_amend(state):
        raise TooLateToChange
