"""A small service with every kind of page and call, to test shared.web and to copy from."""

import sys
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from fastapi import APIRouter, Depends, FastAPI
from jinja2 import TemplateNotFound
from prometheus_client import CollectorRegistry
from pydantic import BaseModel, ConfigDict, Field, SecretStr
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared.contracts.refusals import Refusal, TryAgain
from shared.observability import configure_logging
from shared.web import forms
from shared.web.access import COORDINATOR, POLICE, PUBLIC, SEALED_LINK, SIGNED_IN, Table
from shared.web.app import create_app
from shared.web.forms import Form
from shared.web.pages import Link, Pages, Theme, render
from shared.web.session import User, current_user

TEMPLATES = Path(__file__).parent / "web_example_templates"


class WalkAlreadyCancelled(Refusal):
    """The walk was cancelled before an officer accepted it."""


class NobodyFree(TryAgain):
    """Every officer is out on a walk."""


REFUSALS: dict[type[Refusal], int] = {WalkAlreadyCancelled: 410}

ACCESS: Table = {
    ("GET", "/"): PUBLIC,
    ("GET", "/request"): PUBLIC,
    ("POST", "/request"): PUBLIC,
    ("GET", "/request/thanks"): PUBLIC,
    ("GET", "/s/{token}"): SEALED_LINK,
    ("GET", "/walks"): POLICE,
    ("POST", "/walks/{walk_id}/cancel"): COORDINATOR,
    ("GET", "/staff"): SIGNED_IN,
    ("POST", "/api/v1/walk-requests"): PUBLIC,
    ("POST", "/api/v1/walks/{walk_id}/cancel"): COORDINATOR,
    ("GET", "/api/v1/walks/{walk_id}"): POLICE,
    ("GET", "/broken/{how}"): PUBLIC,
    ("GET", "/api/v1/broken/{how}"): PUBLIC,
}


class Contact(BaseModel):
    """How she may be reached."""

    model_config = ConfigDict(extra="forbid")
    email: Annotated[str, Field(max_length=40)]
    at: Literal["morning", "evening"]


class Asked(BaseModel):
    """A request as another system sends it."""

    model_config = ConfigDict(extra="forbid")
    place: Annotated[str, Field(max_length=20)]
    contact: Contact
    people: Annotated[int, Field(ge=1, le=6)] = 1


class RequestForm(BaseModel):
    """The request form of the page."""

    name: Annotated[str, Field(max_length=20, title="What we call you")]
    adult: Literal["yes"]
    place: Annotated[str, Field(max_length=200)]
    times: list[Literal["morning", "afternoon", "evening"]] = []


MESSAGES = {
    "name": "Enter what we should call you, in 20 characters or fewer",
    "adult": "Select yes if you are a woman aged 18 or over",
    "place": "Enter a place, street or postcode",
}

routes = APIRouter(prefix="/api/v1")


@routes.post("/walk-requests", status_code=201)
async def ask(asked: Asked) -> dict[str, str]:
    """Ask for a walk."""
    return {"id": str(uuid4()), "place": asked.place}


@routes.post("/walks/{walk_id}/cancel")
async def cancel(walk_id: UUID, user: Annotated[User, Depends(current_user)]) -> dict[str, str]:
    """Cancel a walk."""
    raise WalkAlreadyCancelled


@routes.get("/walks/{walk_id}")
async def walk(walk_id: UUID) -> dict[str, str]:
    """One walk."""
    return {"id": str(walk_id)}


def fail(how: str) -> None:
    """Fail in one of the ways a handler can."""
    match how:
        case "refused":
            raise WalkAlreadyCancelled
        case "later":
            raise NobodyFree
        case "database":
            raise ConnectionRefusedError("password=canary-secret")
        case "between":
            raise asyncpg.InternalClientError("got result for unknown protocol state 3 canary-secret")
        case "full":
            raise asyncpg.DiskFullError("could not extend file canary-secret")
        case "template":
            raise TemplateNotFound("missing.html")
        case _:
            raise RuntimeError("canary-secret")


@routes.get("/broken/{how}")
async def broken_call(how: str) -> None:
    """A call that fails."""
    fail(how)


html = APIRouter()


@html.get("/")
async def start(request: Request) -> Response:
    return render(request, "start.html")


@html.get("/request")
async def show(request: Request) -> Response:
    return render(request, "request.html", form=Form[RequestForm]())


@html.post("/request")
async def send(request: Request) -> Response:
    form = await forms.read(request, RequestForm, MESSAGES)
    if form.data is None:
        return render(request, "request.html", 422, form=form)
    if form.data.place == "nowhere":
        return render(request, "request.html", 422, form=form.refused(("place", "We do not know that place")))
    return RedirectResponse("/request/thanks", 303)


@html.get("/request/thanks")
async def thanks(request: Request) -> Response:
    return render(request, "thanks.html")


@html.get("/s/{token}")
async def survey(request: Request, token: str) -> Response:
    return render(request, "thanks.html")


@html.get("/walks")
async def walks(request: Request) -> Response:
    return render(request, "walks.html", walks=[])


@html.post("/walks/{walk_id}/cancel")
async def cancel_page(walk_id: UUID) -> Response:
    return RedirectResponse("/walks", 303)


@html.get("/staff")
async def staff(request: Request) -> Response:
    return render(request, "walks.html", walks=[])


@html.get("/broken/{how}")
async def broken_page(how: str) -> None:
    fail(how)


class Settings(BaseModel):
    """The settings shared.web asks for."""

    session_secret: SecretStr = SecretStr("a secret of at least thirty-two characters")
    oidc_issuer: str = "http://127.0.0.1:1"
    oidc_internal_url: str = ""
    oidc_client_id: str = "walkandtalk"
    oidc_client_secret: SecretStr = SecretStr("client-secret")
    oidc_forces: tuple[str, ...] = ("northvale",)
    intake_url: str = "http://localhost:8001"
    assignment_url: str = "http://localhost:8002"
    partners_url: str = "http://localhost:8003"
    feedback_url: str = "http://localhost:8004"


ASYNCAPI = {
    "asyncapi": "3.0.0",
    "channels": {
        "walks": {"address": "walks.v1", "messages": {"WalkArranged": {"$ref": "#/components/messages/WalkArranged"}}}
    },
    "operations": {"sendWalks": {"action": "send", "channel": {"$ref": "#/channels/walks"}}},
    "components": {
        "messages": {"WalkArranged": {"summary": "A time was found.", "payload": {"type": "object"}}},
    },
}


def example_app(settings: Settings | None = None, registry: CollectorRegistry | None = None) -> FastAPI:
    """The example as intake."""
    pages = Pages(
        "intake",
        [TEMPLATES],
        themes={"northvale": Theme(name="Northvale Police", header="#12264f", brand="#1b4f9c")},
        navigation=[
            Link("Ask for a walk", "/request"),
            Link("Walks", "/walks", POLICE),
            Link("Everybody signed in", "/staff", SIGNED_IN),
        ],
    )
    return create_app(
        service="intake",
        title="Walk and Talk",
        settings=settings or Settings(),
        routers=[routes, html],
        pages=pages,
        access_table=ACCESS,
        refusals=REFUSALS,
        registry=registry,
        asyncapi=lambda: ASYNCAPI,
    )


def main() -> None:
    """Serve the example on the port of the first argument, logging as a service does."""
    configure_logging("intake")
    uvicorn.run(example_app(), port=int(sys.argv[1]), log_config=None, access_log=False)


if __name__ == "__main__":
    main()
