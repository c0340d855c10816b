"""A force's own choices: one versioned file a force under deploy/forces, read and validated by all four services."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from shared.contracts.envelope import ForceId, ShortText, Value
from shared.contracts.kinds import OfficerKind, Reason, TrainingTopic, Urgency

Days = Annotated[int, Field(ge=0, le=3650)]
WorkingDays = Annotated[int, Field(ge=0, le=250)]
Address = Annotated[str, Field(pattern=r"^https://[^\s]+$", max_length=500)]
Colour = Annotated[str, Field(pattern=r"^#[0-9a-f]{6}$")]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
Host = Annotated[
    str,
    Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$", max_length=253),
]
"""A DNS name in small letters, without a port."""


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
    local_help_lines: tuple[ShortText, ...] = ()
    """Who else helps her in the force's area: a name and a number a line. They stand first."""
    help_lines: tuple[ShortText, ...] = (
        "National Domestic Abuse Helpline: 0808 2000 247, at any time, free. For women, and those who worry about one.",
        "Rape Crisis: 0808 500 2222, at any time, free. After sexual violence, however long ago.",
        "Victim Support: 0808 168 9111, at any time, free. After any crime, reported or not.",
        "Samaritans: 116 123, at any time, free. Whatever you are going through.",
    )
    """Who helps everywhere. 999 and 101 stand on the page already."""
    report_url: Address | None = None
    """Where the force takes reports of crime."""
    team_url: Address = "https://www.police.uk/pu/your-area/"
    """Where a woman finds her neighbourhood team."""
    streetsafe_url: Address = "https://www.police.uk/streetsafe"
    telephone: Annotated[str, Field(pattern=r"^\+?[0-9][0-9 ]{1,18}[0-9]$")] | None = None
    """A number of the force's own, when it is no emergency. 101 stands on the page already."""

    @property
    def who_else_helps(self) -> tuple[str, ...]:
        """Every help line, those of the area first."""
        return (*self.local_help_lines, *self.help_lines)


OURS: Mapping[str, Mapping[str, Any]] = {
    "cy": {
        "scheme_name": "Cerdded a Siarad",
        "eligibility": "Gall unrhyw fenyw 18 oed neu hŷn ofyn am gael cerdded gyda swyddog.",
        "introduction": (
            "Chi sy’n dewis y lle. Bydd swyddog hyfforddedig yn cerdded yno gyda chi, a byddwch yn dangos iddi beth "
            "sy’n gwneud i chi deimlo’n anniogel."
        ),
        "help_lines": (
            "Llinell Gymorth Genedlaethol Cam-drin Domestig: 0808 2000 247, unrhyw bryd, am ddim. I fenywod, ac i’r "
            "rhai sy’n poeni am fenyw.",
            "Rape Crisis: 0808 500 2222, unrhyw bryd, am ddim. Ar ôl trais rhywiol, waeth pa mor bell yn ôl.",
            "Cymorth i Ddioddefwyr: 0808 168 9111, unrhyw bryd, am ddim. Ar ôl unrhyw drosedd, wedi’i riportio neu "
            "beidio.",
            "Y Samariaid: 116 123, unrhyw bryd, am ddim. Beth bynnag sy’n eich poeni.",
        ),
    }
}
"""Our own wording in languages other than English."""

TOLD = ("scheme_name", "eligibility", "introduction", "local_help_lines", "help_lines")
"""What is said in every language of the force; addresses and numbers may be the same in all of them."""


class OwnWording(Choices):
    """The force's wording in another language than English; what it leaves out is as in English, or ours."""

    scheme_name: ShortText | None = None
    eligibility: ShortText | None = None
    introduction: ShortText | None = None
    local_help_lines: tuple[ShortText, ...] | None = None
    help_lines: tuple[ShortText, ...] | None = None
    report_url: Address | None = None
    team_url: Address | None = None
    streetsafe_url: Address | None = None


class Translation(Choices):
    """The force in another language than English."""

    name: ShortText
    logo: ShortText | None = None
    """What the logo says, for those who do not see it."""
    wording: OwnWording = OwnWording()


class Logo(Choices):
    """The force's logo, shown in the header in front of its name."""

    file: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,40}\.(png|svg)$")]
    """Beside the policy."""
    text: ShortText
    """What it says, for those who do not see it."""


class WalkRules(Choices):
    """Who may walk, how long, how soon. Minimum length 0 means none is set (Avon and Somerset); the Met sets 30."""

    officers: tuple[OfficerKind, ...] = tuple(OfficerKind)
    minimum_minutes: Annotated[int, Field(ge=0, le=240)] = 0
    arrange_within: WorkingDays = 5
    take_within: WorkingDays = 2
    """Working days for somebody of the team to take a walk; then a coordinator is asked to see to it."""
    group_size: Annotated[int, Field(ge=1, le=10)] = 1
    nearby_teams_within_m: Annotated[int, Field(ge=0, le=20_000)] = 0
    """How far from the place another team's area may lie for that team to walk there, because she lives or works
    nearby; 0: only the team of the place."""
    check_in_after_minutes: Annotated[int, Field(ge=5, le=240)] = 30
    """After the end of an arranged walk its officers are asked whether they are back, and coordinators look."""


class TrainingRules(Choices):
    """What an officer must have been trained in to walk, and for how long that counts. As published, one session covers
    all of it and does not expire."""

    covers: Annotated[tuple[TrainingTopic, ...], Field(min_length=1)] = tuple(TrainingTopic)
    lasts_months: Annotated[int, Field(ge=1, le=120)] | None = None
    """After how many months a session has to be attended again."""
    tell_days_before: Annotated[int, Field(ge=0, le=365)] = 60
    """From when coordinators see that an officer's training expires soon."""


class SurveyRules(Choices):
    """When the survey goes out, hours after the walk ended; which answers worry us stands with the survey."""

    invite_after_hours: Annotated[int, Field(ge=0, le=720)] = 24


class FollowUpRules(Choices):
    """Working days until the call or visit is due."""

    same_day: WorkingDays = 0
    soon: WorkingDays = 2

    def within(self, urgency: Urgency) -> int:
        return self.same_day if urgency is Urgency.SAME_DAY else self.soon


class DisclosureRules(Choices):
    """Hours until reference and safeguarding of an alleged crime or intelligence are recorded. A crime is recorded
    within 24 hours of the first report (Home Office Counting Rules)."""

    record_within_hours: Annotated[int, Field(ge=1, le=168)] = 24
    keep_days: Annotated[int, Field(ge=365, le=3650)] = 2555
    """After both were recorded: past the six years after which the police look again at what they hold (Management of
    Police Information). Not under `retention`, whose report counts what it finds."""


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


class Maps(Choices):
    """Where maps come from. A request for a tile says where somebody looks, so tiles come from our own host or none do.

    Without tiles a map shows the force's areas as lines, and the postcodes around its middle.
    """

    tiles: Annotated[str, Field(pattern=r"^(/[a-z0-9][a-z0-9._-]*)+/\{z\}/\{x\}/\{y\}(\.[a-z]+)?$")] | None = None
    """A path of our own host, like /tiles/{z}/{x}/{y}.png."""
    credit: ShortText | None = None
    """Whose map the tiles are, as their licence asks for."""


class RequestRules(Choices):
    """Whether a request waits until it is confirmed by the link or the code in a message to her. One that somebody
    makes with her, or of a woman who chose no e-mail or text, does not wait."""

    confirm: Literal["none", "email-or-text"] = "none"
    confirm_within_hours: Annotated[int, Field(ge=6, le=336)] = 48
    """From when she may be written to; then all of it is erased."""


class Limits(Choices):
    """How often the same may come before it is refused for a while: by address, which a refuge, a campus or a mobile
    network shares, and by inbox."""

    forms_an_hour: Annotated[int, Field(ge=1)] = 1_000
    """Forms begun from one address."""
    requests_an_hour: Annotated[int, Field(ge=1)] = 300
    postcodes_an_hour: Annotated[int, Field(ge=1)] = 3_000
    map_looks_an_hour: Annotated[int, Field(ge=1)] = 20_000
    """A map asks once each time it comes to rest."""
    wrong_links_an_hour: Annotated[int, Field(ge=1)] = 300
    messages_a_day: Annotated[int, Field(ge=1)] = 5
    """To one address or number, before whoever reads them has done anything."""


class Retention(Choices):
    """For how many days what is kept. Nothing goes before its force's day is over, and nothing that is still open."""

    participant_days: Annotated[int, Field(ge=90, le=3650)] = 365
    """All that is held of a woman, after the last that happened to her request once it was over. A complaint about the
    police is to be made within twelve months; before ninety days the survey could not be answered."""
    unarranged_days: Annotated[int, Field(ge=90, le=3650)] = 365
    """The same where no walk came about and nothing was heard since: she has forgotten, or was forgotten."""
    message_days: Annotated[int, Field(ge=14, le=3650)] = 90
    """What was said in a message, after it left: long enough to answer her question. That it was sent stays."""
    letter_days: Annotated[int, Field(ge=14, le=3650)] = 60
    """A letter nobody posted: what it says no longer holds."""
    patrol_words_days: Annotated[int, Field(ge=7, le=3650)] = 90
    """What was heard on a patrol. That there was one, where and when, stays."""


class ForcePolicy(Choices):
    """All a force has chosen, by version."""

    force_id: ForceId
    version: Annotated[int, Field(ge=1)]
    name: ShortText
    hosts: tuple[Host, ...] = ()
    """Names of its own for the pages women see. Links use the first; the others still lead there."""
    colour: Colour = "#1d3c6e"
    """Of buttons, lines and the page before the form; white is read on it."""
    header_colour: Colour | None = None
    """Of the header; the same where it is left out."""
    logo: Logo | None = None
    languages: tuple[Language, ...] = ("en",)
    translations: Mapping[Language, Translation] = {}
    """The force's name and own wording in each of its languages but English."""
    wording: Wording = Wording()
    walks: WalkRules = WalkRules()
    training: TrainingRules = TrainingRules()
    surveys: SurveyRules = SurveyRules()
    follow_ups: FollowUpRules = FollowUpRules()
    disclosures: DisclosureRules = DisclosureRules()
    referrals: ReferralRules = ReferralRules()
    retention: Retention = Retention()
    limits: Limits = Limits()
    requests: RequestRules = RequestRules()
    partners: tuple[PartnerEntry, ...] = ()
    campaigns: tuple[Campaign, ...] = ()
    maps: Maps = Maps()

    def in_language(self, language: str) -> ForcePolicy:
        """The same policy with its name and wording in one of its languages; in English where it has no other."""
        told = self.translations.get(language)
        if told is None or language not in self.languages:
            return self
        own = {name: value for name in OwnWording.model_fields if (value := getattr(told.wording, name)) is not None}
        wording = self.wording.model_copy(update={**OURS.get(language, {}), **own})
        logo = self.logo and self.logo.model_copy(update={"text": told.logo or self.logo.text})
        return self.model_copy(update={"name": told.name, "wording": wording, "logo": logo})
