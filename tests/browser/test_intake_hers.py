"""Her private page and the contact card's call script in a browser, on a phone and a large screen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import cast
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI
from playwright.sync_api import expect

from services.intake.dependencies import Dependencies
from services.intake.form.changing import CHOSEN
from services.intake.handlers.hers import her_request, private_link
from services.intake.handlers.walks import take_requests, tell_proposed
from services.intake.pages.hers import DONE
from shared.contracts.envelope import Received
from shared.contracts.walks import WalkProposed, WalkTaken
from shared.database import Transaction
from shared.web.access import Role
from tests.browser.conftest import WatchedPage
from tests.browser.test_intake_pages import app, assert_decent, inside, origin, port, service, taken_picture
from tests.servers.databases import ServiceDatabase
from tests.servers.intake_service import FORCE, a_body
from tests.servers.spoken import before, speaker
from tests.servers.visitors import a_user, cookies_of

__all__ = ["app", "origin", "port", "service", "taken_picture"]


def a_request(origin: str, **contact: object) -> UUID:
    answer = httpx.post(
        f"{origin}/api/v1/walk-requests", json=a_body(contact=contact), headers={"Idempotency-Key": uuid4().hex}
    )
    return UUID(answer.json()["request_id"])


def a_walk(service: ServiceDatabase, deps: Dependencies, request_id: UUID, officer_id: str) -> Callable[[], str]:
    """A walk of this request, taken, with times proposed; gives her private link."""
    now = datetime.now(UTC)
    six = (now + timedelta(days=3)).replace(hour=18, minute=0, second=0, microsecond=0)
    walk = {"walk_id": uuid4(), "request_ids": (request_id,), "officer_id": officer_id, "team_id": "bs1"}
    taken = WalkTaken.model_validate(walk)
    proposed = WalkProposed.model_validate(
        {
            **walk,
            "proposal_id": uuid4(),
            "times": (six, six + timedelta(days=1, minutes=30)),
            "meeting_place": "Castle Park bandstand",
            "answer_by": six - timedelta(hours=1),
        }
    )

    async def arrive(tx: Transaction) -> str:
        await take_requests(tx, [Received(taken, uuid4(), FORCE, now, 1, None)], now)
        told = Received(proposed, uuid4(), FORCE, now, 2, None)
        await tell_proposed(tx, [told], now, keeping=deps.keeping)
        return private_link(deps.keeping, (await her_request(tx, request_id, keeping=deps.keeping)).held)

    return lambda: inside(service, arrive)


@pytest.mark.parametrize(("width", "language"), [(1280, "en"), (375, "cy")])
def test_she_answers_changes_and_stops_on_her_private_page(
    app: FastAPI,
    origin: str,
    service: ServiceDatabase,
    watched_page: WatchedPage,
    width: int,
    language: str,
) -> None:
    """A fault is said where she is; each thing she does is confirmed; nothing shows who she is or leaves the origin."""
    deps = cast(Dependencies, app.state.dependencies)
    link = a_walk(service, deps, a_request(origin), "officer-avon-1")()
    watched = watched_page(origin, width)
    page, say = watched.page, speaker(language)
    page.goto(link.replace("/your-request/", f"{before(language)}/your-request/"))
    main = page.get_by_role("main")
    expect(main).to_contain_text("Castle Park bandstand")
    taken_picture(page, f"hers-proposed-{language}", 320)
    assert_decent(page)
    page.get_by_role("button", name=say("Send your answer")).click()
    expect(page.get_by_role("alert")).to_contain_text(say(CHOSEN["chosen"]))
    assert_decent(page)
    page.get_by_label("6:30pm").check()
    page.get_by_role("button", name=say("Send your answer")).click()
    chosen = say("You chose %(when)s. We confirm it as soon as the officer has it, or propose other times.", when="|")
    chosen = chosen.partition("|")[0]
    expect(main).to_contain_text(chosen)
    taken_picture(page, f"hers-chosen-{language}", 320)
    assert_decent(page)

    page.get_by_role("link", name=say("Change the place, the days or the times")).click()
    page.get_by_label(say("Saturday")).check()
    taken_picture(page, f"hers-change-{language}", 320)
    assert_decent(page)
    page.get_by_role("button", name=say("Save the changes")).click()
    expect(main).to_contain_text(say(DONE["changed"]))
    expect(main).not_to_contain_text(chosen)

    page.get_by_role("link", name=say("Change how we may contact you")).click()
    page.get_by_label(say("Text message")).check()
    page.get_by_role("button", name=say("Save the changes")).click()
    expect(page.get_by_role("alert")).to_contain_text(say("Enter your phone number"))
    taken_picture(page, f"hers-contact-{language}", 320)
    assert_decent(page)
    page.get_by_label(say("What is your phone number?")).fill("07700 900982")
    page.get_by_role("button", name=say("Save the changes")).click()
    expect(main).to_contain_text(say(DONE["contact"]))
    expect(main).not_to_contain_text("900982")

    page.get_by_role("button", name=say("Stop all contact")).click()
    expect(page.get_by_role("button", name=say("Stop all contact"))).to_have_count(0)
    taken_picture(page, f"hers-stopped-{language}", 320)
    assert_decent(page)
    assert page.url.startswith(f"{origin}{before(language)}/your-request/")
    watched.assert_kept_to_itself()


@pytest.mark.parametrize("width", [375, 1280])
def test_the_card_gives_the_officer_the_words_her_rules_allow(
    app: FastAPI,
    origin: str,
    service: ServiceDatabase,
    watched_page: WatchedPage,
    width: int,
) -> None:
    """Rules first, then the script with her word, then who she is."""
    user = a_user(Role.OFFICER, force_id=FORCE)
    rules = {"channels": ["phone"], "phone": "07700 900982", "may_say_police": False, "recognition_word": "marmalade"}
    request_id = a_request(origin, **rules)
    a_walk(service, cast(Dependencies, app.state.dependencies), request_id, user.sub)()
    watched = watched_page(origin, width, cookies=cookies_of(app, user))
    page = watched.page
    page.goto(f"{origin}/staff/requests/{request_id}/contact")
    main = page.get_by_role("main")
    expect(main).not_to_contain_text("If you call")
    taken_picture(page, "card-closed", width)
    assert_decent(page)
    page.get_by_label("Why do you need to contact her?").fill("To arrange the walk")
    page.get_by_role("button", name="Open the contact card").click()
    expect(main).to_contain_text("Say her word first: “marmalade”")
    expect(main).to_contain_text("Hang up without a word")
    taken_picture(page, "card-open", width)
    assert_decent(page)
    watched.assert_kept_to_itself()
