"""E-mail to an officer: that there is work, and a link to it. Nothing in it is hers, and nothing says where or when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from uuid import UUID

import aiosmtplib

from services.assignment.domain.telling import News
from services.assignment.handlers import telling
from services.assignment.handlers.telling import Letter
from shared.database import Database
from shared.sendings import NoLonger, Undeliverable
from shared.settings import ServiceSettings
from shared.working_days import london

SAID: Final = {
    News.WAITING: "A walk waits for an officer of your team",
    News.GIVEN: "A walk was given to you",
    News.CHOSEN: "A time was chosen: the walk is arranged",
    News.NONE_SUITS: "None of the times you proposed can be kept: propose others",
    News.CHANGED: "A walk of yours has changed",
    News.CANCELLED: "A walk of yours was cancelled",
    News.ESCALATED: "A walk waits for a coordinator",
    News.NOT_BACK: "Officers have not said that they are back from a walk: reach them now",
}


class Email:
    """Sends what stands in `notice`, all that is due to one person in one message."""

    def __init__(self, database: Database, settings: ServiceSettings, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._settings = settings
        self._clock = clock

    async def send(self, force_id: str, id_: UUID) -> None:
        """Send one notice, with what else is due to the same person.

        :raises NoLonger: it was told already, or may not be told any more.
        :raises Undeliverable: the mail server will never take it.
        """
        async with self._database.transaction([force_id]) as tx:
            letter = await telling.letter(tx, force_id, id_, self._clock())
        if letter is None:
            raise NoLonger("it was told already, or is not to be told any more")
        mail = EmailMessage(policy=SMTP)
        mail["From"] = self._settings.mail_from
        mail["To"] = letter.email
        mail["Subject"] = "Walk and Talk: new or changed work"
        mail["Date"] = format_datetime(london(self._clock()))
        mail["Message-ID"] = f"<{id_}@walkandtalk>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content("\n".join(body(letter, self._settings.assignment_url.rstrip("/"))), cte="quoted-printable")
        try:
            await aiosmtplib.send(mail, hostname=self._settings.smtp_host, port=self._settings.smtp_port, timeout=20)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(one.code >= 500 for one in refused.recipients):
                await self._told(force_id, letter)
                raise Undeliverable("the officer's mail server does not take it") from None
            raise
        await self._told(force_id, letter)

    async def _told(self, force_id: str, letter: Letter) -> None:
        async with self._database.transaction([force_id]) as tx:
            await telling.told(tx, force_id, letter.notices)


def body(letter: Letter, address: str) -> Sequence[str]:
    """The lines of the text: what happened, and where to read of it after signing in."""
    lines = [f"{SAID[news]}: {address}/walks/{walk_id}" for news, walk_id in letter.news]
    return [*lines, "", "You will be asked to sign in.", f"How you are told: {address}/telling"]
