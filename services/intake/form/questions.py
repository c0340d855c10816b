"""The questions of the form, one a page: their order, their wording, and for whom each is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, Field, create_model

from services.intake.domain.wishes import NEEDS_LIMIT, WORDS_LIMIT, Helper
from services.intake.form import fields
from shared.contracts.equality import CONDITION, EQUALITY, LIMITED
from shared.contracts.kinds import Channel, PartOfDay, Reason, Weekday
from shared.contracts.policy import ForcePolicy
from shared.contracts.surveys import BASELINE, Question

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


HELPERS: Final[Choices] = {
    Helper.OFFICER: "A police officer or PCSO",
    Helper.SUPPORT_WORKER: "A support worker or advocate",
    Helper.FAMILY_OR_FRIEND: "Family, or a friend",
    Helper.OTHER: "Somebody else whom she trusts",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One field of a question's page."""

    name: str
    kind: Literal["radios", "checkboxes", "text", "email", "tel", "lines", "date"]
    label: str
    hint: str = ""
    choices: Choices | None = None
    autocomplete: str = ""
    width: str = ""
    limit: int = 0
    """Of characters, where there is one worth counting for her."""
    optional: bool = False
    """Whether she may go on without an answer, and the page says so."""


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


def helped(answers: Answers) -> bool:
    """Whether somebody fills the form in with her."""
    return answers.get("who", {}).get("who") == "with"


def _survey_step(slug: str, question: Question, applies: Callable[[Answers], bool]) -> Step:
    """A question of the baseline survey, or about equality; she may go on without an answer."""
    given: Any = (
        Literal[tuple(choice.code for choice in question.choices)] | None,
        Field(default=None, alias=question.code),
    )
    return Step(
        slug,
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
        applies=lambda answers, policy: applies(answers),
    )


def _wants_survey(answers: Answers) -> bool:
    return answers.get("survey", {}).get("survey") == "yes"


def _wants_equality(answers: Answers) -> bool:
    return answers.get("about", {}).get("about") == "yes"


def _has_condition(answers: Answers) -> bool:
    return _wants_equality(answers) and answers.get(_EQUALITY_SLUGS[CONDITION], {}).get(CONDITION) == "yes"


_EQUALITY_SLUGS: Final = {question.code: f"about-{number}" for number, question in enumerate(EQUALITY, 1)}


POINT: Final = Step(
    "point",
    "Which point on the map?",
    fields.OnMap,
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
        fields.Eligibility,
        Asked(
            "adult",
            "radios",
            "Are you a woman aged 18 or over?",
            "If you fill this in with somebody who wants to walk, answer for her.",
            YES_NO,
        ),
        {"adult": "Select yes if you are a woman aged 18 or over"},
    ),
    Step(
        "who",
        "Who is filling in this form?",
        fields.Who,
        Asked(
            "who",
            "radios",
            "Who is filling in this form?",
            choices={
                "herself": "I am, and the walk is for me",
                "with": "I am helping a woman who is with me",
            },
        ),
        {"who": "Select who is filling in this form"},
    ),
    Step(
        "helper",
        "Who are you?",
        fields.HelperGiven,
        Asked("helper", "radios", "I am", choices=HELPERS),
        {"helper": "Select who you are"},
        (
            "Go on only if she is with you, or on the phone with you, and agrees. Ask her each question as it comes, "
            "and enter what she says.",
            "On the pages that follow, “she” is the woman who wants to walk. Your answer here is kept locked with her "
            "details.",
        ),
        applies=lambda answers, policy: helped(answers),
    ),
    Step(
        "place",
        "Where would you like to walk?",
        fields.Place,
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
        "way",
        "Should the walk pass other places too?",
        fields.Way,
        Asked(
            "stops",
            "lines",
            "Other places on the way",
            "Postcodes, or two numbers from a map, one on each line, in the order you would walk. Up to seven.",
            autocomplete="off",
            width="govuk-input--width-20",
            optional=True,
        ),
        {"stops": "Enter seven places or fewer, one on each line"},
        ("For example the way home from the station: the walk can begin at the first place and end at the last.",),
    ),
    Step(
        "local",
        "Do you live, work or study near there?",
        fields.Local,
        Asked("local", "radios", "Do you live, work or study near there?", choices=YES_NO),
        {"local": "Select yes if you live, work or study near the place"},
    ),
    Step(
        "reasons",
        "What makes you feel unsafe there?",
        fields.Reasons,
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
        "words",
        "Is there anything you would like to tell the officer before the walk?",
        fields.WordsGiven,
        Asked(
            "words",
            "lines",
            "In your own words",
            "For example where exactly, since when, or what happened. Leave out who somebody is, if you can.",
            autocomplete="off",
            limit=WORDS_LIMIT,
            optional=True,
        ),
        {"words": f"Use {WORDS_LIMIT:,} characters or fewer"},
        ("Kept locked. Only the officer who walks with you and the coordinator of the force can read it.",),
    ),
    Step(
        "days",
        "Which days would suit you?",
        fields.Days,
        Asked("days", "checkboxes", "Which days would suit you?", "Select all that apply.", DAYS),
        {"days": "Select at least one day"},
    ),
    Step(
        "times",
        "What time of day would you like to walk?",
        fields.Times,
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
        "first",
        "From which day on?",
        fields.First,
        Asked("day", "date", "The first day that would suit you", "For example, 27 11 2026", optional=True),
        dict.fromkeys(("day", "month", "year"), "Enter a day, month and year, or leave all three empty"),
        ("Leave this empty if any day from now on would suit you.",),
    ),
    Step(
        "group",
        "Would you also walk in a small group?",
        fields.Group,
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
        "needs",
        "Is there anything that would make the walk easier for you?",
        fields.Access,
        Asked(
            "access",
            "lines",
            "What we should know",
            "For example step-free paths, a short distance, somewhere to rest, a wheelchair, a pushchair, lip-reading.",
            autocomplete="off",
            limit=NEEDS_LIMIT,
            optional=True,
        ),
        {"access": f"Use {NEEDS_LIMIT} characters or fewer"},
    ),
    Step(
        "speech",
        "Which language would you like to speak?",
        fields.Spoken,
        Asked(
            "languages",
            "lines",
            "Another language than English, or an interpreter",
            "For example Polish, Urdu, British Sign Language. Leave this empty if English suits you.",
            autocomplete="off",
            limit=NEEDS_LIMIT,
            optional=True,
        ),
        {"languages": f"Use {NEEDS_LIMIT} characters or fewer"},
    ),
    Step(
        "name",
        "What should we call you?",
        fields.Named,
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
        fields.Channels,
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
        fields.EmailGiven,
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
        fields.PhoneGiven,
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
        fields.AddressGiven,
        Asked("address", "lines", "What is the address for letters?", autocomplete="off"),
        {"address": "Enter the address for letters, in 500 characters or fewer"},
        applies=lambda answers, policy: Channel.LETTER in channels_of(answers),
    ),
    Step(
        "hours",
        "When is it safe to contact you?",
        fields.ContactTimes,
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
        fields.SayPolice,
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
        fields.Voicemail,
        Asked("voicemail", "radios", "May we leave a voicemail?", choices=YES_NO),
        {"voicemail": "Select yes if we may leave a voicemail"},
        applies=lambda answers, policy: Channel.PHONE in channels_of(answers),
    ),
    Step(
        "calendar",
        "Would you like an entry for your calendar?",
        fields.CalendarWanted,
        Asked(
            "calendar",
            "radios",
            "Would you like an entry for your calendar?",
            "It comes with our emails once a time is agreed. Choose no if others can see your calendar.",
            YES_NO,
        ),
        {"calendar": "Select yes if you would like an entry for your calendar"},
        applies=lambda answers, policy: Channel.EMAIL in channels_of(answers),
    ),
    Step(
        "word",
        "How will you know that it is the officer?",
        fields.Recognise,
        Asked(
            "recognise",
            "text",
            "A word the officer says first",
            "Any word you will remember and nobody else would guess.",
            autocomplete="off",
            width="govuk-input--width-20",
            optional=True,
        ),
        {"recognise": "Use 60 characters or fewer"},
        ("Whoever calls or comes says this word before anything else. If they do not know it, it is not the officer.",),
    ),
    Step(
        "people",
        "Is there an officer who must not be involved?",
        fields.Exclude,
        Asked(
            "officers",
            "text",
            "Numbers of officers who must not be involved",
            "The number on an officer’s shoulder, like A1234. With commas between them if there are several.",
            autocomplete="off",
            optional=True,
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
        fields.SurveyWanted,
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
    *(_survey_step(f"more-{number}", question, _wants_survey) for number, question in enumerate(BASELINE.questions, 1)),
    Step(
        "about",
        "Equality questions",
        fields.EqualityWanted,
        Asked(
            "about",
            "radios",
            "Would you answer a few questions about yourself?",
            choices={"yes": "Yes", "no": "No, go on without them"},
        ),
        {"about": "Select yes if you would answer a few questions about yourself"},
        (
            "They help the force see whether walks reach women of every background. You can leave out any of them.",
            "Each answer is torn off from your name, from your request and from your other answers, and mixed with "
            "other women’s. Nobody who arranges your walk sees it. We cannot find it again, so we cannot delete it "
            "later.",
        ),
    ),
    *(
        _survey_step(
            _EQUALITY_SLUGS[question.code], question, _has_condition if question.code == LIMITED else _wants_equality
        )
        for question in EQUALITY
    ),
)

SURVEYED: Final = tuple(f"more-{number}" for number, _ in enumerate(BASELINE.questions, 1))
ABOUT_HER: Final = tuple(_EQUALITY_SLUGS.values())
BY_SLUG: Final[Mapping[str, Step]] = {step.slug: step for step in (*STEPS, POINT)}
