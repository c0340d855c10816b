"""Writes docs/events.md from contracts and subscriptions: `python -m tests.architecture.events_page`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from shared.bus.topics import Topics
from shared.contracts.catalogue import EVENTS, SERVICES, parked_topic, writer_of
from shared.contracts.envelope import Event
from shared.contracts.generate import subscribed

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "events.md"
_HEAD = """\
# Events

<!-- Written by `python -m tests.architecture.events_page`; a test says when it is stale. -->

Every event there is. One service writes a topic; whoever is named under *read by* has a handler for it. Order is kept
for one key within a topic, and nowhere else. All are CloudEvents 1.0 in the binary mode of their Kafka protocol
binding: the attributes are headers (`ce_type` is `uk.police.walkandtalk.<event>.v1`), the key is the aggregate's id,
the value is the data as JSON and nothing else. Schemas stand in `deploy/schemas/`, AsyncAPI documents in
`deploy/asyncapi/`; each running service shows its own at `/asyncapi`.

Events marked *day* must not lead back to what caused them: they carry the day instead of the moment, a random id, and
no correlation, causation or trace.
"""

_FOOT = """
## Records nobody could read

| topic | written by | kept for |
|---|---|---|
{rows}

What a service cannot read or apply it parks: in its table `held`, and here with the original bytes, headers and the
reason. Nobody subscribes; people look (`walkandtalk parked list <service>`).
"""


def page() -> str:
    """The whole page."""
    topics = Topics.read(ROOT / "deploy" / "topics.yaml")
    consumed = {service: subscribed(service) for service in SERVICES}
    readers = {event: [name for name, taken in consumed.items() if event in taken] for event in EVENTS}
    parts = [_HEAD]
    for topic in dict.fromkeys(event.topic for event in EVENTS):
        mine = [event for event in EVENTS if event.topic == topic]
        parts.append(
            f"\n## `{topic}`\n\nWritten by {writer_of(mine[0])}, kept for {topics[topic].retention_days} days.\n\n"
        )
        parts.append("| event | key | read by | what it says |\n|---|---|---|---|\n")
        parts += [_row(event, readers[event]) for event in mine]
    rows = "\n".join(
        f"| `{parked_topic(service)}` | {service} | {topics[parked_topic(service)].retention_days} days |"
        for service in SERVICES
    )
    return "".join(parts) + _FOOT.format(rows=rows)


def _row(event: type[Event], readers: list[str]) -> str:
    said = (inspect.getdoc(event) or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
    # The field the key is made of, read from the property itself.
    key = re.findall(r"self\.(\w+)", inspect.getsource(inspect.getattr_static(event, "key").fget))[0]
    reads = "that partner's systems" if "{partner}" in event.topic else ", ".join(readers) or "nobody yet"
    day = "" if event.precise else " (*day*)"
    return f"| `{event.__name__}`{day} | `{key}` | {reads} | {said} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
