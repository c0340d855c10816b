"""What an identity provider may ask before it sends anybody: what is supported, and what is kept (RFC 7643 §5-7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from services.assignment.domain.scim_text import CORE_GROUP, CORE_USER, ENTERPRISE

CONFIG: Final[Mapping[str, Any]] = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
    "patch": {"supported": True},
    "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
    "filter": {"supported": True, "maxResults": 200},
    "changePassword": {"supported": False},
    "sort": {"supported": False},
    "etag": {"supported": False},
    "authenticationSchemes": [
        {
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token of the force, made and kept by whoever runs this service.",
            "primary": True,
        }
    ],
    "meta": {"resourceType": "ServiceProviderConfig"},
}

RESOURCE_TYPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "User": {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "description": "Somebody who may sign in; with kind and team, a walking officer.",
        "schema": CORE_USER,
        "schemaExtensions": [{"schema": ENTERPRISE, "required": False}],
        "meta": {"resourceType": "ResourceType"},
    },
    "Group": {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "Group",
        "name": "Group",
        "endpoint": "/Groups",
        "description": "Called like a team of the force: who walks for that team.",
        "schema": CORE_GROUP,
        "meta": {"resourceType": "ResourceType"},
    },
}


def _attribute(
    name: str, description: str, *, required: bool = False, unique: bool = False, kind: str = "string", **more: Any
) -> dict[str, Any]:
    return {
        "name": name,
        "type": kind,
        "multiValued": False,
        "description": description,
        "required": required,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "server" if unique else "none",
        **more,
    }


def _schema(uri: str, name: str, description: str, attributes: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"],
        "id": uri,
        "name": name,
        "description": description,
        "attributes": attributes,
        "meta": {"resourceType": "Schema"},
    }


SCHEMAS: Final[Mapping[str, Mapping[str, Any]]] = {
    CORE_USER: _schema(
        CORE_USER,
        "User",
        "Somebody who may sign in",
        [
            _attribute("userName", "How the identity provider calls the account", required=True, unique=True),
            _attribute("externalId", "The subject of the sign-in", unique=True, caseExact=True),
            _attribute("displayName", "Rank and name, as colleagues read it"),
            _attribute(
                "name",
                "The name in parts, where no displayName is sent",
                kind="complex",
                subAttributes=[
                    _attribute("formatted", "The whole name"),
                    _attribute("givenName", "Given name"),
                    _attribute("familyName", "Family name"),
                ],
            ),
            _attribute("active", "False takes everything away at once", kind="boolean"),
            _attribute("userType", "officer, pcso or dedicated-ward-officer; anything else is no walking officer"),
            _attribute(
                "emails",
                "Work e-mail",
                kind="complex",
                multiValued=True,
                subAttributes=[
                    _attribute("value", "The address"),
                    _attribute("type", "work"),
                    _attribute("primary", "Whether it is used before others", kind="boolean"),
                ],
            ),
            _attribute(
                "groups",
                "The groups the person is in",
                kind="complex",
                multiValued=True,
                mutability="readOnly",
                subAttributes=[
                    _attribute("value", "The id of the group", mutability="readOnly"),
                    _attribute("display", "Its name", mutability="readOnly"),
                ],
            ),
        ],
    ),
    ENTERPRISE: _schema(
        ENTERPRISE,
        "EnterpriseUser",
        "Where somebody works",
        [_attribute("department", "Name or id of the officer’s own team")],
    ),
    CORE_GROUP: _schema(
        CORE_GROUP,
        "Group",
        "A team, where it is called like one",
        [
            _attribute("displayName", "Name or id of a team of the force", required=True, unique=True),
            _attribute("externalId", "The identity provider’s own id of the group", caseExact=True),
            _attribute(
                "members",
                "Who is in it",
                kind="complex",
                multiValued=True,
                subAttributes=[_attribute("value", "The id of a user", mutability="immutable")],
            ),
        ],
    ),
}
