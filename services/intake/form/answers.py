"""What her answers together ask for."""

from __future__ import annotations

from services.intake.domain.person import Person
from services.intake.domain.refusals import FieldsWrong
from services.intake.domain.requests import RequestWalk
from services.intake.form.fields import TWO_NUMBERS
from services.intake.form.questions import SURVEYED, Answers, channels_of
from services.intake.requesting import map_point, postcode_point, slugs
from shared.contracts.kinds import Point, Reason
from shared.contracts.walk_requests import Availability, ContactRules
from shared.geography.postcodes import Postcodes


def place_of(answers: Answers, postcodes: Postcodes) -> Point:
    """Where she would like to walk.

    :raises FieldsWrong: it cannot be found; fields as on the page.
    """
    try:
        if "point" in answers:
            found = TWO_NUMBERS.fullmatch(answers["point"]["point"])
            assert found is not None
            return map_point(float(found[1]), float(found[2]))
        return postcode_point(answers["place"]["postcode"], postcodes)
    except FieldsWrong as wrong:
        field = "point" if "point" in answers else "postcode"
        raise FieldsWrong({field: next(iter(wrong.fields.values()))}) from None


def baseline_of(answers: Answers) -> dict[str, str]:
    """Her answers before the walk, those she gave."""
    return {code: choice for slug in SURVEYED for code, choice in answers.get(slug, {}).items()}


def command_of(force_id: str, answers: Answers, postcodes: Postcodes) -> RequestWalk:
    """What the answers together ask for; every page that applies must be answered."""
    rules = ContactRules(
        channels=channels_of(answers),
        times=tuple(answers["hours"]["times"]),
        may_say_police=answers["calling"]["say_police"] == "yes",
        may_leave_voicemail=answers.get("voicemail", {}).get("voicemail") == "yes",
        excluded_officers=slugs(answers["people"].get("officers", "")),
    )
    return RequestWalk(
        force_id=force_id,
        person=Person(
            answers["name"]["name"],
            rules,
            answers.get("email", {}).get("email"),
            answers.get("phone", {}).get("phone"),
            answers.get("address", {}).get("address"),
        ),
        place=place_of(answers, postcodes),
        place_from_postcode="place" in answers,
        availability=Availability(days=tuple(answers["days"]["days"]), parts=tuple(answers["times"]["parts"])),
        lives_or_works_here=answers["local"]["local"] == "yes",
        reasons=tuple(Reason(one) for one in answers["reasons"].get("reasons", ())),
        group_walk_welcome=answers.get("group", {}).get("group") == "yes",
        baseline=baseline_of(answers),
    )
