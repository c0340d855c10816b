"""Before the form: which force, what a walk is, and for whom it is not."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Deps, policy_of
from services.intake.requesting import known_campaign
from shared.contracts.policy import ForcePolicy
from shared.web.hosts import force_of_host
from shared.web.pages import render

router = APIRouter()


def came_by(request: Request, policy: ForcePolicy) -> str:
    """The end of the next page's address that says by which link of the force she came; nothing of hers is in it."""
    campaign = known_campaign(policy, request.query_params.get("from"))
    return f"?from={campaign}" if campaign else ""


@router.get("/")
async def forces(request: Request, deps: Deps) -> Response:
    """Choose a force; at the name of one it is chosen."""
    if (force := force_of_host(request)) is not None:
        return RedirectResponse(f"/{force}/{came_by(request, deps.policies[force])}", 303)
    return render(request, "forces.html", forces=[deps.policies[force] for force in deps.policies.forces])


@router.get("/{force}/")
async def start(request: Request, force: str, deps: Deps) -> Response:
    """What a walk is, and what to do instead in an emergency."""
    policy = policy_of(force, deps)
    return render(request, "start.html", force_id=force, policy=policy, came_by=came_by(request, policy))


@router.get("/{force}/request/before")
async def before(request: Request, force: str, deps: Deps) -> Response:
    """How to leave quickly, what that cannot do, and what is kept where: read before the first question."""
    policy = policy_of(force, deps)
    return render(request, "before.html", force_id=force, policy=policy, came_by=came_by(request, policy))


@router.get("/{force}/request/not-eligible")
async def not_eligible(request: Request, force: str, deps: Deps) -> Response:
    """For whom the scheme is not, and who can help instead."""
    return render(request, "not_eligible.html", force_id=force, policy=policy_of(force, deps))
