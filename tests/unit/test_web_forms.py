"""Forms: plain words about what is wrong, anchors to the fields, forged forms refused."""

import re
from typing import Annotated

import httpx
import pytest
from pydantic import BaseModel, ValidationError, field_validator

from shared.web.access import Role
from shared.web.forms import Form, named, plain
from tests.servers.visitors import a_user, visitor
from tests.servers.web_example import RequestForm, example_app

FILLED = {"name": "Rose", "adult": "yes", "place": "Mill Lane", "times": ["morning", "evening"]}


def form_token(page: str) -> str:
    """The token of a form as its page holds it."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def browser_of(app: object) -> httpx.AsyncClient:
    """A fresh browser without any cookie."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),  # type: ignore[arg-type]  # an ASGI application
        base_url="http://localhost:8001",
        headers={"Accept": "text/html"},
    )


async def test_form_that_is_filled_in_is_taken() -> None:
    """A form from our own page with all its answers is accepted and answered with a redirect."""
    async with browser_of(example_app()) as browser:
        token = form_token((await browser.get("/request")).text)
        answer = await browser.post("/request", data={**FILLED, "csrf_token": token})
    assert (answer.status_code, answer.headers["location"]) == (303, "/request/thanks")


async def test_form_with_files_is_taken() -> None:
    """The token is found in a multipart form as well, and the form still reaches its handler whole."""
    async with browser_of(example_app()) as browser:
        token = form_token((await browser.get("/request")).text)
        answer = await browser.post(
            "/request", data={**FILLED, "csrf_token": token}, files={"photo": ("a.jpg", b"\xff\xd8")}
        )
    assert answer.status_code == 303


async def test_what_is_missing_is_said_above_and_beside_the_field() -> None:
    """An empty form comes back with a summary that links to each field, messages beside them, and what was typed."""
    async with browser_of(example_app()) as browser:
        token = form_token((await browser.get("/request")).text)
        answer = await browser.post("/request", data={"name": "  Rose ", "times": "morning", "csrf_token": token})
    page = answer.text
    assert answer.status_code == 422
    assert "<title>Error: Ask for a walk" in page
    assert re.search(r'<a href="#place"\s*>\s*Enter a place, street or postcode', page)
    assert re.search(r'id="place-error"', page)
    assert 'value="Rose"' in page
    assert re.search(r'value="morning" checked', page)
    assert "Enter what we should call you" not in page


async def test_refusal_of_a_field_goes_back_into_the_form() -> None:
    """What only a handler can know is wrong stands beside its field like any other error."""
    async with browser_of(example_app()) as browser:
        token = form_token((await browser.get("/request")).text)
        answer = await browser.post("/request", data={**FILLED, "place": "nowhere", "csrf_token": token})
    assert answer.status_code == 422
    assert answer.text.count("We do not know that place") == 2


async def test_form_without_token_is_refused() -> None:
    """A post without a token, with a foreign one, or without the cookie it is bound to, is refused."""
    app = example_app()
    async with browser_of(app) as browser:
        token = form_token((await browser.get("/request")).text)
        assert (await browser.post("/request", data=FILLED)).status_code == 403
        assert (await browser.post("/request", data={**FILLED, "csrf_token": "é" * 64})).status_code == 403
    async with browser_of(app) as other:
        assert (await other.post("/request", data={**FILLED, "csrf_token": token})).status_code == 403
        await other.get("/request")
        assert (await other.post("/request", data={**FILLED, "csrf_token": token})).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:8002"},
    ],
)
async def test_form_from_elsewhere_is_refused_even_with_a_token(headers: dict[str, str]) -> None:
    """A browser that says the form came from another site or port is believed."""
    async with browser_of(example_app()) as browser:
        token = form_token((await browser.get("/request")).text)
        answer = await browser.post("/request", data={**FILLED, "csrf_token": token}, headers=headers)
    assert answer.status_code == 403
    assert "could not accept that form" in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Origin": "null"},
        {"Origin": "http://localhost:8001"},
    ],
)
async def test_form_from_our_own_page_is_taken(headers: dict[str, str]) -> None:
    """Our pages send no referrer, so browsers name the origin of their forms "null"; that alone refuses nothing."""
    async with browser_of(example_app()) as browser:
        token = form_token((await browser.get("/request")).text)
        answer = await browser.post("/request", data={**FILLED, "csrf_token": token}, headers=headers)
    assert answer.status_code == 303


async def test_form_of_a_thousand_fields_is_refused() -> None:
    """A form nobody could have filled in is refused before it is looked through."""
    async with browser_of(example_app()) as browser:
        await browser.get("/request")
        answer = await browser.post("/request", data={f"field-{n}": "x" for n in range(1001)})
    assert answer.status_code == 400


async def test_token_of_a_visitor_is_no_good_after_sign_in() -> None:
    """A token is bound to who is signed in: one planted before sign-in does not work after it."""
    app = example_app()
    async with visitor(app, form="same") as nobody:
        planted = nobody.headers["X-CSRF-Token"]
    async with visitor(app, a_user(Role.COORDINATOR), form="same") as browser:
        path = "/walks/0198c0de-0000-7000-8000-000000000000/cancel"
        assert (await browser.post(path)).status_code == 303
        assert (await browser.post(path, headers={"X-CSRF-Token": planted})).status_code == 403


async def test_json_call_needs_a_token_only_with_a_sign_in_cookie() -> None:
    """A call without cookies cannot be forged by a browser; one with the session's cookie could."""
    app = example_app()
    asked = {"place": "Mill Lane", "contact": {"email": "a@example.org", "at": "morning"}}
    async with browser_of(app) as program:
        assert (await program.post("/api/v1/walk-requests", json=asked)).status_code == 201
        assert (await program.post("/api/v1/walk-requests", data={"place": "x"})).status_code == 403
    async with visitor(app, a_user(Role.OFFICER)) as browser:
        assert (await browser.post("/api/v1/walk-requests", json=asked)).status_code == 201
        refused = await browser.post("/api/v1/walk-requests", json=asked, headers={"X-CSRF-Token": "x"})
        assert refused.status_code == 403


def test_message_of_our_own_validator_is_shown_as_it_stands() -> None:
    """A ValueError raised by a model's own validator is the sentence a person reads."""

    class Place(BaseModel):
        postcode: Annotated[str, "a postcode"]

        @field_validator("postcode")
        @classmethod
        def real(cls, value: str) -> str:
            raise ValueError("Enter a full UK postcode")

    with pytest.raises(ValidationError) as raised:
        Place(postcode="BS1")
    assert [plain(error) for error in raised.value.errors()] == ["Enter a full UK postcode"]


def test_field_named_by_the_sender_is_not_repeated() -> None:
    """A key that may be somebody's words rather than a field's name is not echoed."""
    assert named(("contact", "e-mail", 0)) == "contact.e-mail.0"
    assert named(("contact", "rose@example.org")) == "contact.?"
    assert named(("x" * 41,)) == "?"


def test_form_shows_the_values_it_was_given() -> None:
    """A form can be filled before it is first shown."""
    form = Form[RequestForm](values={"name": "Rose", "times": ["morning"]})
    assert (form.value("name"), form.value("place"), form.chosen("times")) == ("Rose", "", ["morning"])
    assert form.summary == []
