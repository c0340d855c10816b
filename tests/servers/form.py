"""Fills in the request form page after page, as a browser without JavaScript does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from typing import Final

import httpx

ANSWERS: Final[Mapping[str, str | list[str]]] = {
    "adult": "yes",
    "who": "herself",
    "postcode": "BS1 4DJ",
    "stops": "BS1 5TR",
    "words": "The lamps are out",
    "access": "",
    "languages": "",
    "recognise": "marmalade",
    "local": "yes",
    "reasons": ["badly-lit"],
    "days": ["monday", "saturday"],
    "parts": ["evening"],
    "group": "yes",
    "name": "Siân Ffrancon-Davies",
    "channels": ["email"],
    "email": "sian@demo.example",
    "phone": "07700 900123",
    "address": "1 Demo Street",
    "times": ["early-morning", "daytime", "evening"],
    "say_police": "yes",
    "calendar": "no",
    "voicemail": "no",
    "officers": "",
    "teams": "",
    "survey": "yes",
    "about": "yes",
    "sex": "female",
    "consent": "yes",
}

_FORM: Final = re.compile(r'<form method="post" action="([^"]*)".*?</form>', re.DOTALL)
_INPUT: Final = re.compile(r"<(?:input|textarea|select)\b([^>]*)>")
_ATTRIBUTE: Final = re.compile(r'([a-z-]+)="([^"]*)"')


def fields_of(form: str) -> list[dict[str, str]]:
    """The attributes of every field of a form."""
    return [{name: unescape(value) for name, value in _ATTRIBUTE.findall(tag)} for tag in _INPUT.findall(form)]


async def fill_in(
    client: httpx.AsyncClient,
    force: str,
    changed: Mapping[str, str | list[str]] | None = None,
    *,
    came_by: str = "",
) -> str:
    """Go from the first question to the page that says it is done; that page's HTML.

    :raises AssertionError: a page showed an error, or the form had no end.
    """
    answers = {**ANSWERS, **(changed or {})}
    page = await client.get(f"/{force}/request/eligibility{came_by}")
    for _ in range(60):
        assert page.status_code == 200, (page.url.path, page.status_code)
        if page.url.path.endswith("/done"):
            return page.text
        found = next(one for one in _FORM.finditer(page.text) if "/request/" in one[1])
        sent: dict[str, str | list[str]] = {}
        for one in fields_of(found[0]):
            name = one.get("name", "")
            if one.get("type") == "hidden":
                sent[name] = one.get("value", "")
            elif name in answers:
                sent[name] = answers[name]
            elif one.get("type") == "radio":
                sent.setdefault(name, one["value"])
        origin = f"{client.base_url.scheme}://{client.base_url.netloc.decode()}"
        page = await client.post(found[1], data=sent, headers={"Origin": origin})
    raise AssertionError(f"the form has no end: {page.url.path}")
