"""An identity provider that keeps people here by SCIM: requests as Entra ID, Okta and Keycloak write them."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI

TOKEN: Final = "a token of 32 random bytes, in base64, for Avon and Somerset"  # noqa: S105  # of a test
OTHER_TOKEN: Final = "a token of 32 random bytes, in base64, for the Metropolitan Police"  # noqa: S105  # of a test
PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"


def tokens_file(folder: Path) -> Path:
    """Digests of the two forces' tokens, as an administrator keeps them."""
    file = folder / "scim-tokens"
    lines = [("avon-and-somerset", TOKEN), ("metropolitan", OTHER_TOKEN)]
    text = "".join(f"{force} {hashlib.sha256(token.encode()).hexdigest()}\n" for force, token in lines)
    file.write_text(f"# force, SHA-256 of its token\n\n{text}")
    return file


@asynccontextmanager
async def provider(app: FastAPI, token: str | None = TOKEN) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a force's token."""
    headers = {"content-type": "application/scim+json"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost:8002/scim/v2", headers=headers
    ) as client:
        yield client


def entra_user(subject: str = "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef", **changed: Any) -> dict[str, Any]:
    """Somebody as Entra ID creates one: its default mapping, with userType and department of the force's own."""
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": subject,
        "userName": f"{subject}@avon-and-somerset.example",
        "active": True,
        "displayName": "PC Siân Llŷr-Jones",
        "emails": [{"primary": True, "type": "work", "value": f"{subject}@avon-and-somerset.example"}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": "Siân Llŷr-Jones", "familyName": "Llŷr-Jones", "givenName": "Siân"},
        "roles": [],
        "userType": "Officer",
        "phoneNumbers": [{"type": "work", "value": "01275 818340"}],
        ENTERPRISE: {"employeeNumber": "4711", "department": "bs1", "manager": None},
        **changed,
    }


def okta_user(subject: str = "00ujl29u0le5t6aj10h7", **changed: Any) -> dict[str, Any]:
    """Somebody as Okta creates one, a password among it."""
    return {
        "schemas": [USER],
        "userName": "test.user@okta.local",
        "name": {"givenName": "Test", "familyName": "User"},
        "emails": [{"primary": True, "value": "test.user@okta.local", "type": "work"}],
        "displayName": "Test User",
        "locale": "en-GB",
        "externalId": subject,
        "groups": [],
        "password": "1mz050nq",
        "active": True,
        **changed,
    }


def keycloak_user(subject: str = "f4c1d2a0-52f3-4a3e-8d4e-1f8f6d0c7a11", **changed: Any) -> dict[str, Any]:
    """Somebody as the SCIM clients of Keycloak create one."""
    return {
        "schemas": [USER],
        "externalId": subject,
        "userName": "mei",
        "name": {"familyName": "Chan", "givenName": "Mei"},
        "displayName": "Mei Chan",
        "active": True,
        "emails": [{"value": "mei@example.org"}],
        "roles": [],
        **changed,
    }


def operations(*each: dict[str, Any]) -> dict[str, Any]:
    """A PATCH of these operations."""
    return {"schemas": [PATCH], "Operations": list(each)}
