"""What is proposed and agreed with her, and what she may still change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from services.intake.domain.person import Person, missing_details
from services.intake.domain.refusals import FieldsWrong, TimesGone, TooLateToChange
from services.intake.domain.requests import EARLIEST_WRONG, RequestState, possible_first_day
from shared.contracts.kinds import Channel, PartOfDay, Point
from shared.contracts.walk_requests import Availability, WalkRequestAmended
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


def amended(
    request_id: UUID,
    before: WalkRequestAmended | None,
    place: Point | None,
    availability: Availability,
    group_walk_welcome: bool | None,
    today: date,
    *,
    from_postcode: bool = True,
) -> WalkRequestAmended:
    """What she wants now. Other places on the way go with the place they belonged to.

    :raises FieldsWrong: a place or a possible day is missing; fields as on her page.
    """
    earliest = availability.earliest
    # A day she gave when it was still to come has done its work; she is not asked to correct it.
    kept = before is not None and earliest == before.availability.earliest
    if not kept and not possible_first_day(earliest, today):
        raise FieldsWrong({"day": EARLIEST_WRONG})
    if before is None:
        if place is None:
            raise FieldsWrong({"postcode": "Enter a postcode in or near the place"})
        return WalkRequestAmended(
            request_id=request_id,
            place=place,
            place_from_postcode=from_postcode,
            availability=availability,
            group_walk_welcome=bool(group_walk_welcome),
        )
    change: dict[str, Any] = {"availability": availability}
    if group_walk_welcome is not None:
        change["group_walk_welcome"] = group_walk_welcome
    if place is not None and place != before.place:
        change |= {"place": place, "place_from_postcode": from_postcode, "route": ()}
    return before.model_copy(update=change)


@dataclass(frozen=True, slots=True)
class Reach:
    """How she may be reached from now on. What is None stays; whom she excludes is added to those before."""

    channels: tuple[Channel, ...]
    times: tuple[PartOfDay, ...]
    may_say_police: bool
    may_leave_voicemail: bool
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    recognise: str | None = None
    excluded_officers: tuple[str, ...] = ()
    excluded_teams: tuple[str, ...] = ()

    def of(self, person: Person) -> Person:
        """The same woman, reached so. An address or number that no way of hers needs any more is forgotten.

        :raises FieldsWrong: a way was chosen whose address or number we do not have; fields as on her page.
        """
        calls = {Channel.TEXT, Channel.PHONE} & set(self.channels)
        details = {
            "email": (self.email or person.email) if Channel.EMAIL in self.channels else None,
            "phone": (self.phone or person.phone) if calls else None,
            "address": (self.address or person.address) if Channel.LETTER in self.channels else None,
        }
        if wrong := missing_details(self.channels, details):
            raise FieldsWrong(wrong)
        rules = person.rules.model_copy(
            update={
                "channels": self.channels,
                "times": self.times,
                "may_say_police": self.may_say_police,
                "may_leave_voicemail": self.may_leave_voicemail and Channel.PHONE in self.channels,
                "excluded_officers": tuple(dict.fromkeys((*person.rules.excluded_officers, *self.excluded_officers))),
                "excluded_teams": tuple(dict.fromkeys((*person.rules.excluded_teams, *self.excluded_teams))),
            }
        )
        wishes = person.wishes if self.recognise is None else replace(person.wishes, recognise=self.recognise)
        return replace(
            person,
            rules=rules,
            wishes=wishes,
            email=details["email"],
            phone=details["phone"],
            address=details["address"],
        )
