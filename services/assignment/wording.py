"""What pages call the words of the contracts, in plain English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final

from services.assignment.domain.disclosures import DisclosureKind, Mistake, Safeguarding, Signpost
from services.assignment.domain.follow_ups import FollowUpKind
from services.assignment.domain.referrals import ReferralState
from services.assignment.domain.refusals import (
    KindNotAllowed,
    MayNotWalk,
    NotTrained,
    OfficerAway,
    OfficerOff,
    TrainingExpired,
)
from services.assignment.domain.training import TrainingWay
from services.assignment.domain.walks import State, TriageReason
from shared.contracts.kinds import Channel, OfficerKind, PartOfDay, Reason, Severity, TrainingTopic, Urgency, Weekday
from shared.contracts.walks import PatrolKind, RoutedBy, WhatNext, WhyNotHeld
from shared.working_days import left, london

WHY_NOT_HELD: Final[Mapping[str, str]] = {
    WhyNotHeld.SHE_DID_NOT_COME: "She did not come",
    WhyNotHeld.OFFICER_COULD_NOT: "The officer could not come",
    WhyNotHeld.WEATHER: "The weather",
    WhyNotHeld.OTHER: "Another reason",
}
WHAT_NEXT: Final[Mapping[str, tuple[str, str]]] = {
    WhatNext.AGAIN: ("We try again", "The walk stays with its officer, who proposes or arranges another time."),
    WhatNext.QUEUE: ("Another officer may take it", "It goes back to the team’s queue."),
    WhatNext.CLOSE: ("The walk is closed", "She no longer wants it, or cannot be reached. She can ask again."),
}

SAID: Final[Mapping[str, str]] = {
    Reason.NO_CCTV: "No CCTV",
    Reason.BADLY_LIT: "Badly lit",
    Reason.EMPTY_OR_ISOLATED: "Empty buildings or isolated",
    Reason.POOR_LAYOUT: "Poor street layout",
    Reason.RESTRICTED_VISIBILITY: "Restricted visibility",
    Reason.RUNDOWN: "Rundown",
    Reason.DRUGS_OR_ALCOHOL: "Signs of drug or alcohol use",
    Reason.OTHER_ENVIRONMENT: "Something else about the place",
    Reason.HARASSED_BY_ONE: "Verbal harassment by one stranger",
    Reason.HARASSED_BY_GROUP: "Verbal harassment by a group",
    Reason.FOLLOWED: "Being followed",
    Reason.OTHER_HARASSMENT: "Other harassment",
    PartOfDay.EARLY_MORNING: "Early morning, before 9am",
    PartOfDay.DAYTIME: "Daytime, 9am to 5pm",
    PartOfDay.EVENING: "Evening, after 5pm",
    **{day: day.value.capitalize() for day in Weekday},
    Channel.EMAIL: "Email",
    Channel.TEXT: "Text message",
    Channel.PHONE: "Phone call",
    Channel.LETTER: "Letter",
    Severity.LOW: "Low",
    Severity.MEDIUM: "Medium",
    Severity.HIGH: "High",
    OfficerKind.OFFICER: "Police officer",
    OfficerKind.PCSO: "PCSO",
    OfficerKind.DEDICATED_WARD_OFFICER: "Dedicated ward officer",
    TrainingTopic.HOW_IT_WORKS: "How the scheme works",
    TrainingTopic.QUESTIONS: "Frequent questions",
    TrainingTopic.STREETSAFE: "StreetSafe",
    TrainingWay.ONLINE: "Online",
    TrainingWay.IN_PERSON: "In person",
    Urgency.SAME_DAY: "Same day",
    Urgency.SOON: "Soon",
    State.TRIAGE: "Needs an area",
    State.ROUTED: "Not taken yet",
    State.TAKEN: "To be arranged",
    State.ARRANGED: "Arranged",
    State.COMPLETED: "Held",
    State.CANCELLED: "Cancelled",
    TriageReason.OUTSIDE_ALL_AREAS: "The place lies outside every area of the force.",
    TriageReason.CONTACT_RULES: "Somebody else has to take this walk. Read how she may be contacted.",
    RoutedBy.COVERS: "The place lies in this area",
    RoutedBy.NEAREST: "The nearest area",
    RoutedBy.COORDINATOR: "Chosen by a coordinator, or by whoever handed it on",
    PatrolKind.FOOT: "On foot",
    PatrolKind.CYCLE: "By cycle",
    DisclosureKind.CRIME: "Crime",
    DisclosureKind.INTELLIGENCE: "Intelligence",
    Safeguarding.MADE_SAFE: "Made safe there and then",
    Safeguarding.RISK_ASSESSED: "Risk assessed with her",
    Safeguarding.REFERRED: "Safeguarding referral made",
    Safeguarding.SPECIALIST_TOLD: "Specialist officer or unit told",
    Safeguarding.SUPERVISOR_TOLD: "Supervisor told",
    Safeguarding.NONE_NEEDED: "Looked at, nothing was needed",
    Signpost.HOW_TO_REPORT: "How to report it",
    Signpost.VICTIM_SUPPORT: "Victim Support",
    Signpost.DOMESTIC_ABUSE: "Domestic abuse services",
    Signpost.SEXUAL_VIOLENCE: "Sexual violence services",
    Signpost.HEALTH: "Health services",
    Signpost.OTHER: "Other services",
    Signpost.NONE_WANTED: "She did not want any",
    Mistake.OPENED_BY_MISTAKE: "Opened by mistake",
    Mistake.RECORDED_TWICE: "Recorded twice",
    FollowUpKind.CONTACT: "Call or visit",
    FollowUpKind.REVIEW: "Review of an answer",
    ReferralState.MADE: "Asked",
    ReferralState.ACCEPTED: "Will act",
    ReferralState.DECLINED: "Will not act",
    ReferralState.INVESTIGATING: "Investigating",
    ReferralState.PLANNED: "Planned",
    ReferralState.PARTLY_DONE: "Partly done",
    ReferralState.MONITORING: "Monitoring",
    ReferralState.DONE: "Done",
    ReferralState.NOTHING_MORE: "Nothing more will be done",
    **WHY_NOT_HELD,
    "not-held": "It did not take place",
    "joined": "Its women walk with others",
    "at-once": "At once",
    "daily": "Once a day, at 8am",
    "to-officer": "Handed to another officer",
    "to-team": "Handed to another team",
    "to-coordinator": "A coordinator was asked",
    "not-taken": "Nobody took it in time",
    "somebody-else": "Somebody else answered",
    "out-of-service": "The number is out of service",
    "reached": "Reached",
    "not-reached": "Not reached",
    "declined": "Will not act",
    "reviewed": "Reviewed",
}

CANCEL_REASONS: Final[Mapping[str, str]] = {
    "not-reached": "We could not reach her",
    "no-longer-wanted": "She no longer wants the walk",
    "not-safe": "Contact or the walk would not be safe",
    "no-officer": "No officer is available",
    "other": "Another reason",
}
OUTCOMES: Final[Mapping[str, str]] = {
    "reached": "She was reached",
    "not-reached": "She could not be reached",
    "declined": "She did not want to speak",
}
LANGUAGES: Final[Mapping[str, str]] = {
    "en": "English",
    "cy": "Welsh",
    "ar": "Arabic",
    "bn": "Bengali",
    "bg": "Bulgarian",
    "zh": "Chinese",
    "fr": "French",
    "el": "Greek",
    "gu": "Gujarati",
    "hi": "Hindi",
    "it": "Italian",
    "ku": "Kurdish",
    "lt": "Lithuanian",
    "ne": "Nepali",
    "pa": "Panjabi",
    "fa": "Persian",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "so": "Somali",
    "es": "Spanish",
    "ta": "Tamil",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
}
STOPS: Final[Mapping[type[MayNotWalk], str]] = {
    OfficerOff: "Not in service",
    NotTrained: "Not trained",
    TrainingExpired: "Training expired",
    KindNotAllowed: "Kind not in the policy",
    OfficerAway: "Away",
}

STATE_COLOURS: Final[Mapping[str, str]] = {
    State.TRIAGE: "govuk-tag--orange",
    State.ROUTED: "govuk-tag--yellow",
    State.TAKEN: "govuk-tag--light-blue",
    State.ARRANGED: "govuk-tag--blue",
    State.COMPLETED: "govuk-tag--green",
    State.CANCELLED: "govuk-tag--grey",
}


def stop(reason: MayNotWalk) -> str:
    """What keeps an officer from walking, in two or three words."""
    return STOPS[type(reason)]


def said(value: object) -> str:
    """What a word of the contracts is called; a word not listed is spelt out."""
    text = str(value)
    return SAID.get(text) or CANCEL_REASONS.get(text) or text.replace("-", " ").capitalize()


def listed(values: Iterable[object]) -> str:
    """Several words in one line: the first as it stands, the rest with a small letter unless they are days."""
    found = [said(value) for value in values]
    names = {*(day.value.capitalize() for day in Weekday), "StreetSafe"}
    found[1:] = [one if one in names else one[0].lower() + one[1:] for one in found[1:]]
    return "; ".join(found) if any("," in one for one in found) else ", ".join(found)


def language(code: str) -> str:
    """A language's name, its code where we have none."""
    return LANGUAGES.get(code, code)


def days_left(until: datetime, now: datetime) -> str:
    """How many working days are left, to stand after the day; nothing once it is over."""
    if until < now:
        return ""
    many = left(now, until)
    return f": {many} working day{'' if many == 1 else 's'} left" if many else ": today"


def days_waiting(since: datetime, now: datetime) -> str:
    """How long somebody has waited, in days as people in London count them."""
    days = (london(now).date() - london(since).date()).days
    return "since today" if days <= 0 else "1 day" if days == 1 else f"{days} days"
