"""A request as it is typed or sent, turned into the command: what the form and the API have in common."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from services.intake.domain.person import Person, one_line, real_email, real_phone
from services.intake.domain.refusals import FieldsWrong
from services.intake.domain.requests import RequestWalk
from services.intake.domain.wishes import NEEDS_LIMIT, WORDS_LIMIT, Helper, Wishes, one_newline, plain_words
from shared.contracts.envelope import ForceId, Slug
from shared.contracts.kinds import Channel, PartOfDay, Point, Reason
from shared.contracts.policy import ForcePolicy
from shared.contracts.refusals import Refusal
from shared.contracts.walk_requests import Availability, ContactRules
from shared.geography.forces import ForceGround
from shared.geography.grid import OutsideGreatBritain, from_wgs84
from shared.geography.postcodes import Postcodes
from shared.policies import Policies

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), AfterValidator(one_line)]
EmailAddress = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(real_email)]
PhoneNumber = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(real_phone)]
PostalAddress = Annotated[
    str,
    BeforeValidator(one_newline),
    StringConstraints(strip_whitespace=True, min_length=1, max_length=500),
    AfterValidator(plain_words),
]
RecognitionWord = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60), AfterValidator(one_line)]
Words = Annotated[
    str,
    BeforeValidator(one_newline),
    StringConstraints(strip_whitespace=True, max_length=WORDS_LIMIT),
    AfterValidator(plain_words),
]
Needs = Annotated[
    str,
    BeforeValidator(one_newline),
    StringConstraints(strip_whitespace=True, max_length=NEEDS_LIMIT),
    AfterValidator(plain_words),
]
Excluded = Annotated[tuple[Slug, ...], Field(max_length=20)]

FURTHER_PLACES: Final = 7
"""With the place itself, a route of eight."""

_SEPARATORS: Final = re.compile(r"[\s,;]+")


def slugs(text: str) -> tuple[str, ...]:
    """Numbers of officers as people type them, `A1234, b77`, as the force's own ids: small letters, each once."""
    return tuple(dict.fromkeys(part.lower() for part in _SEPARATORS.split(text) if part))


def _once(given: Any) -> Any:
    return list(dict.fromkeys(given)) if isinstance(given, list) and all(isinstance(x, str) for x in given) else given


class Part(BaseModel):
    """A part of the call; a field nobody knows is refused, so that a misspelt one is not lost."""

    model_config = ConfigDict(extra="forbid")


class ContactIn(Part):
    """How she may be reached, and her rules."""

    channels: Annotated[tuple[Channel, ...], BeforeValidator(_once)]
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    address: PostalAddress | None = None
    times: Annotated[tuple[PartOfDay, ...], BeforeValidator(_once)] = tuple(PartOfDay)
    may_say_police: bool = False
    may_leave_voicemail: bool = False
    calendar_invites: bool = False
    """Whether messages about her walk bring an entry for her calendar; others may see that."""
    excluded_officers: Excluded = ()
    excluded_teams: Excluded = ()
    recognition_word: RecognitionWord = ""
    """Said by the officer who calls or comes, so that she knows who it is."""


class PlaceIn(Part):
    """A postcode, or a point on the map."""

    postcode: Annotated[str, Field(max_length=64)] | None = None
    latitude: float | None = None
    longitude: float | None = None


class AvailabilityIn(Availability):
    """When she is free; parts of the day in Europe/London."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WalkRequestIn(Part):
    """A request for a walk."""

    force_id: ForceId
    name: Name
    over_18: Literal[True]
    consent: Literal[True]
    contact: ContactIn
    place: PlaceIn
    route: Annotated[tuple[PlaceIn, ...], Field(max_length=FURTHER_PLACES)] = ()
    """Where the walk should pass after the place, in order."""
    availability: AvailabilityIn
    lives_or_works_here: bool = False
    reasons: Annotated[tuple[Reason, ...], BeforeValidator(_once)] = ()
    group_walk_welcome: bool = False
    words: Words = ""
    """What makes it feel unsafe, in her own words. Seen by the officer who walks with her, and never on the bus."""
    access_needs: Needs = ""
    language_needs: Needs = ""
    filled_in_by: Helper | None = None
    """Who fills this in with her, with her consent; none where she does so herself."""
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")] = "en"
    """In which she is written to: one that the force offers."""
    baseline: Annotated[dict[str, str], Field(max_length=20)] = {}
    campaign: Annotated[str, Field(max_length=31)] | None = None
    """The code of the link she came by; one the force does not know is left out."""
    equality: Annotated[dict[str, str], Field(max_length=20)] = {}
    """Kept apart from all else: nobody can find out whose answers they were, or which of them were one woman's."""

    def command(self, policies: Policies, postcodes: Postcodes, ground: ForceGround) -> RequestWalk:
        """The command.

        :raises FieldsWrong: the force or the place cannot be found, or the place is another force's. A place of no
            force that uses the system is taken: a person of the force asked looks at it.
        """
        if self.force_id not in policies:
            raise FieldsWrong({"force_id": "This force does not take requests here"})
        if self.language not in policies[self.force_id].languages:
            raise FieldsWrong({"language": "This force does not write in this language"})
        contact, asked = self.contact, self.availability
        rules = ContactRules(
            channels=contact.channels,
            times=contact.times,
            may_say_police=contact.may_say_police,
            may_leave_voicemail=contact.may_leave_voicemail,
            excluded_officers=contact.excluded_officers,
            excluded_teams=contact.excluded_teams,
        )
        place = point_of(self.place, postcodes)
        if (owner := ground.force_of(place, self.force_id)) not in (self.force_id, None):
            field = "place.postcode" if self.place.postcode is not None else "place"
            raise FieldsWrong({field: f"This place is in the area of another force: send force_id {owner}"})
        further = tuple(point_of(one, postcodes, f"route.{number}") for number, one in enumerate(self.route))
        return RequestWalk(
            force_id=self.force_id,
            person=Person(
                self.name,
                rules,
                contact.email,
                contact.phone,
                contact.address,
                calendar=contact.calendar_invites,
                wishes=self._wishes(),
            ),
            place=place,
            route=(place, *further) if further else (),
            place_from_postcode=self.place.postcode is not None,
            availability=Availability(days=asked.days, parts=asked.parts, earliest=asked.earliest),
            lives_or_works_here=self.lives_or_works_here,
            reasons=self.reasons,
            group_walk_welcome=self.group_walk_welcome,
            language=self.language,
            baseline=self.baseline,
            equality=self.equality,
            campaign=known_campaign(policies[self.force_id], self.campaign),
        )

    def _wishes(self) -> Wishes:
        return Wishes(
            words=self.words,
            stops="\n".join(one.postcode or f"{one.latitude}, {one.longitude}" for one in self.route),
            access=self.access_needs,
            languages=self.language_needs,
            recognise=self.contact.recognition_word,
            helper=self.filled_in_by or "",
        )


def known_campaign(policy: ForcePolicy, code: str | None) -> str | None:
    """The code, if the force has such a campaign; anybody can change a link."""
    return code if code in {one.code for one in policy.campaigns} else None


def point_of(place: PlaceIn, postcodes: Postcodes, field: str = "place") -> Point:
    """Where it is.

    :param field: what the caller calls this place.
    :raises FieldsWrong: it is nowhere, or said in two ways.
    """
    if place.postcode is not None:
        if place.latitude is not None or place.longitude is not None:
            raise FieldsWrong({field: "Give a postcode or a point, not both"})
        return postcode_point(place.postcode, postcodes, field)
    wrong = {
        f"{field}.{name}": f"Enter a {name}, or a postcode instead"
        for name in ("latitude", "longitude")
        if getattr(place, name) is None
    }
    if len(wrong) == 2:
        raise FieldsWrong({field: "Give a postcode, or a latitude and longitude"})
    if place.latitude is None or place.longitude is None:
        raise FieldsWrong(wrong)
    return map_point(place.latitude, place.longitude, field)


def postcode_point(postcode: str, postcodes: Postcodes, field: str = "place") -> Point:
    """The centre of a postcode, to some ten metres.

    :raises FieldsWrong: there is none.
    """
    try:
        longitude, latitude = postcodes.find(postcode).point.to_wgs84()
    except Refusal as refusal:
        raise FieldsWrong({f"{field}.postcode": refusal.message}) from None
    return Point(latitude=round(latitude, 5), longitude=round(longitude, 5))


def map_point(latitude: float, longitude: float, field: str = "place") -> Point:
    """A point on the map, to some metre.

    :raises FieldsWrong: it is not in Great Britain.
    """
    try:
        from_wgs84(longitude=longitude, latitude=latitude)
    except OutsideGreatBritain as refusal:
        raise FieldsWrong({f"{field}.latitude": refusal.message}) from None
    return Point(latitude=round(latitude, 5), longitude=round(longitude, 5))
