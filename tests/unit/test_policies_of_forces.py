"""What a force chooses for its own pages: names, colours, languages, logo; each fault told by its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.contracts.policy import OURS, TOLD, ForcePolicy, Wording
from shared.policies import Policies, PolicyFault

MINIMAL = "force_id: wiltshire\nversion: 1\nname: Wiltshire Police\n"
WELSH = MINIMAL + "languages: [en, cy]\ntranslations:\n  cy:\n    name: Heddlu Wiltshire\n"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0h1v1z"/></svg>'


def read(folder: Path, text: str, force: str = "wiltshire") -> ForcePolicy:
    (folder / force).mkdir(exist_ok=True)
    (folder / force / "policy.yaml").write_text(text, encoding="utf-8")
    return Policies.read(folder)[force]


def fault_of(folder: Path, text: str, force: str = "wiltshire") -> str:
    with pytest.raises(PolicyFault) as caught:
        read(folder, text, force)
    return str(caught.value)


def test_three_lines_are_a_policy(tmp_path: Path) -> None:
    """Everything else has a default that can be shown to women."""
    policy = read(tmp_path, MINIMAL)
    assert policy.hosts == ()
    assert len(policy.wording.who_else_helps) == 4
    assert policy.wording.telephone is None


@pytest.mark.parametrize("field", ["colour", "header_colour"])
def test_colour_that_white_cannot_be_read_on_is_refused(tmp_path: Path, field: str) -> None:
    """With the field and the ratio, before anybody sees the page."""
    fault = fault_of(tmp_path, MINIMAL + f'{field}: "#7f7f7f"\n')
    assert f"wiltshire/policy.yaml: {field}: " in fault
    assert "contrast of 4.0 to 1; it must be 4.5 or more" in fault


def test_colour_at_the_limit_passes(tmp_path: Path) -> None:
    """#767676 is the lightest grey with 4.5 to 1 (WCAG's own example)."""
    assert read(tmp_path, MINIMAL + 'colour: "#767676"\n').colour == "#767676"
    assert "contrast of 4.47" in fault_of(tmp_path, MINIMAL + 'colour: "#777777"\n')


@pytest.mark.parametrize(
    "host",
    ["Walks.example.police.uk", "walks", "walks.example.uk:8001", "https://walks.example.uk", "a..b", "-a.uk", "*.uk"],
)
def test_host_that_is_no_plain_name_is_refused(tmp_path: Path, host: str) -> None:
    """No capitals, port, scheme or wildcard: it is compared with what browsers ask for."""
    assert "hosts[0]" in fault_of(tmp_path, MINIMAL + f'hosts: ["{host}"]\n')


def test_host_of_two_forces_is_refused(tmp_path: Path) -> None:
    """One name cannot lead to both."""
    given = "hosts: [walks.example.police.uk]\n"
    read(tmp_path, MINIMAL + given)
    other = MINIMAL.replace("wiltshire", "kent") + given
    assert "walks.example.police.uk stands twice" in fault_of(tmp_path, other, "kent")


def test_force_that_writes_nothing_itself_needs_only_its_name_in_welsh(tmp_path: Path) -> None:
    """What it leaves to us, we say in Welsh too."""
    policy = read(tmp_path, WELSH)
    spoken = policy.in_language("cy")
    assert spoken.name == "Heddlu Wiltshire"
    assert spoken.wording.scheme_name == "Cerdded a Siarad"
    assert len(spoken.wording.help_lines) == len(policy.wording.help_lines)
    assert policy.in_language("en") is policy


def test_language_without_any_translation_is_refused(tmp_path: Path) -> None:
    """A page in Welsh under an English name would be half a page."""
    assert "translations.cy.name: is missing" in fault_of(tmp_path, MINIMAL + "languages: [en, cy]\n")


@pytest.mark.parametrize("field", TOLD)
def test_own_wording_is_wanted_in_each_language(tmp_path: Path, field: str) -> None:
    """What the force says itself in English it says itself in Welsh; the fault names the field."""
    value = '["Somebody: 0800 000"]' if field.endswith("lines") else "In our own words."
    text = f"{WELSH}wording:\n  {field}: {value}\n"
    assert f"translations.cy.wording.{field}: is missing" in fault_of(tmp_path, text)
    whole = text.replace("Heddlu Wiltshire\n", f"Heddlu Wiltshire\n    wording:\n      {field}: {value}\n")
    assert read(tmp_path, whole).in_language("cy").wording != read(tmp_path, WELSH).in_language("cy").wording


def test_language_we_have_no_words_in_is_wanted_whole(tmp_path: Path) -> None:
    """A force may offer Polish, if it writes all of it."""
    fault = fault_of(tmp_path, MINIMAL + "languages: [en, pl]\ntranslations: {pl: {name: Policja}}\n")
    assert [f"translations.pl.wording.{field}" in fault for field in TOLD] == [True, True, True, False, True]


def test_translation_nobody_is_offered_is_refused(tmp_path: Path) -> None:
    """It would stand in the file and never be read."""
    assert "translations.cy: is not one of" in fault_of(tmp_path, WELSH.replace("[en, cy]", "[en]"))


def test_english_is_always_there(tmp_path: Path) -> None:
    """Staff read it, and a language that is not offered falls back to it."""
    assert "languages: en is missing" in fault_of(tmp_path, WELSH.replace("[en, cy]", "[cy]"))


def test_our_own_welsh_is_as_much_as_our_english() -> None:
    """Every wording we say for a force that says nothing itself."""
    assert set(OURS["cy"]) == {field for field in TOLD if getattr(Wording(), field)}


@pytest.mark.parametrize(("name", "content"), [("logo.png", PNG), ("logo.svg", SVG)])
def test_logo_stands_beside_the_policy(tmp_path: Path, name: str, content: bytes) -> None:
    """A file of the force's own folder; its text is wanted in each language."""
    (tmp_path / "wiltshire").mkdir()
    (tmp_path / "wiltshire" / name).write_bytes(content)
    given = f"logo: {{file: {name}, text: Wiltshire Police}}\n"
    assert read(tmp_path, MINIMAL + given).logo is not None
    assert "translations.cy.logo: is missing" in fault_of(tmp_path, WELSH + given)
    assert "logo.text" in fault_of(tmp_path, MINIMAL + f"logo: {{file: {name}}}\n")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read"),
        (SVG + bytes(100_000), "100000 at most"),
        (b"GIF89a", "is no SVG picture"),
        (SVG.replace(b"<path", b"<script>x()</script><path"), "holds a script"),
        (SVG.replace(b"<path", b'<path onload="x()"'), "holds a script"),
        (SVG.replace(b"<path", b'<image href="https://elsewhere.example/x.png"/><path'), "something from elsewhere"),
    ],
)
def test_logo_that_is_no_small_picture_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    """Missing, too large, of another kind, or more than a picture."""
    (tmp_path / "wiltshire").mkdir()
    if content is not None:
        (tmp_path / "wiltshire" / "logo.svg").write_bytes(content)
    assert why in fault_of(tmp_path, MINIMAL + "logo: {file: logo.svg, text: Wiltshire Police}\n")


@pytest.mark.parametrize("file", ["../kent/logo.svg", "/etc/passwd", "logo.gif", "Logo.svg"])
def test_logo_of_another_folder_is_refused(tmp_path: Path, file: str) -> None:
    """A file name, and nothing that leads elsewhere."""
    assert "logo.file" in fault_of(tmp_path, MINIMAL + f'logo: {{file: "{file}", text: Wiltshire Police}}\n')
