"""The four APIs as their OpenAPI documents describe them: asked anything, they answer as declared, never with a 5xx."""

from __future__ import annotations

from random import Random
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.errors import NoLinksFound
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.contracts.catalogue import SERVICES
from tests.misuse.doors import Ground, doors

pytestmark = pytest.mark.timeout(300)

CHECKS: Final = (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    not_a_server_error,
)
quickly = settings(
    max_examples=6,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def document_of(ground: Ground, service: str) -> Any:
    return schemathesis.openapi.from_url(f"{ground.stack.urls[service]}/openapi.json")


def headers_for(ground: Ground, service: str, case: Case[Any], choose: Random) -> dict[str, str]:
    """The right role mostly, a wrong one or nobody otherwise."""
    rule = next(one.rule for one in doors() if (one.service, one.method, one.path) == (service, case.method, case.path))
    may = ground.people_for(rule)
    who = choose.choice(may if choose.random() < 0.8 else ["", *ground.tokens])
    return {"Authorization": f"Bearer {ground.tokens[who]}"} if who else {}


def problems_with(answer: Any) -> str | None:
    """What is wrong with a refusal: no problem document, or one that names no field where fields are wrong."""
    if answer.status_code < 400:
        return None
    if not answer.headers["content-type"][0].startswith("application/problem+json"):
        return f"{answer.status_code} is no problem document"
    problem = answer.json()
    if problem["status"] != answer.status_code or not problem["title"]:
        return "a problem document that says another status"
    if problem["type"].endswith("invalid-fields") and not all(one["field"] for one in problem["errors"]):
        return "invalid fields without a name"
    return None


@pytest.mark.parametrize("service", SERVICES)
def test_each_call_answers_as_its_document_declares(ground: Ground, service: str) -> None:
    """Every operation with what its schema allows and with what it forbids, by those who may and those who may not:
    declared statuses and bodies, problem documents that name fields, no 5xx."""
    choose = Random(service)
    for found in document_of(ground, service).get_all_operations():
        operation = found.ok()
        for mode in GenerationMode:

            @quickly
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: Case[Any]) -> None:
                answer = case.call(headers=headers_for(ground, service, case, choose), timeout=60)
                case.validate_response(answer, checks=list(CHECKS))
                assert problems_with(answer) is None, (case, problems_with(answer))

            try:
                ask()
            except Unsatisfiable:
                # Whatever is said in an address may be said: the document forbids nothing there.
                assert mode is GenerationMode.NEGATIVE, operation.label


def test_calls_one_after_the_other_answer_as_declared(ground: Ground) -> None:
    """Calls in sequence, ids of one answer used in the next wherever a document lets one be found: the same holds on
    the way."""
    visited = []
    for service in SERVICES:
        choose = Random(service)

        class Visits(document_of(ground, service).as_state_machine()):  # type: ignore[misc]  # made at run time
            def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
                return {"headers": headers_for(ground, service, case, choose), "timeout": 60}  # noqa: B023  # run here

            def validate_response(self, response: Any, case: Case[Any], **_: Any) -> None:
                case.validate_response(response, checks=list(CHECKS))
                assert problems_with(response) is None, (case, problems_with(response))

        try:
            Visits.run(
                settings=settings(
                    max_examples=4, stateful_step_count=8, deadline=None, database=None, phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
            )  # fmt: skip
        except NoLinksFound:
            # A service whose calls hand nothing to one another.
            continue
        visited.append(service)
    assert {"assignment", "partners"} <= set(visited)
