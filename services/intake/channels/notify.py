"""GOV.UK Notify: texts, and e-mail for forces that want it so; and what became of them.

A message is known there by its id and attempt. Before a call that was cut off is made again, Notify is asked whether it
took the message: perhaps sent is never guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import httpx
from joserfc import jwt
from joserfc.jwk import OctKey

from services.intake.channels.door import let_through
from services.intake.channels.email import Email
from services.intake.dependencies import Dependencies
from services.intake.domain.receipts import ASKED_EVERY, Account, Receipt
from services.intake.handlers import delivery
from services.intake.handlers.messages import ToSend
from services.intake.settings import NotifySender
from shared.sendings import NoLonger, NotYet, Undeliverable

PATIENCE: Final = 20.0
FULL_FOR: Final = timedelta(hours=1)
"""How long a service that has reached its limit of the day is left alone."""

_ADDRESS_FIELDS: Final = ("phone_number", "email_address")


class NotifyUnset(Exception):
    """A key or template that GOV.UK Notify does not know, or a trial account: somebody has to set it right."""


class NotifyClockWrong(Exception):
    """This machine's clock differs from GOV.UK Notify's by more than thirty seconds."""


class NotifyTooFast(Exception):
    """More messages a minute than GOV.UK Notify takes."""


class PerhapsSent(Exception):
    """GOV.UK Notify was asked and its answer did not come: whether it has the message is looked up."""


class NotifyClient:
    """The few calls of Notify's API that we make (its REST documentation)."""

    def __init__(self, url: str, clock: Callable[[], datetime], transport: httpx.AsyncBaseTransport | None = None):
        self._http = httpx.AsyncClient(base_url=url, timeout=PATIENCE, transport=transport)
        self._clock = clock

    async def send(self, sender: NotifySender, way: str, body: Mapping[str, Any]) -> UUID:
        """Notify's id of a message (`sms` or `email`) that it has taken.

        :raises Undeliverable: the address is none.
        :raises NotYet: the service has reached its limit of the day.
        :raises NotifyUnset, NotifyClockWrong, NotifyTooFast: it was certainly not taken.
        :raises PerhapsSent: nobody knows.
        """
        try:
            answer = await self._http.post(f"/v2/notifications/{way}", json=body, headers=self._headers(sender))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            raise
        except httpx.HTTPError as fault:
            raise PerhapsSent from fault
        if answer.status_code == 201:
            return UUID(answer.json()["id"])
        if answer.status_code >= 500:
            raise PerhapsSent
        raise self._refusal(answer)

    async def find(self, sender: NotifySender, reference: str) -> UUID | None:
        """Notify's id of the message it took under this reference, if it did."""
        answer = await self._http.get(
            "/v2/notifications", params={"reference": reference}, headers=self._headers(sender)
        )
        if answer.status_code != 200:
            raise self._refusal(answer)
        found = answer.json()["notifications"]
        return UUID(found[0]["id"]) if found else None

    async def status(self, sender: NotifySender, notify_id: UUID) -> tuple[str, str | None]:
        """(status, reference) of a message it has."""
        answer = await self._http.get(f"/v2/notifications/{notify_id}", headers=self._headers(sender))
        if answer.status_code == 404:
            raise NoLonger("GOV.UK Notify has forgotten it")
        if answer.status_code != 200:
            raise self._refusal(answer)
        return answer.json()["status"], answer.json().get("reference")

    def _headers(self, sender: NotifySender) -> dict[str, str]:
        claims = {"iss": sender.service, "iat": int(self._clock().timestamp())}
        token = jwt.encode({"alg": "HS256", "typ": "JWT"}, claims, OctKey.import_key(sender.secret))
        return {"Authorization": f"Bearer {token}"}

    def _refusal(self, answer: httpx.Response) -> Exception:
        """What an answer other than yes means. Notify repeats what was sent, so none of its words are kept."""
        try:
            errors = [(str(one["error"]), str(one["message"])) for one in answer.json()["errors"]]
        except (ValueError, KeyError, TypeError):
            errors = []
        kinds, said = {kind for kind, _ in errors}, " ".join(message for _, message in errors)
        if answer.status_code == 429:
            return NotYet(self._clock() + FULL_FOR) if "TooManyRequestsError" in kinds else NotifyTooFast()
        if answer.status_code in (401, 403):
            return NotifyClockWrong() if "clock" in said else NotifyUnset()
        if answer.status_code == 400 and "ValidationError" in kinds and any(name in said for name in _ADDRESS_FIELDS):
            return Undeliverable("GOV.UK Notify says that there is no such address")
        return (
            NotifyUnset()
            if answer.status_code < 500
            else httpx.HTTPStatusError("no answer", request=answer.request, response=answer)
        )


class Notify:
    """The channels that Notify serves."""

    def __init__(self, dependencies: Dependencies, email: Email) -> None:
        self._deps = dependencies
        self._smtp = email
        self._client = NotifyClient(dependencies.settings.notify_url, dependencies.clock)

    async def send_text(self, force_id: str, id_: UUID) -> None:
        """Send one text, by the rules of this moment.

        :raises Undeliverable: there is no such number, or the force can send such a text no longer.
        :raises NoLonger, NotYet: as let_through() says.
        """
        found = await let_through(self._deps, force_id, id_)
        account, sender = self._sender(found)
        if sender is None or sender.text_template is None:
            self._deps.keeping.metrics.message(found.kind, "failed")
            raise Undeliverable("texts are not set up here any more: an officer rings")
        body = {
            "phone_number": found.person.phone,
            "template_id": str(sender.text_template),
            "personalisation": {"body": self._deps.words.text(found, self._deps.where_to_ask(force_id))},
        }
        await self._send(found, id_, account, sender, "sms", body)

    async def send_email(self, force_id: str, id_: UUID) -> None:
        """Send one e-mail, by Notify where the force has a template for it there, else by SMTP.

        :raises Undeliverable: her mail server will never take it.
        :raises NoLonger, NotYet: as let_through() says.
        """
        found = await let_through(self._deps, force_id, id_)
        account, sender = self._sender(found)
        if sender is None or sender.email_template is None:
            await self._smtp.send(found, id_)
            return
        text = self._deps.words.email(found, self._deps.where_to_ask(force_id))
        body = {
            "email_address": found.person.email,
            "template_id": str(sender.email_template),
            "personalisation": {"subject": text.subject, "body": text.body},
        }
        await self._send(found, id_, account, sender, "email", body)

    async def ask_receipt(self, force_id: str, asking: UUID) -> None:
        """Ask what became of a message.

        :raises NotYet: Notify is still at it.
        :raises NoLonger: nothing more will be known.
        """
        deps, now = self._deps, self._deps.clock()
        async with deps.bus_database.transaction([force_id]) as tx:
            wanted = await delivery.to_ask(tx, force_id, asking, now)
        sender = self._account(force_id, wanted.account)
        if sender is None:
            raise NoLonger("its account is not set up here any more")
        status, reference = await self._client.status(sender, wanted.notify_id)
        if status in ("created", "sending", "pending"):
            raise NotYet(now + ASKED_EVERY)
        if status not in set(Receipt) or reference is None:
            raise NoLonger("no receipt comes for such a message")
        async with deps.bus_database.transaction([force_id]) as tx:
            await delivery.receive(tx, force_id, reference, Receipt(status), now, keeping=deps.keeping)

    async def _send(
        self, found: ToSend, id_: UUID, account: Account, sender: NotifySender, way: str, body: Mapping[str, Any]
    ) -> None:
        deps, force_id = self._deps, found.force_id
        async with deps.bus_database.transaction([force_id]) as tx:
            asking = await delivery.begin_asking(tx, force_id, id_, account, deps.clock())
        notify_id = None
        if asking.before is not None:
            before = self._account(force_id, asking.before)
            notify_id = await self._client.find(before, asking.reference) if before else None
            if notify_id is None:
                async with deps.bus_database.transaction([force_id]) as tx:
                    await delivery.ask_again(tx, force_id, id_, account, deps.clock())
        if notify_id is None:
            try:
                notify_id = await self._client.send(sender, way, {**body, "reference": asking.reference})
            except PerhapsSent:
                raise
            except Exception as fault:
                async with deps.bus_database.transaction([force_id]) as tx:
                    await delivery.not_taken(tx, force_id, id_)
                if isinstance(fault, Undeliverable):
                    deps.keeping.metrics.message(found.kind, "failed")
                raise
        async with deps.bus_database.transaction([force_id]) as tx:
            await delivery.taken(tx, force_id, id_, notify_id, deps.clock())
        deps.keeping.metrics.message(found.kind, "sent")

    def _sender(self, found: ToSend) -> tuple[Account, NotifySender | None]:
        account = Account.NEUTRAL if found.neutral else Account.NAMED
        return account, self._account(found.force_id, account)

    def _account(self, force_id: str, account: Account) -> NotifySender | None:
        held = self._deps.settings.notify.get(force_id)
        return held.sender(neutral=account is Account.NEUTRAL) if held else None
