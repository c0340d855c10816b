"""Templates in, HTML out: the layout of every page, the force's colours, tokens of forms, people's dates."""

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PackageLoader, PrefixLoader, StrictUndefined, Template
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from shared.colours import READABLE, contrast
from shared.contracts.policy import ForcePolicy
from shared.web import csrf
from shared.web.access import Role
from shared.web.languages import (
    ENGLISH,
    Languages,
    dated,
    gettext,
    ngettext,
    own_name,
    prefixed,
    said,
    spoken,
)
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
    """Tuesday 24 November 2026, in the language of the page."""
    return dated(local(moment) if isinstance(moment, datetime) else moment, "EEEE d MMMM y")


def clock(moment: datetime) -> str:
    """6:30pm, 6pm, midday or midnight."""
    shown = local(moment)
    if shown.minute == 0 and shown.hour in (0, 12):
        return gettext("midday") if shown.hour else gettext("midnight")
    minutes = f":{shown:%M}" if shown.minute else ""
    return f"{(shown.hour - 1) % 12 + 1}{minutes}{'am' if shown.hour < 12 else 'pm'}"


def when(moment: datetime) -> str:
    """Tuesday 24 November 2026 at 6:30pm."""
    return gettext("%(day)s at %(time)s") % {"day": day(moment), "time": clock(moment)}


class ColourCannotBeRead(Exception):
    """White text on this colour, or this colour on white, has a contrast below 4.5:1."""


@dataclass(frozen=True, slots=True)
class Logo:
    """A force's logo as it is served: the picture, its media type, and what it says for those who do not see it."""

    picture: bytes = field(repr=False)
    kind: str
    text: str

    @property
    def version(self) -> str:
        """Changes whenever the picture does."""
        return hashlib.sha256(self.picture).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Theme:
    """How one force looks: the names in the header, its header colour and its brand colour (#rrggbb)."""

    name: str = "Walk and Talk"
    header: str = "#12264f"
    brand: str = "#1b4f9c"
    service: str = ""
    """What the force calls the scheme; as the service is called where it is empty."""
    logo: Logo | None = None
    abroad: Mapping[str, "Theme"] = field(default_factory=dict)
    """The same in other languages."""

    def __post_init__(self) -> None:
        for colour in (self.header, self.brand):
            if not re.fullmatch(r"#[0-9a-fA-F]{6}", colour) or contrast(colour, "#ffffff") < READABLE:
                raise ColourCannotBeRead(f"{colour} of {self.name}")

    @classmethod
    def of(cls, policy: ForcePolicy, folder: Path | None = None) -> "Theme":
        """How the force wants to look, in each of its languages; `folder` holds its logo."""
        picture = (folder / policy.logo.file).read_bytes() if folder and policy.logo else b""

        def themed(said: ForcePolicy, abroad: Mapping[str, "Theme"]) -> "Theme":
            kind = "image/png" if picture.startswith(b"\x89PNG") else "image/svg+xml"
            return cls(
                name=said.name,
                header=policy.header_colour or policy.colour,
                brand=policy.colour,
                service=said.wording.scheme_name,
                logo=Logo(picture, kind, said.logo.text) if picture and said.logo else None,
                abroad=abroad,
            )

        return themed(policy, {one: themed(policy.in_language(one), {}) for one in policy.languages if one != ENGLISH})

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
            extensions=["jinja2.ext.i18n"],
        )
        self.policies["ext.i18n.trimmed"] = True
        # The extension adds this method when it is loaded.
        self.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
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
        languages: Mapping[str, Sequence[str]] | None = None,
        translations: Sequence[Path] = (),
        leave: bool = False,
    ) -> None:
        """`themes` by force id; `theme` where no force is known. Navigation as the signed-in user may see it.

        `languages` by force id, and the folders in which they are translated; English where nothing is said. `leave`:
        the pages of this service are read where somebody may look on, its errors too.
        """
        self.service = service
        self.theme = theme or Theme()
        self.themes = dict(themes or {})
        self.navigation = navigation
        self.exit_url = exit_url
        self.offered = {force: tuple(spoken) for force, spoken in (languages or {}).items()}
        self.languages = Languages(translations, {one for spoken in self.offered.values() for one in spoken})
        self.leave = leave
        self.assets = Assets()
        self.templates = Templates(template_dirs)
        self.templates.filters.update(when=when, day=day, clock=clock, said=said)
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

        Templates always have: user (or None), theme, navigation, site, path, lang, other_languages, leave, static(),
        csrf_field(), and form (None unless given). `force_id` chooses the theme where nobody is signed in.
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
        language = spoken()
        text = self.templates.get_template(name).render(
            {
                "site": site,
                "user": user,
                "theme": theme.abroad.get(language, theme),
                "logo_url": f"/logo?v={theme.logo.version}&force={force}" if theme.logo else None,
                "theme_url": theme_url,
                "path": path,
                "lang": language,
                "other_languages": self.other_languages(request, force_id),
                "leave": self.leave and user is None,
                "navigation": entries,
                "csrf_field": csrf_field,
                "form": None,
                **context,
            }
        )
        response = HTMLResponse(prefixed(text, language), status, {"content-language": language})
        if fresh:
            response.set_cookie(site.cookie(csrf.COOKIE), fresh[0], httponly=True, samesite="lax", secure=site.secure)
        return response

    def offers(self, language: str, force_id: str | None) -> bool:
        """Whether a force has pages in this language; without a force, whether any has."""
        every = self.offered.values() if force_id is None else [self.offered.get(force_id, ())]
        return language == ENGLISH or any(language in one for one in every)

    def other_languages(self, request: Request, force_id: str | None) -> list[dict[str, str]]:
        """Where this page is in the other languages of its force; nowhere for what only a form leads to."""
        force_id = force_id or request.path_params.get("force")
        if not self.languages.foreign or user_or_nobody(request) or not shown_by_looking(request):
            return []
        query = f"?{request.url.query}" if request.url.query else ""
        path = quote(request.scope["path"]) + query
        return [
            {"code": code, "name": own_name(code), "href": path if code == ENGLISH else f"/{code}{path}"}
            for code in (ENGLISH, *sorted(self.languages.foreign))
            if code != spoken() and self.offers(code, force_id)
        ]

    def force_with(self, theme: Theme) -> str | None:
        """The force a theme belongs to, None for the general one."""
        return next((force for force, candidate in self.themes.items() if candidate is theme), None)


def shown_by_looking(request: Request) -> bool:
    """Whether this address answers a GET: a page that answers a form may have none of its own."""
    if request.method in ("GET", "HEAD"):
        return True
    scope = {**request.scope, "method": "GET"}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)


def render(
    request: Request, name: str, status: int = 200, *, force_id: str | None = None, **context: object
) -> HTMLResponse:
    """Pages.render of the application that is answering; what a service's pages.py calls."""
    pages = request.app.state.pages
    assert isinstance(pages, Pages)
    return pages.render(request, name, status, force_id=force_id, **context)
