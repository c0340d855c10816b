"""What has changed, as it may be published: exact tallies in, protected figures out. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.contracts.kinds import Reason, SurveyName
from shared.contracts.surveys import BASELINE, Question
from shared.disclosure import Figure, Row, protect, protect_row

BETTER, SAME, WORSE = "better", "same", "worse"
CHANGES: Final = {BETTER: "Better", SAME: "Same", WORSE: "Worse"}

REASONS: Final[Mapping[str, str]] = {
    Reason.NO_CCTV: "No CCTV",
    Reason.BADLY_LIT: "Badly lit",
    Reason.EMPTY_OR_ISOLATED: "Empty buildings or isolated",
    Reason.POOR_LAYOUT: "Poor street layout",
    Reason.RESTRICTED_VISIBILITY: "Restricted visibility",
    Reason.RUNDOWN: "Rundown",
    Reason.DRUGS_OR_ALCOHOL: "Signs of drug or alcohol use",
    Reason.OTHER_ENVIRONMENT: "Other, about the place",
    Reason.HARASSED_BY_ONE: "Verbal harassment by one stranger",
    Reason.HARASSED_BY_GROUP: "Verbal harassment by a group",
    Reason.FOLLOWED: "Being followed",
    Reason.OTHER_HARASSMENT: "Other harassment",
}
OUTCOMES: Final = {
    "open": "Not resolved yet",
    "done": "Something was done",
    "nothing-more": "Nothing more will be done",
}
SPEEDS: Final = {"week": "Within 7 days", "month": "8 to 28 days", "longer": "More than 28 days"}
STATES: Final = {
    "referred": "Waiting for an answer",
    "accepted": "Accepted",
    "investigating": "Investigating",
    "planned": "Planned",
    "partly-done": "Partly done",
    "monitoring": "Monitoring",
    "declined": "Declined",
    "done": "Something was done",
    "nothing-more": "Nothing more will be done",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What was counted, exactly. It is read for one purpose, evaluate(), and shown to nobody."""

    walks: int = 0
    women: int = 0
    finished: Mapping[str, int] = field(default_factory=dict)
    """Finished surveys by survey."""
    paired: int = 0
    """Pair ids with answers before and after."""
    changes: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    """Of those, how many by (question, answer before, answer after)."""
    concerns: Mapping[str, int] = field(default_factory=dict)
    outcomes: Mapping[str, int] = field(default_factory=dict)
    speeds: Mapping[str, int] = field(default_factory=dict)
    referrals: Mapping[str, int] = field(default_factory=dict)
    follow_ups_in_time: int = 0
    follow_ups_late: int = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One published count, and its share of its table in whole per cent where both are shown."""

    code: str
    label: str
    figure: Figure
    percent: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """Counts that add up, published together."""

    code: str
    title: str
    lines: tuple[Line, ...]
    total: Figure

    @property
    def empty(self) -> bool:
        return self.total.value == 0


@dataclass(frozen=True, slots=True)
class Change:
    """One question before and after, of the women who answered it both times."""

    code: str
    text: str
    change: Table
    before: Table
    after: Table


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All that leadership sees. Every figure in it is protected."""

    force_id: str
    walks_completed: Figure
    women_invited: Figure
    response: Table
    pairing: Table
    questions: tuple[Change, ...]
    concerns: Table
    outcomes: Table
    speeds: Table
    referrals: Table
    follow_ups: Table

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables beside the questions, in the order they are read."""
        return (
            self.response,
            self.pairing,
            self.concerns,
            self.outcomes,
            self.speeds,
            self.referrals,
            self.follow_ups,
        )


def compare(question: Question, before: str, after: str) -> str | None:
    """Whether an answer got better, stayed or got worse; None where one of the two stands outside the scale."""
    scale = question.scale()
    if before not in scale or after not in scale:
        return None
    step = scale.index(before) - scale.index(after)
    return BETTER if step > 0 else WORSE if step < 0 else SAME


def evaluate(force_id: str, tally: Tally) -> Evaluation:
    """What may be published of a tally."""
    after = tally.finished.get(SurveyName.AFTER_WALK, 0)
    before = tally.finished.get(SurveyName.BASELINE, 0)
    return Evaluation(
        force_id=force_id,
        walks_completed=protect(tally.walks),
        women_invited=protect(tally.women),
        response=_table(
            "response",
            "Surveys after the walk",
            {"received": "Received", "outstanding": "Not received"},
            {"received": after, "outstanding": max(0, tally.women - after)},
        ),
        pairing=_table(
            "pairing",
            "Answers before and after the walk",
            {"paired": "Before and after", "before-only": "Before only", "after-only": "After only"},
            {"paired": tally.paired, "before-only": before - tally.paired, "after-only": after - tally.paired},
        ),
        questions=tuple(_change(question, tally.changes) for question in BASELINE.questions),
        concerns=_table("concerns", "Concerns by category", REASONS, tally.concerns, skip_none=True),
        outcomes=_table("outcomes", "What became of the concerns", OUTCOMES, tally.outcomes),
        speeds=_table("speeds", "How long it took until something was done", SPEEDS, tally.speeds),
        referrals=_table("referrals", "Referrals to partners", STATES, tally.referrals, skip_none=True),
        follow_ups=_table(
            "follow-ups",
            "Calls and visits after a worrying answer",
            {"in-time": "In time", "late": "Late"},
            {"in-time": tally.follow_ups_in_time, "late": tally.follow_ups_late},
        ),
    )


def _change(question: Question, changes: Mapping[tuple[str, str, str], int]) -> Change:
    moved: Counter[str] = Counter()
    was: Counter[str] = Counter()
    is_now: Counter[str] = Counter()
    for (code, before, after), count in changes.items():
        found = compare(question, before, after) if code == question.code else None
        if found is not None:
            moved[found] += count
            was[before] += count
            is_now[after] += count
    labels = {choice.code: choice.label for choice in question.choices if choice.code in question.scale()}
    return Change(
        code=question.code,
        text=question.text,
        change=_table("change", "Change", CHANGES, moved),
        before=_table("before", "Before", labels, was),
        after=_table("after", "After", labels, is_now),
    )


def _table(
    code: str, title: str, labels: Mapping[str, str], counts: Mapping[str, int], *, skip_none: bool = False
) -> Table:
    """A protected table with a line a label, in their order; what has no label is counted under its own code."""
    named: Sequence[str] = [*labels, *sorted(set(counts) - set(labels))]
    shown = [key for key in named if counts.get(key, 0) or not skip_none]
    row: Row[str] = protect_row({str(key): max(0, counts.get(key, 0)) for key in shown})
    return Table(code, title, tuple(_lines(row, labels, shown)), row.total)


def _lines(row: Row[str], labels: Mapping[str, str], shown: Iterable[str]) -> Iterable[Line]:
    for key in shown:
        yield Line(str(key), labels.get(key, str(key)), row[str(key)], row.percent(str(key)))
