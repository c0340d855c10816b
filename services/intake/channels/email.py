"""Messages by e-mail: one connection a message, the message's id as Message-ID, so that a repeat can be recognised."""

from __future__ import annotations

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from uuid import UUID

import aiosmtplib

from services.intake import messages
from services.intake.dependencies import Dependencies
from services.intake.handlers.messages import message_to_send
from shared.sendings import Undeliverable


class Email:
    """The e-mail channel."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._deps = dependencies

    async def send(self, force_id: str, id_: UUID) -> None:
        """Send one message, by the rules of this moment.

        :raises Undeliverable: her rules let it pass no longer, or her mail server will never take it.
        :raises NotYet: not at this hour.
        """
        deps = self._deps
        now = deps.clock()
        async with deps.bus_database.transaction([force_id]) as tx:
            found = await message_to_send(tx, force_id, id_, now, keeping=deps.keeping)
        if found.person.email is None:
            raise Undeliverable("no address")
        settings = deps.settings
        text = messages.written(found, deps.policies[force_id], f"{settings.intake_url}/{force_id}/")
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
        try:
            await aiosmtplib.send(mail, hostname=settings.smtp_host, port=settings.smtp_port, timeout=20)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            if all(one.code >= 500 for one in refused.recipients):
                deps.keeping.metrics.message(found.kind, "failed")
                raise Undeliverable("her mail server does not take it") from None
            raise
        deps.keeping.metrics.message(found.kind, "sent")
