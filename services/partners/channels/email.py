"""E-mail to a partner: what was referred, in plain text, with a link to its page; at least once, one Message-ID."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

import aiosmtplib

from services.partners import handlers, wording
from services.partners.domain import OPEN, Letter
from shared.database import Database
from shared.sendings import Undeliverable
from shared.settings import ServiceSettings
from shared.web.pages import day
from shared.working_days import london


class Email:
    """Sends what stands in `delivery`; nothing it says leads back to a participant, a request or a walk."""

    def __init__(self, database: Database, settings: ServiceSettings, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def send(self, force_id: str, id_: UUID) -> None:
        """Send one delivery.

        :raises Undeliverable: it is not to be sent any more, or the partner's mail server will never take it.
        """
        async with self._database.transaction([force_id]) as tx:
            letter = await handlers.letter(tx, id_)
        if letter is None or letter.email is None:
            raise Undeliverable("no address")
        if letter.kind != "withdrawn" and letter.state not in OPEN:
            raise Undeliverable("closed before it was sent")
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._settings.mail_from
        mail["To"] = letter.email
        mail["Subject"] = subject(letter)
        mail["Date"] = format_datetime(london(self._clock()))
        mail["Message-ID"] = f"<{id_}@walkandtalk>"
        mail["Auto-Submitted"] = "auto-generated"
        link = f"{self._settings.partners_url.rstrip('/')}/referrals/{letter.reference}"
        mail.set_content("\n".join(body(letter, link)), cte="quoted-printable")
        try:
            await aiosmtplib.send(mail, hostname=self._settings.smtp_host, port=self._settings.smtp_port, timeout=20)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(one.code >= 500 for one in refused.recipients):
                raise Undeliverable("the partner's mail server does not take it") from None
            raise


def subject(letter: Letter) -> str:
    """Says what it is about, without anybody's words."""
    words = wording.CATEGORIES[letter.concern.category]
    what = words[0].lower() + words[1:]
    match letter.kind:
        case "withdrawn":
            return f"No longer needed: {what}, {letter.concern.area_name}"
        case "reminder":
            return f"Please answer: {what}, {letter.concern.area_name}"
        case _:
            return f"A place where women feel unsafe: {what}, {letter.concern.area_name}"


def body(letter: Letter, link: str) -> Sequence[str]:
    """The lines of the text."""
    concern = letter.concern
    lines = [f"To {letter.partner_name}", ""]
    if letter.kind == "withdrawn":
        lines += [
            "The neighbourhood team has taken back a concern that was referred to you. You do not need to act on it.",
            "",
            f"Reference: {letter.reference}",
            f"Your page: {link}",
        ]
        return lines
    if letter.kind == "reminder":
        lines += ["We have not heard yet whether you can act on this concern.", ""]
    else:
        lines += [
            "On a Walk and Talk a woman showed an officer a place where she feels unsafe.",
            "We refer it to you under our agreement. Please tell us whether you can act on it.",
            "",
        ]
    lines += [
        f"Reference: {letter.reference}",
        f"What: {wording.CATEGORIES[concern.category]}",
        f"Area: {concern.area_name}",
    ]
    if concern.place_name:
        lines.append(f"Place: {concern.place_name}")
    lines.append(f"Latitude and longitude: {concern.place.latitude:.6f}, {concern.place.longitude:.6f}")
    if concern.time_of_day:
        lines.append(f"Time of day: {wording.TIMES[concern.time_of_day]}")
    lines += [
        f"Severity: {wording.SEVERITIES[concern.severity]}",
        f"Seen on: {day(concern.raised_on)}",
        f"Please answer by: {day(letter.respond_by)}",
    ]
    if concern.words:
        lines += ["", "What was said, as passed for sharing:", "", concern.words]
    lines += ["", f"Accept, decline or update it here (sign in): {link}"]
    return lines
