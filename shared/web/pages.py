"""Templates in, HTML out: the layout of every page, the force's colours, tokens of forms, people's dates."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.contracts.policy import ForcePolicy
from shared.web import csrf
from shared.web.access import Role
from shared.web.session import User, user_or_nobody
from shared.web.site import site_of

HERE = Path(__file__).parent
STATIC = HERE / "static"
LONDON = ZoneInfo("Europe/London")
MACROS = "govuk_frontend_jinja"
FOR_EVER = "public, max-age=31536000, immutable"


def local(moment: datetime) -> datetime:
    """The moment on a London clock; raises ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown")
    return moment.astimezone(LONDON)


def day(moment: datetime | date) -> str:
    """Tuesday 24 November 2026."""
    shown = local(moment) if isinstance(moment, datetime) else moment
    return f"{shown:%A} {shown.day} {shown:%B %Y}"


def clock(moment: datetime) -> str:
    """6:30pm, 6pm, midday or midnight."""
    shown = local(moment)
    if shown.minute == 0 and shown.hour in (0, 12):
        return "midday" if shown.hour else "midnight"
    minutes = f":{shown:%M}" if shown.minute else ""
    return f"{(shown.hour - 1) % 12 + 1}{minutes}{'am' if shown.hour < 12 else 'pm'}"


def when(moment: datetime) -> str:
    """Tuesday 24 November 2026 at 6:30pm."""
    return f"{day(moment)} at {clock(moment)}"


def luminance(colour: str) -> float:
    """Relative luminance of a colour like #12264f (WCAG 2.2)."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


class ColourCannotBeRead(Exception):
    """White text on this colour, or this colour on white, has a contrast below 4.5:1."""


@dataclass(frozen=True, slots=True)
class Theme:
    """How one force looks: the name in the header, its header colour and its brand colour (#rrggbb)."""

    name: str = "Walk and Talk"
    header: str = "#12264f"
    brand: str = "#1b4f9c"

    def __post_init__(self) -> None:
        for colour in (self.header, self.brand):
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour) or contrast(colour, "#ffffff") < 4.5:
                raise ColourCannotBeRead(f"{colour} of {self.name}")

    @classmethod
    def of(cls, policy: ForcePolicy) -> "Theme":
        """How the force wants to look: its name and its one colour."""
        return cls(name=policy.name, header=policy.colour, brand=policy.colour)

    @property
    def css(self) -> str:
        """The theme as custom properties; the policy allows no style attributes."""
        return f":root {{ --govuk-brand-colour: {self.brand}; --walk-header-colour: {self.header}; }}\n"

    @property
    def version(self) -> str:
        """Changes whenever the colours do, so that browsers may keep the style sheet for ever."""
        return hashlib.sha256(self.css.encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Link:
    """An entry of the navigation, shown to those who have one of the roles (to everybody when there are none)."""

    text: str
    href: str
    roles: frozenset[Role] = frozenset()

    def shown_to(self, user: User | None) -> bool:
        """Whether this entry belongs in this person's navigation."""
        return not self.roles or (user is not None and bool(self.roles & user.roles))


class Templates(Environment):
    """Our own templates may name nothing that is not there; the macros of the design system rely on doing so."""

    def __init__(self, folders: Sequence[Path]) -> None:
        macros = PrefixLoader({MACROS: PackageLoader(MACROS)})
        ours = FileSystemLoader([*folders, HERE / "templates"])
        # autoescape by extension would leave what the macros call "text" unescaped.
        super().__init__(
            loader=ChoiceLoader([ours, macros]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.macros = Environment(loader=macros, autoescape=True)

    def get_template(self, name: str | Template, parent: str | None = None, globals: Any = None) -> Template:
        if isinstance(name, str) and name.startswith(MACROS + "/"):
            return self.macros.get_template(name, parent, globals)
        return super().get_template(name, parent, globals)


class Assets(StaticFiles):
    """Static files under an address that changes with their content, so that browsers keep them for ever."""

    def __init__(self, folder: Path = STATIC) -> None:
        super().__init__(directory=folder)
        digest = hashlib.sha256()
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
        self.version = digest.hexdigest()[:16]

    async def get_response(self, path: str, scope: Scope) -> Response:
        version, _, rest = path.replace("\\", "/").partition("/")
        fresh = version == self.version
        response = await super().get_response(rest if fresh else path, scope)
        response.headers["cache-control"] = FOR_EVER if fresh else "no-cache"
        return response

    def url(self, path: str) -> str:
        """The address of a static file."""
        return f"/static/{self.version}/{path}"


class Pages:
    """Renders the HTML of one service."""

    def __init__(
        self,
        service: str,
        template_dirs: Sequence[Path] = (),
        *,
        theme: Theme | None = None,
        themes: Mapping[str, Theme] | None = None,
        navigation: Sequence[Link] = (),
        exit_url: str = "https://www.bbc.co.uk/weather",
    ) -> None:
        """`themes` by force id; `theme` where no force is known. Navigation as the signed-in user may see it."""
        self.service = service
        self.theme = theme or Theme()
        self.themes = dict(themes or {})
        self.navigation = navigation
        self.exit_url = exit_url
        self.assets = Assets()
        self.templates = Templates(template_dirs)
        self.templates.filters.update(when=when, day=day, clock=clock)
        self.templates.globals.update(static=self.assets.url, exit_url=exit_url)

    @cached_property
    def inline_script_hash(self) -> str:
        """The hash of the one inline script, that of the design system's template, as the content policy names it."""
        source = self.templates.macros.get_template(f"{MACROS}/template.html")
        assert source.filename is not None
        script = re.search(r"<script[^>]*>(.*?)</script>", Path(source.filename).read_text(encoding="utf-8"), re.DOTALL)
        assert script is not None
        return "sha256-" + base64.b64encode(hashlib.sha256(script[1].encode()).digest()).decode()

    def theme_of(self, force_id: str | None) -> Theme:
        """The theme of a force, the general one where it has none."""
        return self.themes.get(force_id or "", self.theme)

    def render(
        self, request: Request, name: str, status: int = 200, *, force_id: str | None = None, **context: object
    ) -> HTMLResponse:
        """Render a template of this service, or of shared/web, as a page.

        Templates always have: user (or None), theme, navigation, site, path, lang, static(), csrf_field(),
        and form (None unless given). `force_id` chooses the theme where nobody is signed in.
        """
        site = site_of(request)
        user = user_or_nobody(request)
        theme = self.theme_of(user.force_id if user else force_id)
        cookie = request.cookies.get(site.cookie(csrf.COOKIE))
        fresh: list[str] = []

        def csrf_field() -> Markup:
            value = cookie or (fresh[0] if fresh else csrf.new_cookie())
            if not cookie and not fresh:
                fresh.append(value)
            fitting = csrf.token(site.csrf_key, value, user.sub if user else "")
            return Markup('<input type="hidden" name="{}" value="{}">').format(csrf.FIELD, fitting)

        path = request.scope["path"]
        entries = [
            {"text": link.text, "href": link.href, "active": path == link.href or path.startswith(link.href + "/")}
            for link in self.navigation
            if link.shown_to(user)
        ]
        theme_url = f"/theme.css?v={theme.version}" + (f"&force={force}" if (force := self.force_with(theme)) else "")
        text = self.templates.get_template(name).render(
            {
                "site": site,
                "user": user,
                "theme": theme,
                "theme_url": theme_url,
                "path": path,
                "lang": "en",
                "navigation": entries,
                "csrf_field": csrf_field,
                "form": None,
                **context,
            }
        )
        response = HTMLResponse(text, status)
        if fresh:
            response.set_cookie(site.cookie(csrf.COOKIE), fresh[0], httponly=True, samesite="lax", secure=site.secure)
        return response

    def force_with(self, theme: Theme) -> str | None:
        """The force a theme belongs to, None for the general one."""
        return next((force for force, candidate in self.themes.items() if candidate is theme), None)


def render(
    request: Request, name: str, status: int = 200, *, force_id: str | None = None, **context: object
) -> HTMLResponse:
    """Pages.render of the application that is answering; what a service's pages.py calls."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages.render(request, name, status, force_id=force_id, **context)
