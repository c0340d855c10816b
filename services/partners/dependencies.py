"""What routes and pages of partners are given, and whose referrals the user who asks may see."""

from __future__ import annotations

from typing import Literal, cast

from starlette.requests import Request

from services.partners.domain import OPEN, ReferralNotFound, ReferralState
from services.partners.settings import Settings
from shared.runtime import Dependencies
from shared.web.access import Role
from shared.web.session import User

State = Literal["open", "made", "accepted", "declined", "resolved", "withdrawn"]
"""What a list may be narrowed to; open is what was made or accepted."""


class Deps(Dependencies[Settings]):
    """Partners' dependencies."""


async def dependencies(request: Request) -> Deps:
    """The dependencies of the application that is answering."""
    # FastAPI would call a plain function in a thread.
    return cast(Deps, request.app.state.dependencies)


def is_police(user: User) -> bool:
    """Whether this is a coordinator, who sees and answers for every partner of the force."""
    return Role.COORDINATOR in user.roles


def own_partner(user: User) -> str | None:
    """The partner this user belongs to; None for a coordinator.

    :raises ReferralNotFound: a partner's user without a partner has no referrals.
    """
    if is_police(user):
        return None
    if user.partner_id is None:
        raise ReferralNotFound
    return user.partner_id


def states_of(state: State | None) -> tuple[ReferralState, ...]:
    """The states a filter asks for."""
    match state:
        case None:
            return tuple(ReferralState)
        case "open":
            return OPEN
        case _:
            return (ReferralState(state),)
