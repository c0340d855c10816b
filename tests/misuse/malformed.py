"""Requests for a walk that are not as they must be, made by schemathesis and hypothesis from what intake says it takes:
its OpenAPI document and the models behind its form. Each is refused, and the answer names a field that is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final, get_origin
from urllib.parse import urlencode, urlsplit

import httpx
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError
from schemathesis import Case, GenerationMode

from services.intake.form.changing import HowToReach, WhereAndWhen
from services.intake.form.fields import Consent
from services.intake.form.questions import BY_SLUG
from services.intake.requesting import WalkRequestIn
from shared.web import csrf
from shared.web.edge import MEGABYTE
from tests.misuse.doors import Form, Ground, accepts
from tests.misuse.flood import Found
from tests.misuse.hostile import TEXTS

KIND: Final = "malformed requests"
CALL: Final = "/api/v1/walk-requests"
_ROUND: Final = 250
_MODELS: Final[dict[str, type[BaseModel]]] = {
    "check": Consent,
    "change": WhereAndWhen,
    "contact": HowToReach,
}
_NAMED: Final = re.compile(r'<a href="#([^"]+)"')
_HELD: Final = re.compile(r'\bid="([^"]+)"')
_LISTED: Final = re.compile(r"<li>([\w.-]+) ")


def pour(ground: Ground, seed: int, inputs: int, tell: Callable[[int], None]) -> Found:
    """Send so many, half to the call and half to pages of the form, and judge each answer."""
    found = Found(KIND)
    with httpx.Client(base_url=ground.stack.urls["intake"], timeout=90) as client:
        for round_, send in enumerate(_rounds(ground, client, found, tell, inputs)):
            send(seed * 1_000 + round_)
    return found


def _rounds(
    ground: Ground, client: httpx.Client, found: Found, tell: Callable[[int], None], inputs: int
) -> list[Callable[[int], None]]:
    calls, posts = _calls(ground), _posts(ground)

    def send_calls(seed: int, many: int) -> None:
        @seeded(seed)
        @_made(many)
        @given(case=calls)
        def one(case: Case[Any]) -> None:
            if _is_sound(case):
                return
            _judge_call(found, case, case.call(timeout=90))
            tell(1)

        one()

    def send_posts(seed: int, many: int) -> None:
        @seeded(seed)
        @_made(many)
        @given(post=posts)
        def one(post: tuple[Form, type[BaseModel], list[tuple[str, str]]]) -> None:
            form, model, pairs = post
            if not _refused(model, pairs):
                return
            token = next(value for name, value in form.fields if name == csrf.FIELD)
            body = urlencode([(csrf.FIELD, token), *pairs], errors="surrogatepass")
            if len(body) > MEGABYTE:
                return
            headers = {
                "Cookie": form.cookies, "Accept": "text/html", "Content-Type": "application/x-www-form-urlencoded"
            }  # fmt: skip
            _judge_post(found, form, model, client.post(form.action, content=body, headers=headers))
            tell(1)

        one()

    def until(send: Callable[[int, int], None], most: int) -> Callable[[int], None]:
        def go(seed: int) -> None:
            # Some of what is made is sound after all, and is not sent.
            goal, turn = found.sent + most, 0
            while (left := goal - found.sent) > 0:
                send(seed * 100 + turn, min(left, _ROUND))
                turn += 1

        return go

    half = inputs // 2
    return [until(send_calls, half), until(send_posts, inputs - half)]


def _made(many: int) -> settings:
    return settings(
        max_examples=many,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


# The call ------------------------------------------------------------------------------------------------------------


def _calls(ground: Ground) -> st.SearchStrategy[Case[Any]]:
    document = schemathesis.openapi.from_url(f"{ground.stack.urls['intake']}/openapi.json")
    made: st.SearchStrategy[Case[Any]] = document[CALL]["POST"].as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return made


def _is_sound(case: Case[Any]) -> bool:
    """Whether intake may take it: then it is no malformed one."""
    key = {name.lower(): value for name, value in (case.headers or {}).items()}.get("idempotency-key")
    # On its way a header loses spaces around it, and other letters than ASCII change their number.
    usable = isinstance(key, str) and (not key.isascii() or 8 <= len(key.strip()) <= 200)
    return usable and accepts(WalkRequestIn, case.body)


def _judge_call(found: Found, case: Case[Any], answer: Any) -> None:
    number, status = found.sent, int(answer.status_code)
    found.sent += 1
    found.statuses[status] += 1
    told = f"POST {CALL} with {case.body!r}"[:600]
    if status >= 500:
        found.broken += 1
        found.fault(number, f"{told}: {status}")
    elif status < 400:
        found.accepted += 1
        found.fault(number, f"{told}: {status} for what must be refused")
    elif status in (400, 422):
        # 400: the body is no text at all.
        fields = [one["field"] for one in answer.json().get("errors", ())]
        if not fields or not all(_known(one, case.body) for one in fields):
            found.fault(number, f"{told}: names {fields}")
    elif status not in (413, 415):
        found.fault(number, f"{told}: {status}")


def _known(field: str, body: Any) -> bool:
    """A field of the model, or a part of what was sent that the model does not know ("?" where its name is no name)."""
    top = field.split(".")[0]
    return (
        top in WalkRequestIn.model_fields
        or top in ("body", "header", "?", "Idempotency-Key", "idempotency-key")
        or top in _names(body)
    )


def _names(body: Any) -> set[str]:
    """Every name in what was sent."""
    if isinstance(body, dict):
        return {str(name) for name in body}.union(*(_names(inner) for inner in body.values()))
    return set().union(*(_names(inner) for inner in body)) if isinstance(body, list) else set()


# Pages of the form ----------------------------------------------------------------------------------------------------


def _posts(ground: Ground) -> st.SearchStrategy[tuple[Form, type[BaseModel], list[tuple[str, str]]]]:
    of_hers = [(form, model) for form in ground.forms if (model := _model_of(form)) is not None]
    if not of_hers:
        raise AssertionError("no page of the form was found")
    return st.sampled_from(of_hers).flatmap(
        lambda one: st.tuples(st.just(one[0]), st.just(one[1]), _pairs(one[0], one[1]))
    )


def _model_of(form: Form) -> type[BaseModel] | None:
    """What the page of a form takes."""
    parts = urlsplit(form.action).path.rsplit("/", 2)
    if form.service != "intake" or len(parts) < 3:
        return None
    if parts[1] == "request" and parts[2] in BY_SLUG:
        return BY_SLUG[parts[2]].model
    return _MODELS.get(parts[2]) if parts[1] == "request" or "/your-request/" in form.action else None


def _pairs(form: Form, model: type[BaseModel]) -> st.SearchStrategy[list[tuple[str, str]]]:
    text = st.one_of(
        st.sampled_from([one.format(m="malformed") for one in TEXTS]),
        st.text(max_size=40),
        st.text(alphabet="0123456789 -+.,", max_size=12),
        st.integers(1_000, 6_000).map(lambda many: "Canary " * (many // 7)),
        st.sampled_from([value for _, value in form.fields if value] or ["yes"]),
    )
    names = [name for name in model.model_fields if name != csrf.FIELD]
    aliases = [model.model_fields[name].alias or name for name in names]
    return st.lists(st.tuples(st.sampled_from(aliases), text), max_size=len(aliases) + 2)


def _refused(model: type[BaseModel], pairs: list[tuple[str, str]]) -> bool:
    """Whether the model of the page refuses it, read as shared.web.forms reads it."""
    values: dict[str, Any] = {}
    for name, value in pairs:
        sent = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace").strip()
        described = model.model_fields.get(name)
        several = described is not None and get_origin(described.annotation) in (list, set, frozenset, tuple)
        if sent and several:
            values.setdefault(name, []).append(sent)
        elif sent:
            values[name] = sent
    if any("\0" in value for _, value in pairs):
        return True
    try:
        model.model_validate(values)
    except ValidationError:
        return True
    return False


def _judge_post(found: Found, form: Form, model: type[BaseModel], answer: httpx.Response) -> None:
    number, status = found.sent, answer.status_code
    found.sent += 1
    found.statuses[status] += 1
    told = f"POST {form.action}"
    if status >= 500:
        found.broken += 1
        found.fault(number, f"{told}: {status}")
    elif status < 400:
        found.accepted += 1
        found.fault(number, f"{told}: {status} for what must be refused")
    elif status != 422:
        found.fault(number, f"{told}: {status}")
    else:
        page, known = answer.text, {info.alias or name for name, info in model.model_fields.items()}
        named, held = set(_NAMED.findall(page)) - {"main-content"}, set(_HELD.findall(page))
        # Before a page is made of it a text with U+0000 is refused, and the answer lists the field.
        listed = set(_LISTED.findall(page))
        shown = {name for name, _ in form.fields}
        if not (named | listed) & known or (named & shown) - held:
            found.fault(number, f"{told}: names {sorted(named)[:5]}")
