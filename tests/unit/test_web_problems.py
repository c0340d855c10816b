"""Refusals as answers: named fields, no values, no words of unknown errors, and when to come back."""

from collections.abc import AsyncIterator

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from tests.servers.web_example import example_app

ASKED = {"place": "Mill Lane", "contact": {"email": "a@example.org", "at": "morning"}}


def program(registry: CollectorRegistry | None = None) -> httpx.AsyncClient:
    """Another system that calls the API."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(example_app(registry=registry)), base_url="http://localhost:8001"
    )


async def test_fields_that_are_wrong_are_named_and_their_values_are_not() -> None:
    """Every wrong field is named with what is wrong in plain words, and nothing that was sent comes back."""
    sent = {
        "place": "canary-place-that-is-far-too-long",
        "people": "canary-people",
        "contact": {"at": "canary-at", "canary@example.org": 1},
    }
    async with program() as client:
        answer = await client.post("/api/v1/walk-requests", json=sent)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == "urn:walkandtalk:problem:invalid-fields"
    assert problem["errors"] == [
        {"field": "place", "message": "is too long"},
        {"field": "contact.email", "message": "is missing"},
        {"field": "contact.at", "message": "is not one of the choices"},
        {"field": "contact.?", "message": "is not a known field"},
        {"field": "people", "message": "must be a whole number"},
    ]
    assert "canary" not in answer.text


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        (b'{"place": "canary', [{"field": "body", "message": "is not valid JSON"}]),
        (b"", [{"field": "body", "message": "is missing"}]),
        (b'["canary"]', [{"field": "body", "message": "must be an object"}]),
    ],
)
async def test_body_that_is_no_object_is_said_to_be_the_trouble(body: bytes, errors: list[dict[str, str]]) -> None:
    """Broken, absent and misshapen bodies are told apart, and never repeated."""
    async with program() as client:
        answer = await client.post("/api/v1/walk-requests", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == errors
    assert "canary" not in answer.text


async def test_path_that_does_not_parse_is_a_named_field() -> None:
    """An id in the path that is none is named like any field."""
    async with program() as client:
        answer = await client.post("/api/v1/walk-requests?x=1", json=ASKED | {"people": 9})
    assert answer.json()["errors"] == [{"field": "people", "message": "is too large"}]


async def test_refusal_has_a_name_and_the_status_of_the_table() -> None:
    """A refusal is its class: the name makes the type, the docstring the title, the table the status."""
    async with program() as client:
        answer = await client.get("/api/v1/broken/refused")
    assert answer.status_code == 410
    assert answer.json() == {
        "type": "urn:walkandtalk:problem:walk-already-cancelled",
        "title": "The walk was cancelled before an officer accepted it.",
        "status": 410,
    }


@pytest.mark.parametrize("how", ["later", "database", "between", "full"])
async def test_what_may_succeed_later_says_when_to_come_back(how: str) -> None:
    """A TryAgain, or a database that is away, just going or full, is a 503 with Retry-After, on pages too."""
    async with program() as client:
        answers = [
            await client.get(f"/api/v1/broken/{how}"),
            await client.get(f"/broken/{how}", headers={"Accept": "text/html"}),
        ]
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert "canary" not in answer.text
    assert answers[1].headers["content-type"].startswith("text/html")


async def test_missing_template_is_our_own_fault() -> None:
    """A file of ours that is missing is an error of the service, not a database that is away."""
    async with program() as client:
        assert (await client.get("/api/v1/broken/template")).status_code == 500


async def test_unknown_error_tells_nothing() -> None:
    """The words of an unexpected error do not reach the caller, and its page is as guarded as any other."""
    async with program() as client:
        call = await client.get("/api/v1/broken/badly")
        page = await client.get("/broken/badly", headers={"Accept": "text/html"})
    assert call.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}
    assert (page.status_code, "there is a problem with the service" in page.text) == (500, True)
    assert "content-security-policy" in page.headers
    assert "canary" not in call.text + page.text


async def test_unknown_address_is_a_problem_for_programs_and_a_page_for_people() -> None:
    """A wrong address is answered in the form the caller understands."""
    async with program() as client:
        call = await client.get("/api/v1/nothing")
        page = await client.get("/nothing", headers={"Accept": "text/html,*/*"})
        method = await client.delete("/api/v1/walk-requests")
    assert call.json() == {"type": "about:blank", "title": "Not Found", "status": 404}
    assert "Page not found" in page.text
    assert (method.status_code, method.headers["allow"]) == (405, "POST")


async def test_body_larger_than_the_limit_is_refused() -> None:
    """A body over a megabyte is refused, whether it says its length or arrives in pieces."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b"x" * 50_000

    async with program() as client:
        headers = {"Content-Type": "application/json"}
        whole = await client.post("/api/v1/walk-requests", content=b"x" * 1_000_001, headers=headers)
        parts = await client.post("/api/v1/walk-requests", content=pieces(), headers=headers)
    for answer in (whole, parts):
        assert answer.status_code == 413
        assert answer.json()["detail"] == "What you sent is larger than 1 MB."


async def test_requests_are_counted_by_template() -> None:
    """Metrics know the route's template, never the path: a path may hold the secret of a link."""
    registry = CollectorRegistry()
    async with program(registry) as client:
        await client.get("/s/canary-token?x=canary-query")
        await client.get("/canary-path")
        metrics = (await client.get("/metrics")).text
    counted = 'walkandtalk_http_requests_total{method="GET",route="/s/{token}",service="intake",status="200"} 1.0'
    assert counted in metrics
    assert 'route="unmatched",service="intake",status="404"' in metrics
    assert "walkandtalk_http_request_seconds_bucket" in metrics
    assert "canary" not in metrics + generate_latest(registry).decode()


async def test_correlation_id_is_taken_from_the_caller_or_made() -> None:
    """The caller's correlation id or trace id names the request; without one it gets its own."""
    given = "0198c0de-0000-7000-8000-000000000000"
    async with program() as client:
        named = await client.get("/", headers={"X-Correlation-Id": given})
        traced = await client.get("/", headers={"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01"})
        strange = await client.get("/", headers={"X-Correlation-Id": "canary", "traceparent": "canary"})
    assert named.headers["x-correlation-id"] == given
    assert traced.headers["x-correlation-id"].replace("-", "") == "ab" * 16
    assert len(strange.headers["x-correlation-id"]) == 36


async def test_readiness_of_pages_and_bus_are_told_apart() -> None:
    """Pages go on while the bus is down: each has its own readiness, and liveness asks for neither."""
    async with program() as client:
        for path in ("/health/live", "/health/ready", "/health/ready/bus"):
            assert (await client.get(path)).status_code == 200


async def test_documents_describe_calls_and_events() -> None:
    """OpenAPI and AsyncAPI are there for programs and as pages, with our problems and the sign-in of other systems."""
    async with program() as client:
        openapi = (await client.get("/openapi.json")).json()
        docs = await client.get("/docs", headers={"Accept": "text/html"})
        events = await client.get("/asyncapi", headers={"Accept": "text/html"})
        document = (await client.get("/asyncapi", headers={"Accept": "application/json"})).json()
    assert set(openapi["paths"]) == {
        "/api/v1/walk-requests",
        "/api/v1/walks/{walk_id}/cancel",
        "/api/v1/walks/{walk_id}",
        "/api/v1/broken/{how}",
    }
    operation = openapi["paths"]["/api/v1/walks/{walk_id}"]["get"]
    assert operation["security"] == [{"bearer": []}]
    assert list(operation["responses"]["422"]["content"]) == ["application/problem+json"]
    assert "POST /api/v1/walk-requests" in docs.text
    assert "walks.v1: WalkArranged" in events.text
    assert "This service sends this." in events.text
    assert document["asyncapi"] == "3.0.0"
