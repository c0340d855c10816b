"""SCIM 2.0 (RFC 7643, 7644): the force's identity provider keeps people and groups here, with a token of the force."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from services.assignment.dependencies import Dependencies, Deps
from services.assignment.domain.scim_text import (
    CORE_GROUP,
    CORE_USER,
    ENTERPRISE,
    Comparison,
    ScimRefused,
    error_body,
    filter_of,
)
from services.assignment.handlers import provisioning
from services.assignment.handlers.provisioning import Group, User
from services.assignment.routes.scim_discovery import CONFIG, RESOURCE_TYPES, SCHEMAS

MOST: Final = 200
"""Of a list at once."""
LIST: Final = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


class ScimAnswer(JSONResponse):
    """JSON of the protocol's own media type."""

    media_type = "application/scim+json"


class ScimRoute(APIRoute):
    """A route whose refusals are told as the protocol says."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handled(request: Request) -> Response:
            try:
                return await handle(request)
            except ScimRefused as refused:
                challenge = {"WWW-Authenticate": "Bearer"} if refused.status == 401 else {}
                return ScimAnswer(error_body(refused), refused.status, headers=challenge)

        return handled


router = APIRouter(prefix="/scim/v2", route_class=ScimRoute, default_response_class=ScimAnswer)


async def force_of_token(request: Request, deps: Deps) -> str:
    """The force whose token was brought.

    :raises ScimRefused: no token, or none of a force's.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    digest = hashlib.sha256(token.strip().encode()).digest()
    found: str | None = None
    # Each is compared, and each takes as long whatever it is.
    for force_id, known in deps.scim_tokens:
        if hmac.compare_digest(known, digest):
            found = force_id
    if found is None or scheme.lower() != "bearer":
        raise ScimRefused(401, "A token of a force is needed.")
    return found


Force = Annotated[str, Depends(force_of_token)]
Text = Annotated[str, Query(max_length=2000)]


@router.get("/ServiceProviderConfig")
async def config(_: Force, deps: Deps) -> ScimAnswer:
    """What is supported."""
    return ScimAnswer(_located(CONFIG, deps, "/ServiceProviderConfig"))


@router.get("/ResourceTypes")
async def resource_types(_: Force, deps: Deps) -> ScimAnswer:
    """What there is: people and groups."""
    return ScimAnswer(
        _list([_located(each, deps, f"/ResourceTypes/{name}") for name, each in RESOURCE_TYPES.items()], 2, 1)
    )


@router.get("/ResourceTypes/{name}")
async def resource_type(name: str, _: Force, deps: Deps) -> ScimAnswer:
    """One of them."""
    if name not in RESOURCE_TYPES:
        raise provisioning.not_found()
    return ScimAnswer(_located(RESOURCE_TYPES[name], deps, f"/ResourceTypes/{name}"))


@router.get("/Schemas")
async def schemas(_: Force, deps: Deps) -> ScimAnswer:
    """What is kept of people and groups."""
    return ScimAnswer(
        _list([_located(each, deps, f"/Schemas/{uri}") for uri, each in SCHEMAS.items()], len(SCHEMAS), 1)
    )


@router.get("/Schemas/{uri}")
async def schema(uri: str, _: Force, deps: Deps) -> ScimAnswer:
    """One of the schemas."""
    if uri not in SCHEMAS:
        raise provisioning.not_found()
    return ScimAnswer(_located(SCHEMAS[uri], deps, f"/Schemas/{uri}"))


@router.get("/Users")
async def list_users(
    request: Request,
    force_id: Force,
    deps: Deps,
    asked: Annotated[str, Query(alias="filter", max_length=2000)] = "",
    start: Annotated[str, Query(alias="startIndex", max_length=20)] = "1",
    count: Text = "100",
) -> ScimAnswer:
    """People, by userName, externalId, id or active."""
    first, many = _page(start, count)
    async with deps.database.transaction([force_id]) as tx:
        found, total = await provisioning.list_users(tx, force_id, _asked(asked), first, many)
    return ScimAnswer(_list([_only(user_body(each, deps), request) for each in found], total, first))


@router.post("/Users")
async def create_user(request: Request, force_id: Force, deps: Deps) -> ScimAnswer:
    """Somebody new."""
    sent = await _sent(request)
    async with deps.database.transaction([force_id]) as tx:
        made = await provisioning.create_user(tx, force_id, sent, deps.clock(), policies=deps.policies)
    body = user_body(made, deps)
    return ScimAnswer(body, 201, headers={"Location": body["meta"]["location"]})


@router.get("/Users/{user_id}")
async def show_user(request: Request, user_id: str, force_id: Force, deps: Deps) -> ScimAnswer:
    """Somebody."""
    async with deps.database.transaction([force_id]) as tx:
        found = await provisioning.user(tx, force_id, _id(user_id))
    return ScimAnswer(_only(user_body(found, deps), request))


@router.put("/Users/{user_id}")
async def replace_user(request: Request, user_id: str, force_id: Force, deps: Deps) -> ScimAnswer:
    """Somebody, sent whole."""
    return await _change_user(request, user_id, force_id, deps, whole=True)


@router.patch("/Users/{user_id}")
async def patch_user(request: Request, user_id: str, force_id: Force, deps: Deps) -> ScimAnswer:
    """Somebody changed. With active=false everything is lost at once, and walks go back to their queues."""
    return await _change_user(request, user_id, force_id, deps, whole=False)


async def _change_user(request: Request, user_id: str, force_id: str, deps: Dependencies, *, whole: bool) -> ScimAnswer:
    id_, sent = _id(user_id), await _sent(request)
    async with deps.database.transaction([force_id]) as tx:
        changed = await provisioning.change_user(
            tx, force_id, id_, sent, deps.clock(), policies=deps.policies, whole=whole
        )
    return ScimAnswer(_only(user_body(changed, deps), request))


@router.delete("/Users/{user_id}")
async def delete_user(user_id: str, force_id: Force, deps: Deps) -> Response:
    """Somebody the identity provider has no more."""
    async with deps.database.transaction([force_id]) as tx:
        await provisioning.delete_user(tx, force_id, _id(user_id), deps.clock(), policies=deps.policies)
    return Response(status_code=204)


@router.get("/Groups")
async def list_groups(
    request: Request,
    force_id: Force,
    deps: Deps,
    asked: Annotated[str, Query(alias="filter", max_length=2000)] = "",
    start: Annotated[str, Query(alias="startIndex", max_length=20)] = "1",
    count: Text = "100",
) -> ScimAnswer:
    """Groups, by displayName, externalId, id or a member."""
    first, many = _page(start, count)
    async with deps.database.transaction([force_id]) as tx:
        found, total = await provisioning.list_groups(tx, force_id, _asked(asked), first, many)
    return ScimAnswer(_list([_only(group_body(each, deps), request) for each in found], total, first))


@router.post("/Groups")
async def create_group(request: Request, force_id: Force, deps: Deps) -> ScimAnswer:
    """A new group; called like a team, it says who walks for that team."""
    sent = await _sent(request)
    async with deps.database.transaction([force_id]) as tx:
        made = await provisioning.create_group(tx, force_id, sent, deps.clock(), policies=deps.policies)
    body = group_body(made, deps)
    return ScimAnswer(body, 201, headers={"Location": body["meta"]["location"]})


@router.get("/Groups/{group_id}")
async def show_group(request: Request, group_id: str, force_id: Force, deps: Deps) -> ScimAnswer:
    """A group."""
    async with deps.database.transaction([force_id]) as tx:
        found = await provisioning.group_found(tx, force_id, _id(group_id))
    return ScimAnswer(_only(group_body(found, deps), request))


@router.put("/Groups/{group_id}")
async def replace_group(request: Request, group_id: str, force_id: Force, deps: Deps) -> ScimAnswer:
    """A group, sent whole."""
    return ScimAnswer(group_body(await _change_group(request, group_id, force_id, deps, whole=True), deps))


@router.patch("/Groups/{group_id}")
async def patch_group(request: Request, group_id: str, force_id: Force, deps: Deps) -> Response:
    """A group changed. Its members are not sent back: there may be thousands."""
    await _change_group(request, group_id, force_id, deps, whole=False)
    return Response(status_code=204)


async def _change_group(request: Request, group_id: str, force_id: str, deps: Dependencies, *, whole: bool) -> Group:
    id_, sent = _id(group_id), await _sent(request)
    async with deps.database.transaction([force_id]) as tx:
        return await provisioning.change_group(
            tx, force_id, id_, sent, deps.clock(), policies=deps.policies, whole=whole
        )


@router.delete("/Groups/{group_id}")
async def delete_group(group_id: str, force_id: Force, deps: Deps) -> Response:
    """A group the identity provider has no more."""
    async with deps.database.transaction([force_id]) as tx:
        await provisioning.delete_group(tx, force_id, _id(group_id), deps.clock(), policies=deps.policies)
    return Response(status_code=204)


def user_body(found: User, deps: Dependencies) -> dict[str, Any]:
    """A person as the protocol shows one."""
    row = found.row
    extension = [ENTERPRISE] if ENTERPRISE in row.document else []
    return {
        "schemas": [CORE_USER, *extension],
        "id": str(row.id),
        **row.document,
        "groups": [
            {"value": str(id_), "display": name, "$ref": _url(deps, f"/Groups/{id_}")} for id_, name in found.groups
        ],
        "meta": {
            "resourceType": "User",
            "created": row.created_at.isoformat(),
            "lastModified": row.changed_at.isoformat(),
            "location": _url(deps, f"/Users/{row.id}"),
        },
    }


def group_body(found: Group, deps: Dependencies) -> dict[str, Any]:
    """A group as the protocol shows one."""
    row = found.row
    return {
        "schemas": [CORE_GROUP],
        "id": str(row.id),
        "displayName": row.display_name,
        **({"externalId": row.external_id} if row.external_id else {}),
        "members": [{"value": str(id_), "$ref": _url(deps, f"/Users/{id_}")} for id_ in found.members],
        "meta": {
            "resourceType": "Group",
            "created": row.created_at.isoformat(),
            "lastModified": row.changed_at.isoformat(),
            "location": _url(deps, f"/Groups/{row.id}"),
        },
    }


def _list(found: Sequence[Mapping[str, Any]], total: int, start: int) -> dict[str, Any]:
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(found),
        "Resources": list(found),
    }


def _only(body: dict[str, Any], request: Request) -> dict[str, Any]:
    """What was asked for of a resource: `attributes` alone, or without `excludedAttributes`."""
    wanted, unwanted = (
        {part.strip().partition(".")[0].lower() for part in request.query_params.get(name, "").split(",")} - {""}
        for name in ("attributes", "excludedAttributes")
    )
    always = {"schemas", "id"}
    return {
        key: value
        for key, value in body.items()
        if key in always or ((not wanted or key.lower() in wanted) and key.lower() not in unwanted)
    }


def _located(body: Mapping[str, Any], deps: Dependencies, path: str) -> dict[str, Any]:
    return {**body, "meta": {**body["meta"], "location": _url(deps, path)}}


def _url(deps: Dependencies, path: str) -> str:
    return f"{deps.settings.assignment_url.rstrip('/')}/scim/v2{path}"


def _asked(text: str) -> tuple[Comparison, ...]:
    return filter_of(text) if text.strip() else ()


def _page(start: str, count: str) -> tuple[int, int]:
    """From which one on and how many; less than the first is the first, and less than none is none (§3.4.2.4)."""
    try:
        return min(max(1, int(start)), 10**9), min(max(0, int(count)), MOST)
    except ValueError:
        raise ScimRefused(400, "startIndex and count must be whole numbers.", "invalidValue") from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise provisioning.not_found() from None


async def _sent(request: Request) -> object:
    try:
        found: object = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise ScimRefused(400, "What was sent cannot be read as JSON.", "invalidSyntax") from None
    return found
