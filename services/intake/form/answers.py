"""What her answers together ask for."""

from __future__ import annotations

from datetime import date

from services.intake.domain.person import Person
from services.intake.domain.refusals import FieldsWrong
from services.intake.domain.requests import EARLIEST_WRONG, RequestWalk, possible_first_day
from services.intake.domain.wishes import Wishes
from services.intake.form.fields import TWO_NUMBERS, First
from services.intake.form.step import Answers, channels_of
from services.intake.form.surveys import ABOUT_HER, SURVEYED
from services.intake.requesting import map_point, postcode_point, slugs
from shared.contracts.kinds import Point, Reason
from shared.contracts.walk_requests import Availability, ContactRules
from shared.geography.postcodes import Postcodes
from shared.wording import Text


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


def place_given(answers: Answers) -> str:
    """Where she would like to walk, as she said it; "" before that."""
    return str(answers.get("point", {}).get("point") or answers.get("place", {}).get("postcode") or "")


def spot_of(text: str, postcodes: Postcodes) -> Point:
    """A place as it is typed where both ways are taken: a postcode, or two numbers from a map.

    :raises FieldsWrong: it is nowhere.
    """
    numbers = TWO_NUMBERS.fullmatch(text)
    return map_point(float(numbers[1]), float(numbers[2])) if numbers else postcode_point(text, postcodes)


def route_of(answers: Answers, postcodes: Postcodes) -> tuple[Point, ...]:
    """Where she would like to pass, the place first; none where it is one place.

    :raises FieldsWrong: one cannot be found; the sentence says on which line.
    """
    found = []
    lines = [line.strip() for line in answers.get("way", {}).get("stops", "").splitlines() if line.strip()]
    for number, line in enumerate(lines, 1):
        try:
            found.append(spot_of(line, postcodes))
        except FieldsWrong as wrong:
            fault = next(iter(wrong.fields.values()))
            raise FieldsWrong({"stops": Text("Line %(number)d: %(fault)s", number=number, fault=fault)}) from None
    return (place_of(answers, postcodes), *found) if found else ()


def first_day(answers: Answers) -> date | None:
    """The first day that would suit her, if she gave one."""
    return First.model_validate(answers.get("first", {})).earliest


def refuse_answer(slug: str, answers: Answers, postcodes: Postcodes, today: date) -> None:
    """Let pass what a page was given, as far as it takes more than the page itself to know.

    :raises FieldsWrong: a place cannot be found, or no walk can be on that day; fields as on the page.
    """
    if slug in ("place", "point"):
        place_of(answers, postcodes)
    elif slug == "way":
        route_of(answers, postcodes)
    elif slug == "first" and not possible_first_day(first_day(answers), today):
        raise FieldsWrong({"day": EARLIEST_WRONG})


def wishes_of(answers: Answers) -> Wishes:
    """What she said in her own words."""
    return Wishes(
        words=answers.get("words", {}).get("words", ""),
        stops=answers.get("way", {}).get("stops", ""),
        access=answers.get("needs", {}).get("access", ""),
        languages=answers.get("speech", {}).get("languages", ""),
        recognise=answers.get("word", {}).get("recognise", ""),
        helper=answers.get("helper", {}).get("helper", ""),
    )


def baseline_of(answers: Answers) -> dict[str, str]:
    """Her answers before the walk, those she gave."""
    return {code: choice for slug in SURVEYED for code, choice in answers.get(slug, {}).items()}


def equality_of(answers: Answers) -> dict[str, str]:
    """Her answers to the equality questions, those she gave."""
    return {code: choice for slug in ABOUT_HER for code, choice in answers.get(slug, {}).items()}


def team_postcodes(answers: Answers) -> str:
    """Where the teams work that must not be involved, as she typed it."""
    return str(answers.get("others", {}).get("teams", ""))


def command_of(
    force_id: str,
    answers: Answers,
    postcodes: Postcodes,
    campaign: str | None = None,
    language: str = "en",
    excluded_teams: tuple[str, ...] = (),
) -> RequestWalk:
    """What the answers together ask for, by somebody who reads this language; every page must be answered."""
    rules = ContactRules(
        channels=channels_of(answers),
        times=tuple(answers["hours"]["times"]),
        may_say_police=answers["calling"]["say_police"] == "yes",
        may_leave_voicemail=answers.get("voicemail", {}).get("voicemail") == "yes",
        excluded_officers=slugs(answers["people"].get("officers", "")),
        excluded_teams=excluded_teams,
    )
    return RequestWalk(
        force_id=force_id,
        person=Person(
            answers["name"]["name"],
            rules,
            answers.get("email", {}).get("email"),
            answers.get("phone", {}).get("phone"),
            answers.get("address", {}).get("address"),
            calendar=answers.get("calendar", {}).get("calendar") == "yes",
            wishes=wishes_of(answers),
        ),
        place=place_of(answers, postcodes),
        place_from_postcode="place" in answers,
        availability=Availability(
            days=tuple(answers["days"]["days"]), parts=tuple(answers["times"]["parts"]), earliest=first_day(answers)
        ),
        route=route_of(answers, postcodes),
        lives_or_works_here=answers["local"]["local"] == "yes",
        reasons=tuple(Reason(one) for one in answers["reasons"].get("reasons", ())),
        group_walk_welcome=answers.get("group", {}).get("group") == "yes",
        baseline=baseline_of(answers),
        equality=equality_of(answers),
        campaign=campaign,
        language=language,
    )
