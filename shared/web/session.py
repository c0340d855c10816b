"""Who is signed in, kept in an encrypted cookie for eight hours and not a minute longer."""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from starlette.requests import HTTPConnection
from starlette.responses import Response

from shared.web.access import Role
from shared.web.site import Site

LASTS = timedelta(hours=8)
COOKIE = "session"


class SignInNeeded(Exception):
    """Sign in to go on."""


@dataclass(frozen=True, slots=True)
class User:
    """A member of staff, or of a partner's staff, as the identity provider vouches for them."""

    sub: str
    name: str
    roles: frozenset[Role]
    force_id: str
    team_id: str | None = None
    partner_id: str | None = None


def sealed(key: bytes, content: dict[str, Any], now: datetime) -> str:
    """The content as an encrypted, dated text."""
    box = Fernet(base64.urlsafe_b64encode(key))
    return box.encrypt_at_time(json.dumps(content).encode(), int(now.timestamp())).decode()


def opened(key: bytes, text: str, now: datetime, lasts: timedelta) -> dict[str, Any] | None:
    """What sealed() was given, None for anything else and for what is too old."""
    box = Fernet(base64.urlsafe_b64encode(key))
    try:
        content = json.loads(
            box.decrypt_at_time(text.encode(), ttl=int(lasts.total_seconds()), current_time=int(now.timestamp()))
        )
    except (InvalidToken, ValueError):
        return None
    return content if isinstance(content, dict) else None


def text_of(user: User) -> dict[str, Any]:
    """A user as JSON holds it."""
    return {
        "sub": user.sub,
        "name": user.name,
        "roles": sorted(user.roles),
        "force": user.force_id,
        "team": user.team_id,
        "partner": user.partner_id,
    }


def user_of(content: dict[str, Any]) -> User:
    """A user as text_of() wrote it."""
    return User(
        sub=content["sub"],
        name=content["name"],
        roles=frozenset(Role(role) for role in content["roles"]),
        force_id=content["force"],
        team_id=content["team"],
        partner_id=content["partner"],
    )


def from_cookie(connection: HTTPConnection, site: Site, forces: Collection[str], now: datetime) -> User | None:
    """Who the session cookie says is signed in, None when it is absent, foreign, too old, or of none of the forces."""
    text = connection.cookies.get(site.cookie(COOKIE))
    if not text:
        return None
    content = opened(site.session_key, text, now, LASTS)
    try:
        user = user_of(content["user"]) if content else None
    except (KeyError, TypeError, ValueError):
        # Sealed by an older or newer version of us: sign in again.
        return None
    # A force that is served no longer, or that the provider may speak for no longer, has no sessions.
    return user if user is not None and user.force_id in forces else None


def ends(connection: HTTPConnection, site: Site) -> datetime | None:
    """When the session of this browser ends by itself, None where there is none."""
    text = connection.cookies.get(site.cookie(COOKIE))
    if not text:
        return None
    try:
        began = Fernet(base64.urlsafe_b64encode(site.session_key)).extract_timestamp(text.encode())
    except InvalidToken:
        return None
    return datetime.fromtimestamp(began, UTC) + LASTS


def keep(response: Response, user: User, site: Site, now: datetime) -> None:
    """Sign the user in by setting the session cookie."""
    response.set_cookie(
        site.cookie(COOKIE),
        sealed(site.session_key, {"user": text_of(user)}, now),
        max_age=int(LASTS.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=site.secure,
    )


def forget(response: Response, site: Site) -> None:
    """Sign the user out by removing the session cookie."""
    response.delete_cookie(site.cookie(COOKIE), httponly=True, samesite="lax", secure=site.secure)


async def current_user(connection: HTTPConnection) -> User:
    """The signed-in user, for handlers: `user: User = Depends(current_user)`. Raises SignInNeeded when nobody is."""
    # FastAPI would call a plain function in a thread.
    user = getattr(connection.state, "user", None)
    if not isinstance(user, User):
        raise SignInNeeded
    return user


def user_or_nobody(connection: HTTPConnection) -> User | None:
    """The signed-in user, None for the public."""
    user = getattr(connection.state, "user", None)
    return user if isinstance(user, User) else None
