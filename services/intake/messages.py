"""The words of every message: one plain text file a kind, and a neutral one that says neither police nor why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from services.intake.domain.messages import MessageKind, says_police
from services.intake.handlers.messages import ToSend
from shared.contracts.policy import ForcePolicy
from shared.web.pages import when
from shared.working_days import london

# Plain text has no mark-up to escape, and an escaped name would be misspelt in her mailbox.
_TEXTS: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates" / "messages"),
    autoescape=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Text:
    """A message as it leaves."""

    subject: str
    body: str
    sender: str | None
    """Whose name stands in front of the sender's address; None where it must tell nothing."""


def written(message: ToSend, policy: ForcePolicy, request_url: str) -> Text:
    """Put a message into words.

    :param request_url: where she can ask for another walk.
    """
    shown = _shown(message.kind, message.facts)
    if message.neutral:
        shown = {name: _unless_telling(name, value) for name, value in shown.items()}
        name = f"{message.kind}.neutral.txt"
    else:
        shown |= {
            "name": message.person.name,
            "force": policy.name,
            "scheme": policy.wording.scheme_name,
            "within": _within(policy),
            "again": request_url,
        }
        name = f"{message.kind}.txt"
    subject, _, body = _TEXTS.get_template(name).render(shown, reference=message.reference).partition("\n")
    return Text(" ".join(subject.split()), body.strip() + "\n", None if message.neutral else policy.name)


def _shown(kind: MessageKind, facts: Mapping[str, Any]) -> dict[str, Any]:
    shown = dict(facts)
    if kind is MessageKind.ARRANGED:
        shown["when"] = when(datetime.fromisoformat(facts["starts_at"]))
    if kind is MessageKind.SURVEY:
        until = london(datetime.fromisoformat(facts["until"]))
        shown["until"] = f"{until.day} {until:%B %Y}"
    return shown


def _unless_telling(name: str, value: Any) -> Any:
    """Words from elsewhere are left out where they would give away who is writing; links are ours."""
    telling = name != "link" and isinstance(value, str) and says_police(value)
    return None if telling else value


def _within(policy: ForcePolicy) -> str:
    days = policy.walks.arrange_within
    return f", usually within {days} working {'day' if days == 1 else 'days'}" if days else ""
