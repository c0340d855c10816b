"""The request form: its questions, one a page, what each accepts, and what the answers together ask for.

Answers are kept as they were typed, by question, so that every page can show them again; nothing here does I/O.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, create_model, field_validator

from services.intake.domain import FieldsWrong, Person, RequestWalk
from services.intake.requesting import (
    EmailAddress,
    Name,
    PhoneNumber,
    PostalAddress,
    map_point,
    postcode_point,
    slugs,
)
from shared.contracts.kinds import Channel, PartOfDay, Point, Reason, Weekday
from shared.contracts.policy import ForcePolicy
from shared.contracts.surveys import BASELINE, Question
from shared.contracts.walk_requests import Availability, ContactRules
from shared.geography.postcodes import Postcodes

Answers: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By the question's slug, what was typed by field."""

Choices: TypeAlias = Mapping[str, str]

YES_NO: Final[Choices] = {"yes": "Yes", "no": "No"}
REASONS: Final[Choices] = {
    Reason.NO_CCTV: "No CCTV",
    Reason.BADLY_LIT: "It is badly lit",
    Reason.EMPTY_OR_ISOLATED: "Empty buildings, or it is isolated",
    Reason.POOR_LAYOUT: "The layout of the streets or paths",
    Reason.RESTRICTED_VISIBILITY: "I cannot see far, or be seen",
    Reason.RUNDOWN: "It is run down",
    Reason.DRUGS_OR_ALCOHOL: "Signs of drug or alcohol use",
    Reason.OTHER_ENVIRONMENT: "Something else about the place",
    Reason.HARASSED_BY_ONE: "Shouted at or harassed by a stranger",
    Reason.HARASSED_BY_GROUP: "Shouted at or harassed by a group",
    Reason.FOLLOWED: "Being followed",
    Reason.OTHER_HARASSMENT: "Other harassment",
}
DAYS: Final[Choices] = {day: day.value.capitalize() for day in Weekday}
PARTS: Final[Choices] = {
    PartOfDay.EARLY_MORNING: "Early morning, before 9am",
    PartOfDay.DAYTIME: "Daytime, 9am to 5pm",
    PartOfDay.EVENING: "Evening, after 5pm",
}
CHANNELS: Final[Choices] = {
    Channel.EMAIL: "Email",
    Channel.TEXT: "Text message",
    Channel.PHONE: "Phone call",
    Channel.LETTER: "Letter",
}

YesNo = Literal["yes", "no"]


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a question's page."""

    name: str
    kind: Literal["radios", "checkboxes", "text", "email", "tel", "lines"]
    label: str
    hint: str = ""
    choices: Choices | None = None
    autocomplete: str = ""
    width: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One page of the form, with one question."""

    slug: str
    """In its address, and so in a browser's history: it says nothing of its own."""
    title: str
    model: type[BaseModel]
    asked: Asked
    messages: Mapping[str, str]
    lead: tuple[str, ...] = ()
    applies: Callable[[Answers, ForcePolicy], bool] = lambda answers, policy: True


def channels_of(answers: Answers) -> tuple[Channel, ...]:
    """The ways to be contacted she has chosen so far."""
    return tuple(Channel(one) for one in answers.get("channels", {}).get("channels", ()))


# What each page accepts


class Eligibility(BaseModel):
    adult: YesNo


class Place(BaseModel):
    postcode: Annotated[str, Field(max_length=64)]


_POINT: Final = re.compile(r"\s*(-?\d{1,2}(?:\.\d+)?)\s*°?\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)\s*°?\s*")


def _two_numbers(text: str) -> str:
    if not _POINT.fullmatch(text):
        raise ValueError("Enter two numbers, latitude then longitude, like 51.4545, -2.5879")
    return text


class OnMap(BaseModel):
    point: Annotated[str, Field(max_length=80), AfterValidator(_two_numbers)]


class Local(BaseModel):
    local: YesNo


class Reasons(BaseModel):
    reasons: list[Reason] = []


class Days(BaseModel):
    days: Annotated[list[Weekday], Field(min_length=1)]


class Times(BaseModel):
    parts: Annotated[list[PartOfDay], Field(min_length=1)]


class Group(BaseModel):
    group: YesNo


class Named(BaseModel):
    name: Name


class Channels(BaseModel):
    channels: Annotated[list[Channel], Field(min_length=1)]


class EmailGiven(BaseModel):
    email: EmailAddress


class PhoneGiven(BaseModel):
    phone: PhoneNumber


class AddressGiven(BaseModel):
    address: PostalAddress


class ContactTimes(BaseModel):
    times: Annotated[list[PartOfDay], Field(min_length=1)]


class SayPolice(BaseModel):
    say_police: YesNo


class Voicemail(BaseModel):
    voicemail: YesNo


class Exclude(BaseModel):
    officers: Annotated[str, Field(max_length=400)] = ""

    @field_validator("officers")
    @classmethod
    def _numbers(cls, given: str) -> str:
        found = slugs(given)
        if len(found) > 20 or any(not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,62}", one) for one in found):
            raise ValueError("Enter the numbers with commas between them, like A1234, B5678")
        return given


class Consent(BaseModel):
    consent: Literal["yes"]


class SurveyWanted(BaseModel):
    survey: YesNo


def _survey_step(number: int, question: Question) -> Step:
    """A question of the baseline survey; she may go on without an answer."""
    given: Any = (
        Literal[tuple(choice.code for choice in question.choices)] | None,
        Field(default=None, alias=question.code),
    )
    return Step(
        f"more-{number}",
        question.text,
        create_model("Answer", **{question.code.replace("-", "_"): given}),
        Asked(
            question.code,
            "radios",
            question.text,
            "You can leave this out.",
            {choice.code: choice.label for choice in question.choices},
        ),
        {question.code: "Select one of the answers, or none"},
        applies=lambda answers, policy: answers.get("survey", {}).get("survey") == "yes",
    )


POINT: Final = Step(
    "point",
    "Which point on the map?",
    OnMap,
    Asked(
        "point",
        "text",
        "Latitude and longitude",
        "Two numbers with a comma between them, like 51.4545, -2.5879",
        width="govuk-input--width-20",
    ),
    {"point": "Enter two numbers, latitude then longitude, like 51.4545, -2.5879"},
    ("In most map apps, press and hold on the place until a pin appears, then copy the two numbers shown with it.",),
)

STEPS: Final[tuple[Step, ...]] = (
    Step(
        "eligibility",
        "Are you a woman aged 18 or over?",
        Eligibility,
        Asked("adult", "radios", "Are you a woman aged 18 or over?", choices=YES_NO),
        {"adult": "Select yes if you are a woman aged 18 or over"},
    ),
    Step(
        "place",
        "Where would you like to walk?",
        Place,
        Asked(
            "postcode",
            "text",
            "Postcode",
            "A postcode in or near the place, like BS1 5TR. It need not be your own.",
            width="govuk-input--width-10",
        ),
        {"postcode": "Enter a postcode in or near the place"},
    ),
    Step(
        "local",
        "Do you live, work or study near there?",
        Local,
        Asked("local", "radios", "Do you live, work or study near there?", choices=YES_NO),
        {"local": "Select yes if you live, work or study near the place"},
    ),
    Step(
        "reasons",
        "What makes you feel unsafe there?",
        Reasons,
        Asked(
            "reasons",
            "checkboxes",
            "What makes you feel unsafe there?",
            "Select all that apply. You can leave this out and tell the officer on the walk.",
            REASONS,
        ),
        {"reasons": "Select from the list"},
    ),
    Step(
        "days",
        "Which days would suit you?",
        Days,
        Asked("days", "checkboxes", "Which days would suit you?", "Select all that apply.", DAYS),
        {"days": "Select at least one day"},
    ),
    Step(
        "times",
        "What time of day would you like to walk?",
        Times,
        Asked(
            "parts",
            "checkboxes",
            "What time of day would you like to walk?",
            "Choose the times when you feel unsafe there, if you can. Select all that apply.",
            PARTS,
        ),
        {"parts": "Select at least one time of day"},
    ),
    Step(
        "group",
        "Would you also walk in a small group?",
        Group,
        Asked(
            "group",
            "radios",
            "Would you also walk in a small group?",
            "With an officer and a few other women who feel unsafe in the same place.",
            {"yes": "Yes, that would be fine", "no": "No, I would like to walk alone with the officer"},
        ),
        {"group": "Select yes if you would also walk in a small group"},
        applies=lambda answers, policy: policy.walks.group_size > 1,
    ),
    Step(
        "name",
        "What should we call you?",
        Named,
        Asked(
            "name",
            "text",
            "What should we call you?",
            "Your name, or another name you would like the officer to use.",
            autocomplete="off",
            width="govuk-input--width-20",
        ),
        {"name": "Enter what we should call you, in 100 characters or fewer"},
    ),
    Step(
        "channels",
        "How is it safe to contact you?",
        Channels,
        Asked(
            "channels",
            "checkboxes",
            "How is it safe to contact you?",
            "Choose only ways that nobody else reads or listens to. Select all that apply.",
            CHANNELS,
        ),
        {"channels": "Select at least one way we may contact you"},
    ),
    Step(
        "email",
        "What is your email address?",
        EmailGiven,
        Asked(
            "email",
            "email",
            "What is your email address?",
            "One that nobody else reads.",
            autocomplete="off",
        ),
        {"email": "Enter your email address"},
        applies=lambda answers, policy: Channel.EMAIL in channels_of(answers),
    ),
    Step(
        "phone",
        "What is your phone number?",
        PhoneGiven,
        Asked(
            "phone",
            "tel",
            "What is your phone number?",
            "For numbers outside the UK, begin with the country code.",
            autocomplete="off",
            width="govuk-input--width-20",
        ),
        {"phone": "Enter your phone number"},
        applies=lambda answers, policy: bool({Channel.TEXT, Channel.PHONE} & set(channels_of(answers))),
    ),
    Step(
        "address",
        "What is the address for letters?",
        AddressGiven,
        Asked("address", "lines", "What is the address for letters?", autocomplete="off"),
        {"address": "Enter the address for letters, in 500 characters or fewer"},
        applies=lambda answers, policy: Channel.LETTER in channels_of(answers),
    ),
    Step(
        "hours",
        "When is it safe to contact you?",
        ContactTimes,
        Asked(
            "times",
            "checkboxes",
            "When is it safe to contact you?",
            "Select all that apply. Select all three if any time is safe.",
            PARTS,
        ),
        {"times": "Select at least one time when it is safe to contact you"},
    ),
    Step(
        "calling",
        "May we say that we are the police?",
        SayPolice,
        Asked(
            "say_police",
            "radios",
            "May we say that we are the police?",
            "When we write or call, and somebody else might see or answer.",
            {
                "yes": "Yes, you may say that you are the police and why you are writing or calling",
                "no": "No, do not say who you are or why until you know it is me",
            },
        ),
        {"say_police": "Select whether we may say that we are the police"},
    ),
    Step(
        "voicemail",
        "May we leave a voicemail?",
        Voicemail,
        Asked("voicemail", "radios", "May we leave a voicemail?", choices=YES_NO),
        {"voicemail": "Select yes if we may leave a voicemail"},
        applies=lambda answers, policy: Channel.PHONE in channels_of(answers),
    ),
    Step(
        "people",
        "Is there an officer who must not be involved?",
        Exclude,
        Asked(
            "officers",
            "text",
            "Numbers of officers who must not be involved (optional)",
            "The number on an officer’s shoulder, like A1234. With commas between them if there are several.",
            autocomplete="off",
        ),
        {"officers": "Enter the numbers with commas between them, like A1234, B5678"},
        (
            "Somebody you are afraid of may work for the police. An officer you name here cannot take your walk on, "
            "and cannot see who you are.",
            "You need not say why.",
        ),
    ),
    Step(
        "survey",
        "How safe you feel, before the walk",
        SurveyWanted,
        Asked(
            "survey",
            "radios",
            f"Would you answer {len(BASELINE.questions)} short questions?",
            choices={"yes": "Yes", "no": "No, go on without them"},
        ),
        {"survey": "Select yes if you would answer a few questions"},
        (
            "They help us see whether these walks change anything. You can leave out any of them.",
            "Your answers are kept apart from your name and your request, and mixed with other women’s before anybody "
            "counts them.",
        ),
    ),
    *(_survey_step(number, question) for number, question in enumerate(BASELINE.questions, 1)),
)
_SURVEYED: Final = tuple(f"more-{number}" for number, _ in enumerate(BASELINE.questions, 1))
BY_SLUG: Final[Mapping[str, Step]] = {step.slug: step for step in (*STEPS, POINT)}


def steps_for(answers: Answers, policy: ForcePolicy) -> tuple[Step, ...]:
    """The pages this woman goes through, in order."""
    return tuple(step for step in STEPS if step.applies(answers, policy))


def answered(step: Step, answers: Answers) -> bool:
    """Whether a page is done with; the place may be said in two ways."""
    return step.slug in answers or (step.slug == "place" and "point" in answers)


def first_open(answers: Answers, policy: ForcePolicy) -> Step | None:
    """The first page that is still to be answered; None when she can check her answers."""
    return next((step for step in steps_for(answers, policy) if not answered(step, answers)), None)


def may_open(step: Step, answers: Answers, policy: ForcePolicy) -> bool:
    """Whether she has come as far as this page."""
    reached = first_open(answers, policy)
    order = [one.slug for one in steps_for(answers, policy)]
    slug = "place" if step is POINT else step.slug
    return slug in order and (reached is None or order.index(slug) <= order.index(reached.slug))


def before(step: Step, answers: Answers, policy: ForcePolicy) -> str | None:
    """The page before this one; None before the first."""
    order = [one.slug for one in steps_for(answers, policy)]
    if step is POINT:
        return "place"
    at = order.index(step.slug)
    return order[at - 1] if at else None


def number_of(step: Step, answers: Answers, policy: ForcePolicy) -> int:
    """Which of her pages this is, from 1."""
    slug = "place" if step is POINT else step.slug
    return [one.slug for one in steps_for(answers, policy)].index(slug) + 1


def after(step: Step, answers: Answers, policy: ForcePolicy, *, from_check: bool) -> str:
    """Where she goes once a page is answered: on, or back to checking where she came from and all else is answered."""
    if from_check:
        reached = first_open(answers, policy)
        return reached.slug if reached else "check"
    order = [one.slug for one in steps_for(answers, policy)]
    at = order.index("place" if step is POINT else step.slug)
    return order[at + 1] if at + 1 < len(order) else "check"


def keep(step: Step, answers: Answers, given: BaseModel, policy: ForcePolicy) -> dict[str, dict[str, Any]]:
    """The answers with one page answered anew; what no longer belongs to them is dropped."""
    changed = {slug: dict(found) for slug, found in answers.items()}
    changed[step.slug] = given.model_dump(mode="json", by_alias=True, exclude_none=True)
    if step.slug in ("place", "point"):
        changed.pop("point" if step.slug == "place" else "place", None)
    return {slug: found for slug, found in changed.items() if BY_SLUG[slug].applies(changed, policy)}


def place_of(answers: Answers, postcodes: Postcodes) -> Point:
    """Where she would like to walk.

    :raises FieldsWrong: it cannot be found; fields as on the page.
    """
    try:
        if "point" in answers:
            found = _POINT.fullmatch(answers["point"]["point"])
            assert found is not None
            return map_point(float(found[1]), float(found[2]))
        return postcode_point(answers["place"]["postcode"], postcodes)
    except FieldsWrong as wrong:
        field = "point" if "point" in answers else "postcode"
        raise FieldsWrong({field: next(iter(wrong.fields.values()))}) from None


def baseline_of(answers: Answers) -> dict[str, str]:
    """Her answers before the walk, those she gave."""
    return {code: choice for slug in _SURVEYED for code, choice in answers.get(slug, {}).items()}


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


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page where she checks her answers."""

    key: str
    value: str
    slug: str
    """Where she can change it."""


def summary(answers: Answers, policy: ForcePolicy) -> list[Line]:
    """Her answers in words, for checking. The survey is counted, not repeated: it is long and changes nothing."""
    lines = []
    for step in steps_for(answers, policy):
        if step.slug == "survey":
            value = f"{len(baseline_of(answers))} of {len(BASELINE.questions)} answered"
            lines.append(Line("Questions about how safe you feel", value, step.slug))
        elif step.slug != "eligibility" and step.slug not in _SURVEYED:
            shown = POINT if step.slug == "place" and "point" in answers else step
            key = "Place" if step.slug == "place" else step.title
            lines.append(Line(key, _in_words(shown.asked, answers[shown.slug].get(shown.asked.name)), shown.slug))
    return lines


def _in_words(asked: Asked, given: Any) -> str:
    if not given:
        return "None" if asked.kind == "checkboxes" or asked.name == "officers" else "Not given"
    if asked.choices is None:
        return str(given)
    chosen = [given] if isinstance(given, str) else given
    return "\n".join(asked.choices[one] for one in chosen)


def rules_in_words(rules: ContactRules) -> list[Line]:
    """Her rules of safe contact, as an officer reads them before anything else."""
    return [
        Line("Ways that are safe", ", ".join(CHANNELS[one] for one in rules.channels), ""),
        Line("Times that are safe", "\n".join(PARTS[one] for one in rules.times), ""),
        Line(
            "May you say you are the police?",
            "Yes" if rules.may_say_police else "No. Say neither who you are nor why until you know it is her",
            "",
        ),
        Line("May you leave a voicemail?", "Yes" if rules.may_leave_voicemail else "No", ""),
    ]
