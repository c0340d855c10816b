"""All that intake's pages say to a woman, told to the command that looks for texts to translate.

Pages for staff are English; messages have templates of their own in each language.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from jinja2 import Environment
from jinja2.meta import find_referenced_templates

from services.intake.domain.access import ELSEWHERE, HOW_TO_GET_IT, LEFT_OUT
from services.intake.form import changing
from services.intake.form.of_her import OF_HER, READ_OUT
from services.intake.form.questions import BY_SLUG
from services.intake.form.step import Step
from services.intake.form.summary import ABOUT_SAFETY, NONE, NOT_GIVEN, PLACE
from services.intake.pages import confirm, form, hers, paper
from services.intake.places import NO_TEAM
from shared.contracts.refusals import Refusal

HERE: Final = Path(__file__).parent
REFUSING: Final = (
    "services.intake.",
    "shared.geography.grid",
    "shared.geography.postcodes",
    "shared.contracts.refusals",
)
"""Where refusals come from that she may read."""


def _for_her() -> list[Path]:
    """The templates of her pages: those that extend `hers.html`, and whatever they draw in."""
    folder, reader = HERE / "templates", Environment(extensions=["jinja2.ext.i18n"])
    draws_in = {
        path.relative_to(folder).as_posix(): set(find_referenced_templates(reader.parse(path.read_text("utf-8"))))
        for path in folder.rglob("*.html")
    }
    hers_alone = {name for name, others in draws_in.items() if "hers.html" in others} | {"hers.html"}
    while further := {name for one in hers_alone for name in draws_in[one] if name in draws_in} - hers_alone:
        hers_alone |= further
    return [folder / name for name in sorted(hers_alone)]


MAP: Final = HERE.parents[1] / "shared" / "web" / "templates" / "map.html"
"""Staff of other services use it too; what it says is translated here, where a woman reads it."""
TEMPLATES: Final = (*_for_her(), MAP, HERE / "templates" / "copy_paper.html")
CODE: Final = tuple(sorted((HERE / "pages").glob("*.py")))
ANSWERS: Final = (
    *(HERE / "domain" / f"{name}.py" for name in ("person", "requests", "standing", "wishes")),
    *sorted((HERE / "form").glob("*.py")),
    *sorted((HERE / "pages").glob("*.py")),
)
"""Where it is found out what is wrong with an answer."""


class CannotBeTranslated(Exception):
    """A sentence is put together in a way that leaves nothing to look up; `shared.wording.Text` does it."""


def texts() -> Iterator[str]:
    """Each text that is data: questions, what they may be answered with, what may be wrong with an answer."""
    for step in BY_SLUG.values():
        yield from _of(step)
    yield from OF_HER.values()
    yield from (NO_TEAM, ABOUT_SAFETY, PLACE, NOT_GIVEN, NONE)
    yield from (READ_OUT, *changing.CHOSEN.values(), *form.CONSENT.values(), *hers.DONE.values())
    yield from (*confirm.MESSAGES.values(), confirm.CODE_WRONG)
    yield from (*paper.NAMES, *LEFT_OUT.values(), *ELSEWHERE.values(), HOW_TO_GET_IT)
    yield from (text for name, text in vars(form).items() if name.isupper() and isinstance(text, str) and " " in text)
    for path in ANSWERS:
        yield from _faults(path)
    for refusal in _below(Refusal):
        if refusal.__module__.startswith(REFUSING):
            yield (refusal.__doc__ or "").strip()


def _of(step: Step) -> Iterator[str]:
    yield step.title
    yield from step.lead
    yield from (step.asked.label, step.asked.hint)
    yield from (step.asked.choices or {}).values()
    yield from step.messages.values()


def _below(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    for one in kind.__subclasses__():
        yield one
        yield from _below(one)


def _faults(path: Path) -> Iterator[str]:
    """What this file finds wrong with an answer: what a ValueError, a FieldsWrong, a Text or `wrong[...]` is given."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        given: list[ast.expr] = []
        match node:
            case ast.Call(func=ast.Name(id="ValueError"), args=[first, *_]) if path.parent.name != "pages":
                given = [first]
            case ast.Call(func=ast.Name(id="Text"), args=[first, *_]):
                given = [first]
            case ast.Call(func=ast.Name(id="FieldsWrong"), args=[ast.Dict(values=values)]):
                given = values
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="wrong"))], value=value):
                given = [value]
        for one in given:
            if isinstance(one, ast.JoinedStr):
                raise CannotBeTranslated(f"{path}:{one.lineno}")
            if isinstance(one, ast.Constant) and isinstance(one.value, str):
                yield one.value
