"""The words of every message: a plain text file a kind, form and language, from which the HTML is made.

`<kind>.txt` begins with the subject; `<kind>.neutral.txt` says neither police nor why, by e-mail and by text alike;
`<kind>.text.txt` is what fits a text. A force's own file of the same name takes the place of ours.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from jinja2 import ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from services.intake.domain.messages import MessageKind, tells
from services.intake.handlers.messages import ToSend
from services.intake.messages import dates
from shared.contracts.policy import ForcePolicy
from shared.policies import Policies, PolicyFault

OURS: Final = Path(__file__).parents[1] / "templates" / "messages"
FORMS: Final = ("", ".neutral", ".text")
LONGEST_TEXT: Final = 918
"""Characters of the longest text that GOV.UK Notify sends: six parts."""

_LINK: Final = re.compile(r"https?://[^\s<>\"]+")


@dataclass(frozen=True, slots=True)
class Text:
    """A message as it leaves."""

    subject: str
    body: str
    html: str
    sender: str | None
    """Whose name stands in front of the sender's address; None where it must tell nothing."""


class Piece(NamedTuple):
    """Some words of a line, or a link."""

    words: str
    link: bool


class Words:
    """All that can be said, in every force's own words."""

    def __init__(self, policies: Mapping[str, ForcePolicy], forces_dir: Path) -> None:
        self._policies = policies
        self._own = {force: forces_dir / force / "messages" for force in policies}
        self._texts = {force: _environment(own, escape=False) for force, own in self._own.items()}
        self._frames = {force: _environment(own, escape=True) for force, own in self._own.items()}

    @classmethod
    def read(cls, policies: Policies, forces_dir: Path) -> Words:
        """Read and try every message of every force.

        :raises PolicyFault: a file of a force has no meaning here, cannot be read as a template, asks for what is not
            known, is too long for a text, or is neutral and tells who writes; all faults are told at once.
        """
        found = cls(policies, forces_dir)
        faults = [fault for force in policies for fault in (*found._strangers(force), *found._trials(force))]
        if faults:
            raise PolicyFault("\n".join(faults))
        return found

    def email(self, message: ToSend, again: str) -> Text:
        """The message as an e-mail, by the language she asked in.

        :param again: where she can ask for another walk.
        """
        language = self._language(message)
        policy = self._policies[message.force_id].in_language(language)
        subject, _, body = self._written(message, again, ".neutral" if message.neutral else "").partition("\n")
        subject = " ".join(subject.split())
        body = body.strip() + "\n"
        frame = self._frames[message.force_id].get_template("frame.html")
        html = frame.render(language=language, subject=subject, paragraphs=_paragraphs(body))
        return Text(subject, body, html, None if message.neutral else policy.name)

    def text(self, message: ToSend, again: str) -> str:
        """The message as a text to her telephone."""
        if not message.neutral:
            return self._written(message, again, ".text").strip()
        return self._written(message, again, ".neutral").partition("\n")[2].strip()

    def _language(self, message: ToSend) -> str:
        offered = self._policies[message.force_id].languages
        asked = message.person.language
        return asked if asked in offered and asked in dates.LANGUAGES else "en"

    def _written(self, message: ToSend, again: str, form: str) -> str:
        language = self._language(message)
        policy = self._policies[message.force_id].in_language(language)
        shown = _shown(message.facts, language)
        if message.neutral:
            shown = {name: _unless_telling(value) for name, value in shown.items()}
        else:
            shown |= {
                "name": message.person.name,
                "force": policy.name,
                "scheme": policy.wording.scheme_name,
                "within": _within(policy, language),
                "again": _page(again, f"/{message.force_id}/", language),
            }
        template = self._texts[message.force_id].get_template(f"{language}/{message.kind}{form}.txt")
        return template.render(shown, reference=message.reference)

    def _strangers(self, force: str) -> Iterable[str]:
        """Files of a force that would never be used: a mistyped name."""
        known = {f"{language}/{name}" for language in dates.LANGUAGES for name in _names()} | {"frame.html"}
        own = self._own[force]
        for path in sorted(own.rglob("*")) if own.is_dir() else ():
            if path.is_file() and str(path.relative_to(own)) not in known:
                yield f"{path}: is not the name of a message; see docs/messages.md"

    def _trials(self, force: str) -> Iterable[str]:
        for language in dates.LANGUAGES:
            if language == "en" or language in self._policies[force].languages:
                for kind in MessageKind:
                    for form in FORMS:
                        yield from self._tried(force, language, kind, form)

    def _tried(self, force: str, language: str, kind: MessageKind, form: str) -> Iterable[str]:
        name = f"{language}/{kind}{form}.txt"
        where = self._own[force] / name if (self._own[force] / name).is_file() else OURS / name
        policy = self._policies[force].in_language(language)
        for resolution in ("done", "nothing-more") if kind is MessageKind.DONE else ("done",):
            facts = {name: SAMPLE[name] for name in FACTS[kind]} | {"resolution": resolution}
            shown = _shown(facts, language) | {"reference": "WT-7KF3-92QX"}
            if form != ".neutral":
                shown |= {"name": "Ada", "force": policy.name, "scheme": policy.wording.scheme_name}
                shown |= {"within": _within(policy, language), "again": "https://example.com/"}
            try:
                said = self._texts[force].get_template(name).render(shown)
            except TemplateError as fault:
                yield f"{where}: {fault.message or type(fault).__name__}"
                return
            subject, _, body = said.strip().partition("\n")
            if not subject or (form != ".text" and not body.strip()):
                yield f"{where}: begins with the subject on a line of its own, and the message below it"
            if form == ".text" and len(said) > LONGEST_TEXT:
                yield f"{where}: is too long for a text ({len(said)} characters, {LONGEST_TEXT} at most)"
            named = (policy.name, policy.wording.scheme_name)
            if form == ".neutral" and (tells(said) or any(one.lower() in said.lower() for one in named)):
                yield f"{where}: is neutral, and must not say who writes or why"


SAMPLE: Final[Mapping[str, Any]] = {
    "link": "https://example.com/" + "a" * 150,
    "starts_at": datetime(2026, 9, 30, 17, 30, tzinfo=UTC).isoformat(),
    "times": [datetime(2026, 9, 30, hour, 30, tzinfo=UTC).isoformat() for hour in range(9, 14)],
    "meeting_place": "By the steps of the library in the High Street",
    "until": datetime(2026, 10, 30, tzinfo=UTC).isoformat(),
    "code": "019305",
    "words": "The lamp was mended.",
    "partner": "Example City Council",
}
"""What a template is tried with at start."""

_WALK: Final = ("starts_at", "meeting_place", "link")
FACTS: Final[Mapping[MessageKind, tuple[str, ...]]] = {
    MessageKind.CONFIRM: ("link", "code"),
    MessageKind.CONFIRMATION: ("link",),
    MessageKind.PROPOSED: ("times", "meeting_place", "until", "link"),
    MessageKind.ARRANGED: _WALK,
    MessageKind.MOVED: _WALK,
    MessageKind.AGAIN: ("link",),
    MessageKind.CANCELLED: (),
    MessageKind.REMINDER: _WALK,
    MessageKind.SURVEY: ("link", "until"),
    MessageKind.DONE: ("words", "partner"),
}
"""What each kind knows, beside the reference, whether it was done, and in words that are not neutral who she is."""


def _names() -> list[str]:
    return [f"{kind}{form}.txt" for kind in MessageKind for form in FORMS]


def _environment(own: Path, *, escape: bool) -> ImmutableSandboxedEnvironment:
    # Plain text has no mark-up to escape, and an escaped name would be misspelt in her mailbox.
    return ImmutableSandboxedEnvironment(
        loader=ChoiceLoader([FileSystemLoader(own), FileSystemLoader(OURS)]),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _shown(facts: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Facts as templates show them: times in words."""
    shown = dict(facts)
    if "link" in facts:
        # Of her own pages alone; a survey is another service's.
        shown["link"] = _page(_page(facts["link"], "/your-request/", language), "/confirm/", language)
    if "starts_at" in facts:
        shown["when"] = dates.when(datetime.fromisoformat(facts["starts_at"]), language)
    if "times" in facts:
        shown["times"] = [dates.when(datetime.fromisoformat(one), language) for one in facts["times"]]
    if "until" in facts:
        shown["until"] = dates.date(datetime.fromisoformat(facts["until"]), language)
    return shown


def _page(address: str, path: str, language: str) -> str:
    """The address of a page of ours in the language of the message; any other address as it is."""
    return address if language == "en" else address.replace(path, f"/{language}{path}", 1)


def _unless_telling(value: Any) -> Any:
    """Words from elsewhere, and links, are left out where they would give away who is writing."""
    return None if isinstance(value, str) and tells(value) else value


def _within(policy: ForcePolicy, language: str) -> str:
    days = policy.walks.arrange_within
    if not days:
        return ""
    if language == "cy":
        return f", fel arfer o fewn {days} diwrnod gwaith"
    return f", usually within {days} working {'day' if days == 1 else 'days'}"


def _paragraphs(body: str) -> list[list[list[Piece]]]:
    """Paragraphs of lines of pieces, as the frame sets them."""
    blocks = re.split(r"\n\s*\n", body.strip())
    return [[_pieces(line) for line in block.splitlines()] for block in blocks]


def _pieces(line: str) -> list[Piece]:
    found, at = [], 0
    for match in _LINK.finditer(line):
        found += [Piece(line[at : match.start()], False), Piece(match[0], True)]
        at = match.end()
    return [*found, Piece(line[at:], False)]


def main(folder: Path) -> int:
    """Read and try the messages of every force as a start would, and say what is wrong; what a program exits with."""
    try:
        Words.read(Policies.read(folder), folder)
    except PolicyFault as fault:
        sys.stderr.write(f"{fault}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
