"""The request form and the contact card as a browser without JavaScript meets them, on a real database."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from services.intake.handlers import hers
from services.intake.store import requests as request_rows
from shared.contracts.walk_requests import WalkRequested
from shared.contracts.walks import WalkTaken
from shared.embedded.sign_in import bearer_token
from shared.web.access import TABLES
from tests.servers.databases import ServiceDatabaseMaker
from tests.servers.intake_service import FORCE, Intake, intake_service
from tests.servers.local_programs import IdentityServer
from tests.servers.visitors import walk_access

FORM: dict[str, dict[str, Any]] = {
    "eligibility": {"adult": "yes"},
    "who": {"who": "herself"},
    "place": {"postcode": "bs14dj"},
    "way": {"stops": "BS1 5TR\r\n51.4545, -2.5879"},
    "local": {"local": "yes"},
    "reasons": {"reasons": ["badly-lit", "being-followed"]},
    "words": {"words": "Canary lamps are out\r\nsince May"},
    "days": {"days": ["monday", "friday"]},
    "times": {"parts": ["evening"]},
    "first": {"day": "27", "month": "11", "year": "2026"},
    "needs": {"access": "Canary steps"},
    "speech": {"languages": ""},
    "name": {"name": "Canary <b>Ada</b>"},
    "channels": {"channels": ["email", "phone"]},
    "email": {"email": "canary@example.com"},
    "phone": {"phone": "07700 900982"},
    "hours": {"times": ["early-morning", "daytime", "evening"]},
    "calling": {"say_police": "no"},
    "voicemail": {"voicemail": "no"},
    "calendar": {"calendar": "yes"},
    "word": {"recognise": "Canary marmalade"},
    "people": {"officers": "A1234"},
    "others": {"teams": "BS1 5TR"},
    "survey": {"survey": "yes"},
    "more-1": {"safe-after-dark": "very-unsafe"},
    "more-2": {},
    "more-3": {"trust-listen": "neither"},
    "more-4": {},
    "more-5": {},
    "more-6": {},
    "more-7": {},
    "about": {"about": "yes"},
    "about-1": {"sex": "female"},
    "about-2": {},
    "about-3": {"age": "prefer-not"},
    "about-4": {"condition": "no"},
    "about-6": {},
    "about-7": {},
    "about-8": {},
}


@pytest.fixture
async def intake(database: ServiceDatabaseMaker) -> AsyncIterator[Intake]:
    async with intake_service(database) as service:
        yield service


def csrf_of(page: httpx.Response) -> str:
    """The token of a page's form."""
    found = re.search(r'name="csrf_token" value="([0-9a-f]+)"', page.text)
    assert found is not None, f"{page.status_code}: no form"
    return found[1]


class Visitor:
    """A woman at the form: a browser's cookies and its form token, nothing else."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.token = ""

    async def see(self, page: str) -> httpx.Response:
        return await self.client.get(f"/{FORCE}/request/{page}")

    async def send(self, page: str, given: dict[str, Any]) -> httpx.Response:
        """Send the form of a page, with the token every form of this browser has."""
        if not self.token:
            self.token = csrf_of(await self.see("eligibility"))
        return await self.client.post(f"/{FORCE}/request/{page}", data={**given, "csrf_token": self.token})

    async def fill(self, until: str | None = None, **changed: dict[str, Any]) -> None:
        """Answer every page in order, checking that each leads to the next."""
        form = {**FORM, **{name.replace("_", "-"): given for name, given in changed.items()}}
        pages = list(form)
        for page, following in zip(pages, [*pages[1:], "check"], strict=True):
            if page == until:
                return
            answer = await self.send(page, form[page])
            assert answer.status_code == 303, page
            assert answer.headers["location"] == f"/{FORCE}/request/{following}"


@pytest.fixture
async def visitor(intake: Intake) -> AsyncIterator[Visitor]:
    async with intake.client() as client:
        yield Visitor(client)


async def test_the_form_asks_for_a_walk(intake: Intake, visitor: Visitor) -> None:
    """Page by page to the reference; the event and the sealed request say what she typed."""
    await visitor.fill()
    checked = await visitor.see("check")
    for shown in (
        "BS1 4DJ",
        "BS1 5TR<br>51.4545",
        "Canary steps",
        "Friday 27 November 2026",
        "since May",
        "Canary &lt;b&gt;Ada&lt;/b&gt;",
        "canary@example.com",
        "Monday<br>Friday",
        "2 of 7",
    ):
        assert shown in checked.text
    sent = await visitor.send("check", {"consent": "yes"})
    assert sent.headers["location"] == f"/{FORCE}/request/done"
    done = await visitor.see("done")
    reference = await intake.one("SELECT reference FROM walk_request")
    assert reference in done.text
    # Five working days after Monday 23 November 2026.
    assert "usually by the end of Monday 30 November 2026" in done.text
    [told] = await intake.published("walk-requested")
    event = WalkRequested.model_validate(told)
    assert event.contact.channels == ("email", "phone")
    assert (event.contact.excluded_officers, event.contact.excluded_teams) == (("a1234",), ("bs1",))
    assert not event.contact.may_say_police
    assert [(one.latitude, one.longitude) for one in event.route[2:]] == [(51.4545, -2.5879)]
    assert event.route[0] == event.place and event.availability.earliest == date(2026, 11, 27)
    assert "anary" not in json.dumps(told)
    assert [day.value for day in event.availability.days] == ["monday", "friday"]
    assert await intake.one("SELECT count(*) FROM waiting_baseline") == 1
    assert await intake.one("SELECT count(*) FROM waiting_equality") == 1
    assert (
        intake.deps.registry.get_sample_value("walkandtalk_walk_requests_total", {"way": "form", "outcome": "accepted"})
        == 1
    )


async def test_somebody_fills_the_form_in_with_her(intake: Intake, visitor: Visitor) -> None:
    """The words are about her; who helped stands on the card's sealed side and nowhere else."""
    for page, given in {"eligibility": {"adult": "yes"}, "who": {"who": "with"}}.items():
        await visitor.send(page, given)
    assert "agrees" in (await visitor.see("helper")).text
    await visitor.send("helper", {"helper": "support-worker"})
    assert "Where would she like to walk?" in (await visitor.see("place")).text
    for page, given in list(FORM.items())[2:]:
        if page == "name":
            assert "Enter what we should call her" in (await visitor.send(page, {})).text
        await visitor.send(page, given)
    checked = (await visitor.see("check")).text
    assert "She agrees that" in checked and "What should we call her?" in checked
    assert (
        "Give her this reference"
        in (
            await visitor.client.post(
                f"/{FORCE}/request/check", data={"consent": "yes", "csrf_token": visitor.token}, follow_redirects=True
            )
        ).text
    )
    [row] = await intake.rows("SELECT * FROM participant")
    assert b"support" not in row["sealed"]
    assert "support" not in json.dumps(await intake.published("walk-requested"))


async def test_a_request_sent_twice_from_the_form_is_one(intake: Intake, visitor: Visitor) -> None:
    """A double click, and Back with a second sending, end at the same reference."""
    await visitor.fill()
    for _ in range(3):
        assert (await visitor.send("check", {"consent": "yes"})).headers["location"].endswith("/done")
    assert await intake.one("SELECT count(*) FROM walk_request") == 1


async def test_nothing_is_sent_without_consent(intake: Intake, visitor: Visitor) -> None:
    """The error summary says so, and nothing stands in the database."""
    await visitor.fill()
    answer = await visitor.send("check", {})
    assert answer.status_code == 422
    assert "There is a problem" in answer.text and 'href="#consent"' in answer.text
    assert await intake.one("SELECT count(*) FROM walk_request") == 0


WRONG: tuple[tuple[str, dict[str, str], str], ...] = (
    ("eligibility", {}, "Select yes if you are a woman aged 18 or over"),
    ("place", {"postcode": "nowhere"}, "Enter a full UK postcode"),
    ("place", {"postcode": "ZZ1 1ZZ"}, "We cannot find that postcode"),
    ("who", {}, "Select who is filling in this form"),
    ("way", {"stops": "BS1 4DJ\nZZ1 1ZZ"}, "Line 2: We cannot find that postcode"),
    ("way", {"stops": "BS1 4DJ\n" * 8}, "Enter 7 places or fewer"),
    ("words", {"words": "x" * 2001}, "Use 2,000 characters or fewer"),
    ("words", {"words": "a\x07b"}, "Use letters, numbers and ordinary punctuation"),
    ("first", {"day": "31", "month": "2", "year": "2027"}, "Enter a day, month and year"),
    ("first", {"day": "3"}, "Enter a day, month and year"),
    ("first", {"day": "22", "month": "11", "year": "2026"}, "The earliest day must be today or later"),
    ("calendar", {}, "Select yes if you would like an entry"),
    ("word", {"recognise": "x" * 61}, "Use 60 characters or fewer"),
    ("days", {}, "Select at least one day"),
    ("name", {}, "Enter what we should call you"),
    ("email", {"email": "canary@"}, "Enter an email address in the correct format"),
    ("phone", {"phone": "12"}, "Enter a phone number"),
    ("people", {"officers": "not a number!"}, "Enter the numbers with commas between them"),
    ("others", {"teams": "BS1 5TR\nnowhere"}, "Line 2: Enter a full UK postcode"),
    ("others", {"teams": "SW1A 1AA"}, "Line 1: No neighbourhood team of this force works there"),
    ("more-1", {"safe-after-dark": "petrified"}, "Select one of the answers, or none"),
)


async def test_a_wrong_answer_is_named_and_shown_again(visitor: Visitor) -> None:
    """On every page: an error summary, “Error:” in the title, and what she typed; the answers before it stay."""
    for page, right in FORM.items():
        for given, said in ((given, said) for wrong, given, said in WRONG if wrong == page):
            answer = await visitor.send(page, given)
            assert answer.status_code == 422
            assert re.search(r"<title[^>]*>\s*Error: ", answer.text)
            assert said in answer.text and "govuk-error-summary" in answer.text
            if page in ("place", "email", "phone"):
                assert f'value="{next(iter(given.values()))}"' in answer.text
        assert (await visitor.send(page, right)).status_code == 303
    assert (await visitor.see("check")).status_code == 200


async def test_the_first_page_answers_what_to_do_instead(visitor: Visitor) -> None:
    """Danger, no voice, a crime, no name: each has its answer before the first question; leaving quickly has a page."""
    start = (await visitor.client.get(f"/{FORCE}/")).text
    for said in ("call 999", "press 55", "tel:101", "avonandsomerset.police.uk/report", "streetsafe", "0808 2000 247"):
        assert said in start.replace('<a class="govuk-link" href="tel:999">', "")
    assert f'href="/{FORCE}/request/before"' in start
    before = (await visitor.see("before")).text
    assert "does not clear your browsing history" in before
    assert f'href="/{FORCE}/request/eligibility"' in before


async def test_a_girl_is_told_who_can_help_and_nothing_is_kept(intake: Intake, visitor: Visitor) -> None:
    """Under 18: no form, other help."""
    answer = await visitor.send("eligibility", {"adult": "no"})
    assert answer.headers["location"].endswith("/not-eligible")
    assert "Childline" in (await visitor.see("not-eligible")).text
    assert await intake.one("SELECT count(*) FROM draft") == 0


async def test_a_point_on_the_map_takes_the_place_of_a_postcode(intake: Intake, visitor: Visitor) -> None:
    """Two numbers as map programs show them; the postcode typed before is forgotten."""
    await visitor.fill(until="local")
    assert (await visitor.send("point", {"point": "51.4545, -2.5879"})).status_code == 303
    wrong = await visitor.send("point", {"point": "48.85, 2.35"})
    assert "not in Great Britain" in wrong.text
    for page in list(FORM)[3:]:
        await visitor.send(page, FORM[page])
    assert "BS1 4DJ" not in (await visitor.see("check")).text
    await visitor.send("check", {"consent": "yes"})
    [told] = await intake.published("walk-requested")
    assert told["place"] == {"latitude": 51.4545, "longitude": -2.5879}
    assert told["place_from_postcode"] is False


async def test_a_change_leads_back_to_checking(visitor: Visitor) -> None:
    """Another channel asks for its detail alone; a channel given up takes its detail along."""
    await visitor.fill()
    assert (await visitor.send("name?change=1", {"name": "Eve"})).headers["location"].endswith("/check")
    letters = await visitor.send("channels?change=1", {"channels": ["letter"]})
    assert letters.headers["location"].endswith("/address?change=1")
    assert (await visitor.send("address?change=1", {"address": "1 Long Lane"})).headers["location"].endswith("/check")
    checked = (await visitor.see("check")).text
    assert "Eve" in checked and "1 Long Lane" in checked
    assert "canary@example.com" not in checked and "voicemail" not in checked


async def test_pages_ahead_lead_back_to_where_she_is(visitor: Visitor) -> None:
    """No page can be reached before those it depends on."""
    await visitor.fill(until="days")
    for page in ("name", "check", "done", "voicemail"):
        assert "/days" in (await visitor.client.get(f"/{FORCE}/request/{page}", follow_redirects=True)).url.path


async def test_what_she_types_stands_in_no_cookie_address_or_column(intake: Intake, visitor: Visitor) -> None:
    """A random token for this browser session alone; the row it finds is sealed and of one length."""
    first = await visitor.send("eligibility", {"adult": "yes"})
    assert "expires" not in first.headers["set-cookie"].lower()
    assert "httponly" in first.headers["set-cookie"].lower() and "samesite=lax" in first.headers["set-cookie"].lower()
    [early] = await intake.rows("SELECT * FROM draft")
    await visitor.fill()
    [late] = await intake.rows("SELECT * FROM draft")
    assert b"anary" not in late["sealed"] and len(early["sealed"]) == len(late["sealed"])
    token = visitor.client.cookies["sitting"]
    assert token.encode() not in late["digest"] and token not in str(dict(late))


async def test_a_form_left_alone_is_erased(intake: Intake, visitor: Visitor) -> None:
    """After three hours nothing is left, and she is told so."""
    await visitor.fill(until="email")
    intake.now += timedelta(hours=3, minutes=1)
    assert (await visitor.see("email")).status_code == 410
    await intake.timers.fire_due()
    assert await intake.one("SELECT count(*) FROM draft") == 0


async def test_what_she_typed_is_erased_when_it_is_sent(intake: Intake, visitor: Visitor) -> None:
    """Only the reference is left for the last page, and nothing once she closes it."""
    await visitor.fill()
    await visitor.send("check", {"consent": "yes"})
    [row] = await intake.rows("SELECT id, sealed FROM draft")
    left = intake.deps.keeping.vault.open("draft", row["sealed"], str(row["id"]))
    assert left.keys() == {"reference", "unconfirmed", "by_email", "with_link", "arrange_by", "helped"}
    for first in ("eligibility", "who"):
        assert (await visitor.send(first, FORM[first])).status_code == 303
    page = await visitor.client.get(f"/{FORCE}/request/place")
    assert page.status_code == 200 and "BS1 4DJ" not in page.text


async def meanwhile(
    intake: Intake, content: Callable[[dict[str, Any]], dict[str, Any]], sending: Awaitable[httpx.Response]
) -> httpx.Response:
    """The answer to a page that is sent while something else writes her form: it comes to the form and has to wait."""
    vault = intake.deps.keeping.vault
    async with intake.admin.transaction():
        row = await intake.admin.fetchrow("SELECT id, sealed FROM draft FOR UPDATE")
        assert row is not None
        written = content(vault.open("draft", row["sealed"], str(row["id"])))
        sealed = vault.seal("draft", written, str(row["id"]), size=12288)
        await intake.admin.execute("UPDATE draft SET sealed = $1", sealed)
        task = asyncio.ensure_future(sending)
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
        while not task.done() and not await intake.one(blocked):
            await asyncio.wait([task], timeout=0.01)
    return await task


async def form_of(intake: Intake) -> dict[str, Any]:
    """Her form as it stands, open."""
    [row] = await intake.rows("SELECT id, sealed FROM draft")
    found: dict[str, Any] = intake.deps.keeping.vault.open("draft", row["sealed"], str(row["id"]))
    return found


async def test_an_answer_that_meets_a_sent_request_brings_nothing_back(intake: Intake, visitor: Visitor) -> None:
    """What she typed was erased when it was sent; a page of another tab leads to her reference."""
    await visitor.fill()
    sent = {"reference": "WT-2222-3333", "by_email": True, "with_link": True}
    answer = await meanwhile(intake, lambda _: sent, visitor.send("name?change=1", {"name": "Eve"}))
    assert answer.headers["location"].endswith("/done")
    assert await form_of(intake) == sent


async def test_answers_from_two_tabs_both_stand(intake: Intake, visitor: Visitor) -> None:
    """Each page writes its own answer into the form as it is by then."""
    await visitor.fill()

    def other(content: dict[str, Any]) -> dict[str, Any]:
        return {**content, "answers": {**content["answers"], "days": {"days": ["sunday"]}}}

    await meanwhile(intake, other, visitor.send("name?change=1", {"name": "Eve"}))
    answers = (await form_of(intake))["answers"]
    assert (answers["name"], answers["days"]) == ({"name": "Eve"}, {"days": ["sunday"]})


async def test_a_form_that_stands_again_after_it_was_sent_is_not_sent_twice(intake: Intake, visitor: Visitor) -> None:
    """As after a database was restored: she is told so in plain words, and there is one request."""
    await visitor.fill()
    [before] = await intake.rows("SELECT sealed FROM draft")
    await visitor.send("check", {"consent": "yes"})
    await intake.admin.execute("UPDATE draft SET sealed = $1", before["sealed"])
    await visitor.send("name?change=1", {"name": "Eve"})
    answer = await visitor.send("check", {"consent": "yes"})
    assert answer.status_code == 409
    assert "You have already sent us a request with this form" in answer.text and "Key" not in answer.text
    assert await intake.one("SELECT count(*) FROM walk_request") == 1


async def test_the_page_of_her_reference_stays_when_the_first_question_is_answered_no(
    intake: Intake, visitor: Visitor
) -> None:
    """Somebody else may use the same browser after her."""
    await visitor.fill()
    await visitor.send("check", {"consent": "yes"})
    assert (await visitor.send("eligibility", {"adult": "no"})).headers["location"].endswith("/not-eligible")
    assert await intake.one("SELECT reference FROM walk_request") in (await visitor.see("done")).text


async def test_she_can_erase_what_she_typed(intake: Intake, visitor: Visitor) -> None:
    """At once, from the page where she checks."""
    await visitor.fill()
    assert (await visitor.send("erase", {})).status_code == 303
    assert await intake.one("SELECT count(*) FROM draft") == 0
    assert await intake.one("SELECT count(*) FROM timer WHERE kind = 'draft-expires'") == 0
    assert (await visitor.see("check")).headers["location"] == f"/{FORCE}/"


async def test_looking_changes_nothing_at_her_private_page_and_posting_does(intake: Intake, visitor: Visitor) -> None:
    """Mail scanners follow links: three looks, then she withdraws and stops contact."""
    asked = await intake.ask()
    async with intake.database.web.transaction([FORCE]) as tx:
        [stored] = (await request_rows.requests(tx, [UUID(asked["request_id"])])).values()
    path = hers.private_link(intake.deps.keeping, stored.held).removeprefix("http://localhost:8001")
    for _ in range(3):
        page = await visitor.client.get(path)
        assert page.status_code == 200 and asked["reference"] in page.text and "Ada" not in page.text
    assert await intake.one("SELECT state FROM walk_request") == "received"
    for what in ("withdraw", "stop"):
        answer = await visitor.client.post(f"{path}/{what}", data={"csrf_token": csrf_of(page)})
        assert answer.status_code == 303
    assert await intake.one("SELECT state FROM walk_request") == "withdrawn"
    assert len(await intake.published("contact-rules-changed")) == 1
    altered = path[:-4] + ("AAAA" if not path.endswith("AAAA") else "BBBB")
    assert (await visitor.client.get(altered)).status_code == 404


async def test_every_route_is_for_whom_the_access_table_says(intake: Intake) -> None:
    """Each role, and nobody, sent through each route of intake."""
    assert await walk_access(intake.app, TABLES["intake"]) == []


# The contact card

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture
async def staffed(
    database: ServiceDatabaseMaker, identity_provider: IdentityServer
) -> AsyncIterator[tuple[Intake, SignIn]]:
    """The service behind the real sign-in, and `await sign_in(sub)`."""
    given = {
        "oidc_issuer": identity_provider.issuer,
        "oidc_client_id": identity_provider.client_id,
        "oidc_client_secret": identity_provider.client_secret,
    }
    async with intake_service(database, **given) as service:

        async def sign_in(sub: str) -> httpx.AsyncClient:
            token = await bearer_token(
                identity_provider.issuer, identity_provider.client_id, identity_provider.client_secret, sub
            )
            return service.client(authorization=f"Bearer {token}", accept="text/html")

        yield service, sign_in


async def test_the_contact_card_shows_rules_first_and_her_name_for_a_reason(staffed: tuple[Intake, SignIn]) -> None:
    """GET shows no more than rules; POST with a reason opens and is logged; without a reason it does not."""
    intake, sign_in = staffed
    wishes: dict[str, Any] = {
        "words": "Canary lamps",
        "access_needs": "Canary steps",
        "route": [{"postcode": "BS1 5TR"}],
    }
    contact = {"may_say_police": False, "recognition_word": "Canary marmalade"}
    asked = await intake.ask(name="Canary Ada", contact=contact, filled_in_by="support-worker", **wishes)
    await take(intake, asked, "officer-avon-1")
    path = f"/staff/requests/{asked['request_id']}/contact"
    async with await sign_in("officer-avon-1") as officer:
        closed = await officer.get(path)
        assert closed.status_code == 200
        assert "Do not say that you are the police" in closed.text
        assert "Canary" not in closed.text and "ada@example.com" not in closed.text
        refused = await officer.post(path, data={"reason": ""})
        assert refused.status_code == 422 and "Canary" not in refused.text
        assert await intake.one("SELECT count(*) FROM audit WHERE action = 'consulted'") == 0
        opened = await officer.post(path, data={"reason": "To arrange the walk"})
    assert "Canary Ada" in opened.text and "ada@example.com" in opened.text
    for said in ("Canary marmalade", "Canary lamps", "Canary steps", "BS1 5TR", "A support worker or advocate"):
        assert said in opened.text
    assert "anary" not in json.dumps(await intake.published("walk-requested"))
    assert opened.text.index("Her rules") < opened.text.index("Canary Ada")
    [entry] = await intake.rows("SELECT * FROM audit WHERE action = 'consulted'")
    assert (entry["actor"], entry["subject"], entry["reason"]) == (
        "officer-avon-1",
        asked["request_id"],
        "To arrange the walk",
    )


async def take(intake: Intake, asked: dict[str, Any], officer: str) -> None:
    await intake.take(
        WalkTaken(walk_id=uuid4(), request_ids=(UUID(asked["request_id"]),), officer_id=officer, team_id="bs1")
    )


async def test_the_contact_card_opens_to_whom_it_must(staffed: tuple[Intake, SignIn]) -> None:
    """The officer assigned and the force's coordinator; a colleague and another force do not even find the request."""
    intake, sign_in = staffed
    asked = await intake.ask()
    await take(intake, asked, "officer-avon-1")
    path = f"/staff/requests/{asked['request_id']}/contact"
    for sub, status in (
        ("officer-avon-1", 200),
        ("coordinator-avon", 200),
        ("officer-avon-2", 404),
        ("coordinator-met", 404),
        ("analyst-avon", 403),
        ("partner-bristol-city-council", 403),
    ):
        async with await sign_in(sub) as client:
            assert (await client.get(path)).status_code == status, sub
            opened = await client.post(path, data={"reason": "To arrange the walk"})
        assert opened.status_code == status, sub
        assert ("ada@example.com" in opened.text) == (status == 200)
    assert await intake.one("SELECT count(*) FROM audit WHERE action = 'consulted'") == 2


async def test_an_officer_she_excludes_finds_no_request(staffed: tuple[Intake, SignIn]) -> None:
    """Even one to whom the walk was given by mistake: not found, as if she had never asked."""
    intake, sign_in = staffed
    asked = await intake.ask(contact={"excluded_officers": ["officer-avon-1"]})
    await take(intake, asked, "officer-avon-1")
    async with await sign_in("officer-avon-1") as officer:
        path = f"/staff/requests/{asked['request_id']}/contact"
        assert (await officer.get(path)).status_code == 404
        assert (await officer.post(path, data={"reason": "To arrange the walk"})).status_code == 404


async def test_the_contact_card_closes_when_contact_is_stopped(staffed: tuple[Intake, SignIn]) -> None:
    """To the coordinator as well."""
    intake, sign_in = staffed
    asked = await intake.ask()
    async with intake.database.web.transaction([FORCE]) as tx:
        await hers.stop_contact(tx, FORCE, UUID(asked["request_id"]), intake.now, keeping=intake.deps.keeping)
    async with await sign_in("coordinator-avon") as coordinator:
        path = f"/staff/requests/{asked['request_id']}/contact"
        answer = await coordinator.post(path, data={"reason": "To arrange the walk"})
    assert answer.status_code == 403
    assert "no longer safe" in answer.text and "ada@example.com" not in answer.text
