"""Texts and e-mail by GOV.UK Notify: what it takes, what it refuses, what is perhaps sent, what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from pydantic import SecretStr

from services.intake.domain.receipts import asking_id, reference_of
from services.intake.settings import NotifyAccount, NotifySender
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service
from tests.servers.notify_double import NotifyDouble, Service, notify_double

TOKEN = " ".join(["a token", "that nobody else has"])
TEXTS = {"channels": ["text"], "phone": "07700 900982", "email": None}
NUMBER = "07700 900982"


@pytest.fixture(scope="module")
def server() -> Iterator[NotifyDouble]:
    with notify_double() as double:
        yield double


@pytest.fixture
def notify(server: NotifyDouble) -> NotifyDouble:
    """Notify as if nothing had happened yet."""
    for kept in (server.taken, server.faults, server.calls):
        kept.clear()
    return server


def sender(service: Service, *, email: bool = False, **changed: Any) -> NotifySender:
    given = {
        "key": SecretStr(service.key),
        "text_template": service.text_template,
        "email_template": service.email_template if email else None,
    }
    return NotifySender.model_validate({**given, **changed})


def account(notify: NotifyDouble, *, email: bool = False, **changed: Any) -> dict[str, NotifyAccount]:
    found = NotifyAccount(
        named=sender(notify.named, email=email, **changed),
        neutral=sender(notify.neutral, email=email),
        receipts_token=SecretStr(TOKEN),
    )
    return {FORCE: found}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker, notify: NotifyDouble) -> AsyncIterator[Intake]:
    async with intake_service(database, notify_url=notify.url, notify=account(notify)) as service:
        notify.clock = lambda: service.now.timestamp()
        yield service


async def fate(intake: Intake) -> tuple[str, str | None, str | None]:
    """(state, fault, receipt) of the one message."""
    [row] = await intake.rows(
        "SELECT s.state, s.fault, m.receipt FROM message m JOIN sending s ON s.force_id = m.force_id AND s.id = m.id"
    )
    return row["state"], row["fault"], row["receipt"]


async def pass_by(intake: Intake, **time: float) -> None:
    """Let time pass, and send what is due then."""
    intake.now += timedelta(**time)
    await intake.sender.send_due()


async def test_who_wants_texts_is_sent_a_text(intake: Intake, notify: NotifyDouble) -> None:
    """By the service that names the force, under the message's own reference."""
    asked = await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    [text] = notify.to(NUMBER)
    assert text["service"] == "police-walks" and text["type"] == "sms"
    assert text["body"].startswith("Avon and Somerset Police: ") and asked["reference"] in text["body"]
    assert text["reference"] == reference_of(await intake.one("SELECT id FROM message"), 1)
    assert await fate(intake) == ("sent", None, None)


async def test_a_neutral_text_comes_from_a_service_that_tells_nothing(intake: Intake, notify: NotifyDouble) -> None:
    """Notify shows the name of the service: it is another one, and so are the words."""
    await intake.ask(contact={**TEXTS, "may_say_police": False})
    await intake.sender.send_due()
    [text] = notify.to(NUMBER)
    assert text["service"] == "appointments"
    assert "police" not in text["body"].lower() and "walk" not in text["body"].lower()


async def test_without_an_account_texts_are_refused_with_the_reason(database: ServiceDatabaseMaker) -> None:
    """An officer rings instead, and can see why."""
    async with intake_service(database) as intake:
        await intake.ask(contact=TEXTS)
        assert await intake.messages() == [("confirmation", "texts are not set up here: an officer rings")]


async def test_without_a_neutral_service_a_neutral_text_is_refused(
    database: ServiceDatabaseMaker, notify: NotifyDouble
) -> None:
    """Better no text than one that tells."""
    only_named = {FORCE: NotifyAccount(named=sender(notify.named))}
    async with intake_service(database, notify_url=notify.url, notify=only_named) as intake:
        await intake.ask(contact={**TEXTS, "may_say_police": False})
        assert await intake.messages() == [("confirmation", "texts are not set up here: an officer rings")]
        await intake.sender.send_due()
    assert notify.taken == []


async def test_email_goes_by_notify_where_the_force_has_a_template_there(
    database: ServiceDatabaseMaker, notify: NotifyDouble
) -> None:
    """Subject and words are ours; the template holds nothing else."""
    async with intake_service(database, notify_url=notify.url, notify=account(notify, email=True)) as intake:
        notify.clock = lambda: intake.now.timestamp()
        asked = await intake.ask()
        await intake.sender.send_due()
    [mail] = notify.to("ada@example.com")
    assert mail["subject"] == f"We have your Walk and Talk request {asked['reference']}"
    assert mail["body"].startswith("Hello Ada,")


async def test_a_number_that_is_none_is_given_up_at_once(intake: Intake, notify: NotifyDouble) -> None:
    """Notify says so: staff see it, nothing is tried again."""
    await intake.ask(contact={**TEXTS, "phone": "+99 1234567890"})
    await intake.sender.send_due()
    assert await fate(intake) == ("failed", "GOV.UK Notify says that there is no such address", None)
    await pass_by(intake, days=1)
    assert notify.calls == ["POST sms"]


async def test_what_somebody_has_to_set_right_is_tried_until_it_is(
    database: ServiceDatabaseMaker, notify: NotifyDouble
) -> None:
    """A template nobody knows: no woman's message is lost by it."""
    wrong = account(notify, text_template=uuid4())
    async with intake_service(database, notify_url=notify.url, notify=wrong) as intake:
        notify.clock = lambda: intake.now.timestamp()
        await intake.ask(contact=TEXTS)
        await intake.sender.send_due()
        assert await fate(intake) == ("due", "NotifyUnset", None)
        notify.named.text_template = wrong[FORCE].named.text_template  # type: ignore[union-attr, assignment] # is set
        await pass_by(intake, minutes=5)
        assert await fate(intake) == ("sent", None, None)
        assert "GET by reference" not in notify.calls, "what was certainly refused is not looked up"


async def test_a_key_that_notify_does_not_know_is_told_as_that(
    database: ServiceDatabaseMaker, notify: NotifyDouble
) -> None:
    """403 by its reason: the key, or the clock of this machine."""
    stranger = {FORCE: NotifyAccount(named=sender(Service("stranger")))}
    async with intake_service(database, notify_url=notify.url, notify=stranger) as intake:
        notify.clock = lambda: intake.now.timestamp()
        await intake.ask(contact=TEXTS)
        await intake.sender.send_due()
        assert await fate(intake) == ("due", "NotifyUnset", None)


async def test_a_clock_that_is_wrong_is_told_as_that(intake: Intake, notify: NotifyDouble) -> None:
    """Notify allows thirty seconds."""
    notify.clock = lambda: intake.now.timestamp() + 31
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await fate(intake) == ("due", "NotifyClockWrong", None)
    notify.clock = lambda: intake.now.timestamp() - 29
    await pass_by(intake, minutes=1)
    assert await fate(intake) == ("sent", None, None)


async def test_too_fast_is_tried_again_and_the_limit_of_the_day_is_waited_for(
    intake: Intake, notify: NotifyDouble
) -> None:
    """429 twice: within a minute for the one, an hour for the other; sent once."""
    notify.faults += ["429", "limit"]
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await fate(intake) == ("due", "NotifyTooFast", None)
    await pass_by(intake, minutes=1)
    await pass_by(intake, minutes=59)
    assert notify.taken == []
    await pass_by(intake, minutes=2)
    assert len(notify.taken) == 1


@pytest.mark.parametrize("fault", ["500", "drop", "taken and 500", "taken and drop"])
async def test_what_is_perhaps_sent_is_looked_up_before_it_is_sent_again(
    intake: Intake, notify: NotifyDouble, fault: str
) -> None:
    """Whether Notify took it or not: she gets one text, and nothing is sent blindly."""
    notify.faults.append(fault)
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await fate(intake) == ("due", "PerhapsSent", None)
    await pass_by(intake, minutes=1)
    assert notify.calls == ["POST sms"], "a call that was cut off may still be on its way"
    await pass_by(intake, minutes=5)
    assert notify.calls == ["POST sms", "GET by reference", *(["POST sms"] if "taken" not in fault else [])]
    assert len(notify.to(NUMBER)) == 1
    assert await fate(intake) == ("sent", None, None)


async def test_a_process_that_dies_after_notify_took_it_sends_no_second(intake: Intake, notify: NotifyDouble) -> None:
    """What was taken and not written down is found by its reference."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    await intake.admin.execute("UPDATE sending SET state = 'due', ended_at = NULL WHERE channel = 'text'")
    await intake.admin.execute("UPDATE message SET asked_at = $1, notify_id = NULL", intake.now)
    await pass_by(intake, minutes=3)
    assert len(notify.to(NUMBER)) == 1
    assert await intake.one("SELECT notify_id FROM message") == UUID(notify.taken[0]["id"])


async def tell(intake: Intake, body: dict[str, Any], token: str = TOKEN, force: str = FORCE) -> int:
    async with intake.client(authorization=f"Bearer {token}") as client:
        return (await client.post(f"/api/v1/forces/{force}/receipts", json=body)).status_code


def receipt(notify: NotifyDouble, status: str) -> dict[str, Any]:
    """As Notify tells it."""
    last = notify.taken[-1]
    return {
        "id": last["id"],
        "reference": last["reference"],
        "to": last["phone_number"],
        "status": status,
        "created_at": last["created_at"],
        "notification_type": "sms",
        "template_id": str(uuid4()),
        "template_version": 1,
    }


async def test_a_receipt_is_kept_and_repeated_ones_change_nothing(intake: Intake, notify: NotifyDouble) -> None:
    """Delivered is delivered, whatever is told later; nobody asks any more."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await tell(intake, receipt(notify, "delivered")) == 204
    assert await tell(intake, receipt(notify, "permanent-failure")) == 204
    assert await fate(intake) == ("sent", None, "delivered")
    await pass_by(intake, hours=2)
    assert "GET one" not in notify.calls


async def test_a_receipt_that_comes_before_the_answer_counts(intake: Intake, notify: NotifyDouble) -> None:
    """The call was cut off, Notify delivered, and told so: nothing is sent again."""
    notify.faults.append("taken and drop")
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await tell(intake, receipt(notify, "delivered")) == 204
    await pass_by(intake, minutes=10)
    assert notify.calls == ["POST sms"]
    assert await fate(intake) == ("sent", None, "delivered")


async def test_a_message_that_will_never_arrive_counts_as_failed(intake: Intake, notify: NotifyDouble) -> None:
    """The coordinator has to see that she does not know."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await tell(intake, receipt(notify, "permanent-failure")) == 204
    assert await fate(intake) == ("failed", "permanent-failure", "permanent-failure")


async def test_a_telephone_switched_off_is_tried_again_twice(intake: Intake, notify: NotifyDouble) -> None:
    """After half an hour and six hours, each under a reference of its own; then it has failed. A late receipt of an
    earlier attempt changes nothing."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    first = receipt(notify, "temporary-failure")
    assert await tell(intake, first) == 204
    await pass_by(intake, minutes=29)
    assert len(notify.taken) == 1
    await pass_by(intake, minutes=1)
    assert [one["reference"][-2:] for one in notify.taken] == [".1", ".2"]
    assert await tell(intake, first) == 204
    assert await fate(intake) == ("sent", None, None)
    assert await tell(intake, receipt(notify, "temporary-failure")) == 204
    await pass_by(intake, hours=6)
    assert await tell(intake, receipt(notify, "temporary-failure")) == 204
    assert len(notify.taken) == 3
    assert await fate(intake) == ("failed", "temporary-failure", "temporary-failure")


async def test_what_did_not_arrive_is_not_tried_again_once_contact_is_stopped(
    intake: Intake, notify: NotifyDouble
) -> None:
    """Every attempt goes through the door."""
    asked = await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await tell(intake, receipt(notify, "temporary-failure")) == 204
    await intake.admin.execute("UPDATE walk_request SET state = 'withdrawn' WHERE id = $1", UUID(asked["request_id"]))
    await pass_by(intake, hours=1)
    assert len(notify.taken) == 1
    assert await fate(intake) == ("cancelled", "request withdrawn", None)


@pytest.mark.parametrize("status", ["delivered", "permanent-failure"])
async def test_without_receipts_notify_is_asked(intake: Intake, notify: NotifyDouble, status: str) -> None:
    """Once an hour until it knows, and no longer than four days."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    await pass_by(intake, hours=1)
    assert notify.calls == ["POST sms", "GET one"]
    notify.taken[0]["status"] = status
    await pass_by(intake, hours=1)
    assert (await fate(intake))[2] == status
    await pass_by(intake, hours=1)
    assert notify.calls == ["POST sms", "GET one", "GET one"]


async def test_asking_ends_after_four_days(intake: Intake, notify: NotifyDouble) -> None:
    """Some networks tell nothing."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    await pass_by(intake, days=4, hours=1)
    await pass_by(intake, days=1)
    asking = asking_id(await intake.one("SELECT id FROM message"))
    assert await intake.one("SELECT state FROM sending WHERE id = $1", asking) == "cancelled"
    assert notify.calls == ["POST sms"]


@pytest.mark.parametrize(
    ("token", "force"), [("", FORCE), ("another token of this length", FORCE), (TOKEN, "metropolitan"), (TOKEN, "none")]
)
async def test_receipts_are_taken_from_whoever_has_the_token(
    intake: Intake, notify: NotifyDouble, token: str, force: str
) -> None:
    """Anybody else is told that there is nothing here."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await tell(intake, receipt(notify, "permanent-failure"), token, force) == 404
    assert (await fate(intake))[2] is None


@pytest.mark.parametrize(
    "reference", [None, "", "none of ours", f"{uuid4()}.1", f"{uuid4()}.x", f"{uuid4()}", "é.1", "1" * 100]
)
async def test_a_receipt_of_something_else_changes_nothing(
    intake: Intake, notify: NotifyDouble, reference: str | None
) -> None:
    """The account may send other things too."""
    await intake.ask(contact=TEXTS)
    await intake.sender.send_due()
    assert await tell(intake, {**receipt(notify, "permanent-failure"), "reference": reference}) == 204
    assert (await fate(intake))[2] is None


def test_neutral_messages_need_a_service_of_their_own(notify: NotifyDouble) -> None:
    """The same service would show the same name."""
    with pytest.raises(ValueError, match="service of their own"):
        NotifyAccount(named=sender(notify.named), neutral=sender(notify.named))


@pytest.mark.parametrize("key", ["", "short", "name-not-a-uuid", "x" * 80])
def test_a_key_that_is_none_is_refused_at_the_start(key: str) -> None:
    """Not when the first message is to leave."""
    with pytest.raises(ValueError, match="must be a key of"):
        NotifySender(key=SecretStr(key))
