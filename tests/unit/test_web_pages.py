"""Pages: escaping, strictness, colours that can be read, dates as people say them."""

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from shared.colours import contrast
from shared.web.access import Role
from shared.web.pages import ColourCannotBeRead, Templates, Theme, clock, day, when
from tests.servers.visitors import a_user, visitor
from tests.servers.web_example import example_app


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        (datetime(2026, 11, 24, 18, 30, tzinfo=UTC), "Tuesday 24 November 2026 at 6:30pm"),
        (datetime(2026, 7, 1, 11, 0, tzinfo=UTC), "Wednesday 1 July 2026 at midday"),
        (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), "Thursday 2 July 2026 at midnight"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "Sunday 25 October 2026 at 1:30am"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "Sunday 25 October 2026 at 1:30am"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), "Sunday 28 March 2027 at 2am"),
        (datetime(2027, 1, 1, 0, 5, tzinfo=UTC), "Friday 1 January 2027 at 12:05am"),
    ],
)
def test_moment_is_shown_on_a_london_clock(moment: datetime, said: str) -> None:
    """Times are shown as they are on a clock in London, over both clock changes."""
    assert when(moment) == said


def test_time_without_a_zone_is_refused() -> None:
    """A naive time could be anybody's; it is never shown."""
    with pytest.raises(ValueError, match="without a zone"):
        clock(datetime(2026, 11, 24, 18, 30))  # noqa: DTZ001 - the fault under test


def test_day_needs_no_zone() -> None:
    """A date is the same day everywhere."""
    assert day(date(2026, 11, 1)) == "Sunday 1 November 2026"


def test_theme_that_cannot_be_read_is_refused() -> None:
    """A force's colour that white text cannot be read on stops the service from starting."""
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    with pytest.raises(ColourCannotBeRead):
        Theme(name="Pale Police", header="#9ec5ff")
    with pytest.raises(ColourCannotBeRead):
        Theme(name="Sneaky Police", brand="red;}")


def test_template_that_names_nothing_fails(tmp_path: Path) -> None:
    """A misspelt name in one of our templates is an error, not an empty place."""
    (tmp_path / "page.html").write_text("{{ nmae }}")
    with pytest.raises(UndefinedError):
        Templates([tmp_path]).get_template("page.html").render(name="Sam")


def test_text_options_of_macros_are_escaped(tmp_path: Path) -> None:
    """What somebody typed never becomes markup, in our templates or through the design system's macros."""
    (tmp_path / "page.html").write_text(
        '{% from "govuk_frontend_jinja/components/inset-text/macro.html" import govukInsetText %}'
        '{{ typed }}{{ govukInsetText({"text": typed}) }}'
    )
    shown = Templates([tmp_path]).get_template("page.html").render(typed="<script>alert(1)</script>")
    assert "<script>" not in shown
    assert shown.count("&lt;script&gt;") == 2


async def test_page_has_language_title_and_both_skip_links() -> None:
    """A participant's page can be skipped through, left at once, and says what it is."""
    async with visitor(example_app()) as browser:
        page = (await browser.get("/request")).text
    assert '<html lang="en"' in page
    assert "<title>Ask for a walk with a local officer – Walk and Talk</title>" in page
    links = re.search(r'<nav aria-label="Skip links">(.*?)</nav>', page, re.DOTALL)
    assert links is not None
    assert "Skip to main content" in links[1]
    assert "govuk-js-exit-this-page-skiplink" in links[1]
    assert "does not clear your browsing history" in page
    assert "GOV.UK" not in page


async def test_signed_in_person_sees_force_name_and_way_out() -> None:
    """Staff see their force, their name and how to sign out; the public sees none of it."""
    app = example_app()
    async with visitor(app, a_user(Role.OFFICER)) as browser:
        staff = (await browser.get("/walks")).text
    async with visitor(app) as browser:
        public = (await browser.get("/request")).text
    assert "Northvale Police" in staff
    assert "Sam Example" in staff
    assert 'action="/signout"' in staff
    assert 'href="/walks"' in staff
    assert 'action="/signout"' not in public
    assert 'href="/walks"' not in public


async def test_nothing_on_a_page_needs_inline_style_or_script() -> None:
    """The content policy forbids style attributes and inline scripts but the one it names by hash."""
    async with visitor(example_app()) as browser:
        answers = [await browser.get(path) for path in ("/request", "/docs", "/asyncapi", "/nowhere")]
    for answer in answers:
        assert " style=" not in answer.text
        assert not re.search(r"\son[a-z]+=", answer.text)
        assert len(re.findall(r"<script(?![^>]*src=)", answer.text)) == 1
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy


async def test_colours_of_a_force_come_as_a_style_sheet() -> None:
    """The theme of a force is a style sheet browsers may keep, under an address that changes with it."""
    app = example_app()
    async with visitor(app, a_user(Role.OFFICER)) as browser:
        page = (await browser.get("/walks")).text
        found = re.search(r'href="(/theme\.css[^"]*)"', page)
        assert found is not None
        sheet = await browser.get(found[1].replace("&amp;", "&"))
    assert "--walk-header-colour: #12264f" in sheet.text
    assert "immutable" in sheet.headers["cache-control"]


async def test_static_files_are_kept_and_pages_are_not() -> None:
    """A static file under its own address may be kept for ever; a page never."""
    app = example_app()
    async with visitor(app) as browser:
        page = await browser.get("/request")
        style = await browser.get(app.state.pages.assets.url("walkandtalk.css"))
        stale = await browser.get("/static/0000000000000000/walkandtalk.css")
        outside = await browser.get("/static/x/../../pages.py")
    assert page.headers["cache-control"] == "no-store"
    assert "immutable" in style.headers["cache-control"]
    assert style.status_code == 200
    assert stale.status_code == 404
    assert outside.status_code == 404
