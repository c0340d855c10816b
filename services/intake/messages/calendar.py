"""The entry for her calendar (RFC 5545, RFC 5546): one a walk of hers, which later messages change or cancel."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from icalendar import Alarm, Calendar, Event, vCalAddress

from services.intake.domain.messages import MessageKind, tells
from services.intake.handlers.messages import ToSend
from shared.working_days import london

USUAL: Final = timedelta(hours=1)
"""How long an entry lasts where the force sets no length."""

_TITLES: Final = {
    "en": ("Walk with an officer", "Appointment"),
    "cy": ("Tro gyda swyddog", "Apwyntiad"),
}


def entry(message: ToSend, sender: str, now: datetime, *, minutes: int = 0) -> tuple[str, bytes] | None:
    """(method, file) for her calendar; None for messages that are of no walk of hers.

    The identity is the same for all messages of one walk, the sequence rises with each, so that a later file updates
    the entry. Nobody's address stands in it but hers and the sender's.
    """
    kept = message.facts.get("calendar")
    if kept is None or message.person.email is None:
        return None
    cancelled = message.kind in (MessageKind.CANCELLED, MessageKind.AGAIN)
    method = "CANCEL" if cancelled else "REQUEST"
    language = message.person.language if message.person.language in _TITLES else "en"
    file, event = Calendar(), Event()
    file.add("prodid", "-//Appointments//EN")
    file.add("version", "2.0")
    file.add("method", method)
    event.add("uid", str(UUID(kept["uid"])))
    event.add("sequence", kept["sequence"])
    event.add("dtstamp", now)
    event.add("status", "CANCELLED" if cancelled else "CONFIRMED")
    event.add("summary", _TITLES[language][message.neutral])
    event.add("class", "PRIVATE")
    event.add("organizer", vCalAddress(f"mailto:{sender}"))
    event.add("attendee", vCalAddress(f"mailto:{message.person.email}"))
    if not cancelled:
        starts_at = datetime.fromisoformat(message.facts["starts_at"])
        event.add("dtstart", london(starts_at))
        event.add("dtend", london(starts_at + (timedelta(minutes=minutes) if minutes else USUAL)))
        place = message.facts["meeting_place"]
        if not (message.neutral and tells(place)):
            event.add("location", place)
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _TITLES[language][message.neutral])
        alarm.add("trigger", timedelta(hours=-2))
        event.add_component(alarm)
    file.add_component(event)
    file.add_missing_timezones()
    return method, file.to_ical()
