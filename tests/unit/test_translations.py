"""Nothing a woman reads is left in English by oversight, and no translation has lost what it must hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from jinja2 import Environment, nodes

from services.intake.form.questions import BY_SLUG
from services.intake.wording import TEMPLATES
from shared.web import wording as of_frame
from shared.web.translating import PLACES, Place, translated

FILES = [(Place(name), path) for name in PLACES for path in Place(name).files]
SHOWN = {"text", "html", "titleText", "label", "divider", "iconFallbackText", "visuallyHiddenText", "menuButtonText"}
"""Parameters of the design system's macros that are read by people."""
STAFF = {"me.html", "documents.html"}
OF_NOBODYS_LANGUAGE = {"Sign out", "/"}
"""In the frame, but shown to staff alone."""


@pytest.fixture(params=FILES, ids=[f"{place.name}-{path.stem}" for place, path in FILES])
def file(request: pytest.FixtureRequest) -> tuple[Place, Path]:
    found: tuple[Place, Path] = request.param
    return found


def messages(path: Path) -> list[Message]:
    return [message for message in translated(path) if message.id]


def texts(said: object) -> list[str]:
    return [str(one) for one in said] if isinstance(said, tuple) else [str(said)]


def test_every_language_is_there_for_every_place() -> None:
    """A language of one place and not of another would stop the service at its start."""
    assert len({frozenset(path.stem for path in Place(name).files) for name in PLACES}) == 1


def test_every_text_is_translated_and_no_translation_is_left_over(file: tuple[Place, Path]) -> None:
    """`make translations` brings the files up to date, and names what waits."""
    place, path = file
    wanted = {message.id for message in place.texts() if message.id}
    kept = {message.id for message in messages(path)}
    assert (wanted - kept, kept - wanted) == (set(), set())
    assert [message.id for message in messages(path) if not all(texts(message.string))] == []


def test_no_translation_is_a_guess(file: tuple[Place, Path]) -> None:
    """A fuzzy one was made for another sentence."""
    _, path = file
    assert [message.id for message in messages(path) if message.fuzzy] == []
    assert list(translated(path).obsolete) == []


HELD = re.compile(r"%\(\w+\)[sd]|%%|%?\{\w*\}|</?[a-z]\w*|href=\"[^\"]*\"|class=\"[^\"]*\"|\d[\d.,]*\d|\d|https?://\S+")
"""Placeholders, mark-up, links and numbers: what a translation has to hold exactly."""


def held(text: str) -> Counter[str]:
    return Counter(HELD.findall(text))


def test_a_translation_holds_the_same_values_links_and_numbers(file: tuple[Place, Path]) -> None:
    """A telephone number that is wrong in one language alone would be found by nobody."""
    _, path = file
    wrong = [
        (message.id, held(str(message.id)) - held(one), held(one) - held(str(message.id)))
        for message in messages(path)
        for one in texts(message.string)
        if held(str(message.id)) != held(one)
    ]
    assert wrong == []


def test_a_translation_ends_as_the_text_does(file: tuple[Place, Path]) -> None:
    """A label stays a label and a question a question; quotation marks are those of print, which end no attribute."""
    _, path = file
    wrong = [
        message.id
        for message in messages(path)
        for one in texts(message.string)
        if (str(message.id)[-1:] in ".?:" and one[-1:] != str(message.id)[-1:])
        or one != one.strip()
        or re.search(r'(?<!=)"(?![ >])', one)
    ]
    assert wrong == []


def without_its_code(reader: Environment, source: str) -> str:
    """The mark-up of a template as it stands, without what is translated and what is filled in."""
    kept: list[str] = []
    names: list[str] = []
    translating = False
    for _, kind, value in reader.lex(source):
        if kind == "block_begin":
            names = []
        elif kind == "name":
            names.append(value)
        elif kind == "block_end" and names[0] in ("trans", "endtrans"):
            translating = names[0] == "trans"
        elif kind == "data" and not translating:
            kept.append(value)
    return "".join(kept)


def said_plainly(template: Path) -> Iterator[str]:
    """Words of a template that nobody can translate: between its tags, or given to a macro as they stand."""
    reader = Environment(extensions=["jinja2.ext.i18n"])
    source = template.read_text(encoding="utf-8")
    page = re.sub(r"<(script|style)\b.*?</\1>", "", without_its_code(reader, source), flags=re.DOTALL)
    yield from (one.strip() for one in re.findall(r"[^<>]*[A-Za-z]{2}[^<>]*", re.sub(r"<[^<>]*>", "<>", page)))
    yield from re.findall(r"(?:aria-label|title|alt|placeholder)=\"([^\"]*[A-Za-z][^\"]*)\"", page)
    tree = reader.parse(source)
    for pair in tree.find_all(nodes.Pair):
        key, value = pair.key, pair.value
        # A parameter that is made of further ones has them looked at one by one.
        if isinstance(key, nodes.Const) and key.value in SHOWN and not isinstance(value, nodes.Dict):
            calls = [one for one in (value, *value.find_all(nodes.Call)) if isinstance(one, nodes.Call)]
            inside = {id(const) for call in calls for const in call.find_all(nodes.Const)}
            for one in (value, *value.find_all(nodes.Const)):
                text = str(one.value) if isinstance(one, nodes.Const) and id(one) not in inside else ""
                if re.search(r"[A-Za-z]{2}", re.sub(r"<[^<>]*>", "", text)):
                    yield text
    for assignment in tree.find_all(nodes.Assign):
        named = isinstance(assignment.target, nodes.Name) and assignment.target.name in ("title", "shown_as")
        if named and isinstance(assignment.node, nodes.Const):
            yield str(assignment.node.value)


@pytest.mark.parametrize(
    "template",
    [*TEMPLATES, *(path for path in of_frame.TEMPLATES if path.name not in STAFF)],
    ids=lambda path: str(path.name),
)
def test_no_words_of_a_page_are_beyond_translation(template: Path) -> None:
    """They stand within `_()` or `{% trans %}`, or come through the filter `said`."""
    assert [one for one in said_plainly(template) if one not in OF_NOBODYS_LANGUAGE] == []


def test_every_field_of_the_form_has_a_sentence_of_its_own() -> None:
    """The sentence for a field without one is put together from parts, and so from English ones."""
    missing = [
        (step.slug, name)
        for step in BY_SLUG.values()
        for name, field in step.model.model_fields.items()
        if (field.alias or name) not in step.messages
    ]
    assert missing == []
