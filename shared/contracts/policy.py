"""A force's own choices: one versioned file a force under deploy/forces, read and validated by all four services."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from shared.contracts.envelope import ForceId, ShortText, Value
from shared.contracts.kinds import OfficerKind, Reason, Urgency

Days = Annotated[int, Field(ge=0, le=3650)]
WorkingDays = Annotated[int, Field(ge=0, le=250)]
Address = Annotated[str, Field(pattern=r"^https://[^\s]+$", max_length=500)]


class Choices(Value):
    """A part of a policy. A field nobody knows is a mistyped one, so it is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Wording(Choices):
    """What women read; a force writes its own."""

    scheme_name: ShortText = "Walk and Talk"
    eligibility: ShortText = "Any woman aged 18 or over can ask for a walk."
    introduction: ShortText = (
        "You choose the place. A trained officer walks there with you, and you show her what makes you feel unsafe."
    )
    help_lines: tuple[ShortText, ...] = ()
    """Who else helps her: a name and a number a line. 999 and 101 stand on the page already."""
    report_url: Address | None = None
    """Where the force takes reports of crime."""
    team_url: Address = "https://www.police.uk/pu/your-area/"
    """Where a woman finds her neighbourhood team."""
    streetsafe_url: Address = "https://www.police.uk/streetsafe"


class WalkRules(Choices):
    """Who may walk, how long, how soon. Minimum length 0 means none is set (Avon and Somerset); the Met sets 30."""

    officers: tuple[OfficerKind, ...] = tuple(OfficerKind)
    minimum_minutes: Annotated[int, Field(ge=0, le=240)] = 0
    arrange_within: WorkingDays = 5
    group_size: Annotated[int, Field(ge=1, le=10)] = 1


class SurveyRules(Choices):
    """When the survey goes out, hours after the walk ended; which answers worry us stands with the survey."""

    invite_after_hours: Annotated[int, Field(ge=0, le=720)] = 24


class FollowUpRules(Choices):
    """Working days until the call or visit is due."""

    same_day: WorkingDays = 0
    soon: WorkingDays = 2

    def within(self, urgency: Urgency) -> int:
        return self.same_day if urgency is Urgency.SAME_DAY else self.soon


class ReferralRules(Choices):
    """Working days a partner has to say whether it will act."""

    respond_within: WorkingDays = 10


class PartnerCoverage(Choices):
    """Which categories in which areas; no areas means the whole force, no categories means all of them."""

    areas: tuple[str, ...] = ()
    categories: tuple[Reason, ...] = ()


class PartnerEntry(Choices):
    """A partner the force has an agreement with."""

    partner_id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
    name: ShortText
    kind: Literal["council", "developer", "business", "transport", "police"]
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)] | None = None
    agreed_on: date
    coverage: Annotated[tuple[PartnerCoverage, ...], Field(min_length=1)]


class Campaign(Choices):
    """A poster, an event, a page: somewhere women hear of the scheme, with a link of its own (`?from=CODE`)."""

    code: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")]
    name: ShortText


class Retention(Choices):
    """Days until personal data is erased after the last contact."""

    participant_days: Days = 365


class ForcePolicy(Choices):
    """All a force has chosen, by version."""

    force_id: ForceId
    version: Annotated[int, Field(ge=1)]
    name: ShortText
    colour: Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")] = "#1d3c6e"
    languages: tuple[str, ...] = ("en",)
    wording: Wording = Wording()
    walks: WalkRules = WalkRules()
    surveys: SurveyRules = SurveyRules()
    follow_ups: FollowUpRules = FollowUpRules()
    referrals: ReferralRules = ReferralRules()
    retention: Retention = Retention()
    partners: tuple[PartnerEntry, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
