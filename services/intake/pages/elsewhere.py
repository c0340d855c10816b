"""A place that is not of the force she asks: said at once, and handed over with all she typed if she agrees."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.intake.dependencies import Dependencies, Deps, policy_of
from services.intake.form import sitting
from services.intake.form.answers import place_of
from services.intake.form.aside import aside, handed_over, settled, taken_up
from services.intake.form.questions import BY_SLUG
from services.intake.form.step import Answers
from services.intake.handlers import drafts
from services.intake.handlers.drafts import Draft
from services.intake.pages.form import at, cookie_name, draft_of, forget_cookie, gone, keep_cookie
from shared.web import forms
from shared.web.edge import content_policy
from shared.web.hosts import force_of_host
from shared.web.languages import ENGLISH, spoken
from shared.web.pages import render
from shared.web.site import site_of

router = APIRouter()

FIND_A_FORCE = "https://www.police.uk/pu/your-area/"
"""By postcode, of every force; the same for whichever force she asked."""


def owner_of(place: Answers, force: str, deps: Dependencies) -> str | None:
    """The force for a walk at this place, None where it is none that we know."""
    return deps.force_ground.force_of(place_of(place, deps.postcodes), force)


def _shortcut(force: str, draft: Draft, deps: Dependencies) -> str | None:
    """Where she belongs if nothing of hers is aside: the page of a form that was sent, or the question of the place."""
    if "reference" in draft.content:
        return at(force, "done")
    place = aside(draft.content)
    return at(force, "place") if not place or owner_of(place, force, deps) == force else None


@router.get("/{force}/request/elsewhere")
async def elsewhere(request: Request, force: str, deps: Deps) -> Response:
    """Whose place it is, and what she can do."""
    policy = policy_of(force, deps)
    draft = await draft_of(request, force, deps)
    if draft is None:
        return gone(request, force)
    if (there := _shortcut(force, draft, deps)) is not None:
        return RedirectResponse(there, 303)
    place = aside(draft.content)
    owner = owner_of(place, force, deps)
    [slug] = place
    change = bool(request.query_params.get("change"))
    return render(
        request,
        "elsewhere.html",
        force_id=force,
        policy=policy,
        owner=deps.policies[owner].in_language(spoken()) if owner else None,
        postcode=place.get("place", {}).get("postcode"),
        find=FIND_A_FORCE,
        another=at(force, slug, change=change),
        here=f"/{force}/request/elsewhere",
        change=change,
    )


@router.post("/{force}/request/elsewhere/keep")
async def keep(request: Request, force: str, deps: Deps) -> Response:
    """No force we know has the place, and she says that it is this one's: a person of the force looks at it."""
    policy = policy_of(force, deps)
    token = request.cookies.get(cookie_name(request), "")
    async with deps.database.transaction([force]) as tx:
        draft = await drafts.read_draft(tx, force, token, deps.clock(), keeping=deps.keeping, hold=True)
        if draft is None:
            return gone(request, force)
        if (there := _shortcut(force, draft, deps)) is not None:
            return RedirectResponse(there, 303)
        if owner_of(aside(draft.content), force, deps) is not None:
            return RedirectResponse(at(force, "elsewhere"), 303)
        answers = taken_up(draft.content)
        await drafts.save_draft(tx, draft, settled(draft.content, answers), keeping=deps.keeping)
    change = bool(request.query_params.get("change"))
    following = sitting.after(BY_SLUG["place"], answers, policy, from_check=change)
    return RedirectResponse(at(force, following, change=change and following != "check"), 303)


@router.post("/{force}/request/elsewhere/hand-over")
async def hand_over(request: Request, force: str, deps: Deps) -> Response:
    """She goes on with the force whose place it is: that force's form holds all she typed, this one's is gone.

    Sent twice it is handed over once: the second finds no form.
    """
    policy_of(force, deps)
    token = request.cookies.get(cookie_name(request), "")
    draft = await draft_of(request, force, deps)
    if draft is None:
        return gone(request, force)
    if (there := _shortcut(force, draft, deps)) is not None:
        return RedirectResponse(there, 303)
    owner = owner_of(aside(draft.content), force, deps)
    if owner is None:
        return RedirectResponse(at(force, "elsewhere"), 303)
    now = deps.clock()
    async with deps.database.transaction([force, owner]) as tx:
        held = await drafts.read_draft(tx, force, token, now, keeping=deps.keeping, hold=True)
        if held is None or held.content != draft.content:
            # Another tab was faster: she sees what has become of it.
            return RedirectResponse(at(force, "elsewhere"), 303)
        content = handed_over(held.content, deps.policies[owner])
        new = await drafts.hand_over(tx, held, owner, content, now, keeping=deps.keeping)
    return _over_there(request, force, owner, new, deps)


def _over_there(request: Request, force: str, owner: str, token: str, deps: Dependencies) -> Response:
    """Her way to the form that holds her answers now: at once, or by a button where it is under another name.

    A browser keeps a cookie to one name, so under another the form's token travels there in the body of a form.
    """
    there = deps.policies[owner].in_language(spoken())
    path = at(owner, "eligibility", change=True)
    if force_of_host(request) is None:
        # An address with a name keeps its own language; a path would get that of this page.
        understood = spoken() in (ENGLISH, *there.languages)
        response: Response = RedirectResponse(path if understood else site_of(request).own_url + path, 303)
        keep_cookie(request, response, token)
        return response
    home = deps.keeping.home(owner)
    prefix = f"/{spoken()}" if spoken() != ENGLISH and spoken() in there.languages else ""
    action = f"{home}{prefix}/{owner}/request/take-over"
    response = render(
        request, "handed_over.html", force_id=force, owner=there, token=token, action=action, back=f"/{force}/"
    )
    forget_cookie(request, response)
    # This page alone sends a form to another name of ours, and tells that name where the form comes from.
    response.headers["content-security-policy"] = content_policy(request.app.state.pages.inline_script_hash, home)
    response.headers["referrer-policy"] = "origin"
    return response


class TakeOver(BaseModel):
    """What a page under another of our names hands over."""

    sitting: Annotated[str, Field(max_length=100)]


@router.post("/{force}/request/take-over")
async def take_over(request: Request, force: str, deps: Deps) -> Response:
    """She arrives with the token of a form that was handed over to this force."""
    policy_of(force, deps)
    form = await forms.read(request, TakeOver)
    response = RedirectResponse(at(force, "eligibility", change=True), 303)
    if form.data is not None:
        async with deps.database.transaction([force]) as tx:
            draft = await drafts.read_draft(tx, force, form.data.sitting, deps.clock(), keeping=deps.keeping)
        if draft is not None and "reference" not in draft.content:
            keep_cookie(request, response, form.data.sitting)
            return response
    return gone(request, force)
