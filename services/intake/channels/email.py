"""Messages by e-mail: one connection a message, the message's id as Message-ID, so that a repeat can be recognised."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

import aiosmtplib

from services.intake.dependencies import Dependencies
from services.intake.handlers.messages import ToSend
from services.intake.messages.calendar import entry
from shared.sendings import Undeliverable


class Email:
    """The e-mail channel."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    async def send(self, found: ToSend, id_: UUID) -> None:
        """Send one message that the door has let through.

        :raises Undeliverable: her mail server will never take it.
        """
        deps = self._deps
        settings = deps.settings
        mail = self.written(found, id_)
        try:
            await aiosmtplib.send(mail, hostname=settings.smtp_host, port=settings.smtp_port, timeout=20)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(one.code >= 500 for one in refused.recipients):
                deps.keeping.metrics.message(found.kind, "failed")
                raise Undeliverable("her mail server does not take it") from None
            raise
        deps.keeping.metrics.message(found.kind, "sent")

    def written(self, found: ToSend, id_: UUID) -> EmailMessage:
        """The e-mail: plain text, the same as HTML, and an entry for her calendar where she wants one."""
        deps, now = self._deps, self._deps.clock()
        settings, policy = deps.settings, deps.policies[found.force_id]
        text = deps.words.email(found, deps.where_to_ask(found.force_id))
        address = settings.neutral_mail_from if found.neutral else settings.mail_from
        mail = EmailMessage(policy=SMTP)
        user, _, domain = address.rpartition("@")
        mail["From"] = Address(display_name=text.sender or "", username=user, domain=domain)
        mail["To"] = found.person.email
        mail["Subject"] = text.subject
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<{id_}@{domain if found.neutral else 'walkandtalk'}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(text.body, cte="quoted-printable")
        mail.add_alternative(text.html, subtype="html", cte="quoted-printable")
        if found.person.calendar and (kept := entry(found, address, now, minutes=policy.walks.minimum_minutes)):
            method, file = kept
            mail.add_alternative(
                file.decode(), subtype="calendar", params={"method": method}, cte="base64", filename="appointment.ics"
            )
        return mail
