"""What the parts of one running web service share: its names, addresses and keys."""

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from pydantic import SecretStr
from starlette.requests import HTTPConnection

from shared.web.hosts import origin_of, with_name


class WebSettings(Protocol):
    """The settings this package reads; shared.settings fulfils it."""

    @property
    def session_secret(self) -> SecretStr: ...
    @property
    def oidc_issuer(self) -> str: ...
    @property
    def oidc_internal_url(self) -> str: ...
    @property
    def oidc_client_id(self) -> str: ...
    @property
    def oidc_client_secret(self) -> SecretStr: ...
    @property
    def oidc_forces(self) -> tuple[str, ...]: ...
    @property
    def intake_url(self) -> str: ...
    @property
    def assignment_url(self) -> str: ...
    @property
    def partners_url(self) -> str: ...
    @property
    def feedback_url(self) -> str: ...


def derived_key(secret: SecretStr, purpose: str) -> bytes:
    """A key for one purpose, so that what is signed for one can never pass for another."""
    return hmac.new(secret.get_secret_value().encode(), f"walkandtalk {purpose}".encode(), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class Site:
    """One service's web side. The session's key is the same in all four, so one sign-in serves them all on one host;
    forms have a key a service, so that a token of one service's page is worth nothing at another."""

    service: str
    title: str
    urls: Mapping[str, str]
    session_key: bytes = field(repr=False)
    csrf_key: bytes = field(repr=False)
    origins: frozenset[str] = frozenset()
    """Under which a browser knows this service: the shared name, and the names of forces."""

    @classmethod
    def of(cls, service: str, title: str, settings: WebSettings, names: Iterable[str] = ()) -> "Site":
        """Derive the keys and gather the addresses from the settings; `names` are those of forces."""
        urls = {
            "intake": settings.intake_url,
            "assignment": settings.assignment_url,
            "partners": settings.partners_url,
            "feedback": settings.feedback_url,
        }
        return cls(
            service=service,
            title=title,
            urls={name: url.rstrip("/") for name, url in urls.items()},
            session_key=derived_key(settings.session_secret, "session"),
            csrf_key=derived_key(settings.session_secret, f"form of {service}"),
            origins=frozenset({origin_of(urls[service]), *(with_name(urls[service], name) for name in names)}),
        )

    def cookie(self, name: str) -> str:
        """The name of one of our cookies: our own among those of other programs on the same host (cookies know no
        ports), and with `__Host-` on https, which browsers keep to one host and to https."""
        return ("__Host-" if self.secure else "") + f"walkandtalk-{name}"

    @property
    def own_url(self) -> str:
        """The public address of this service, without a slash at the end."""
        return self.urls[self.service]

    @property
    def secure(self) -> bool:
        """Whether browsers reach this service by https, so that cookies can insist on it."""
        return self.own_url.startswith("https://")


def site_of(connection: HTTPConnection) -> Site:
    """The site that create_app put beside the application."""
    site = connection.app.state.site
    assert isinstance(site, Site)
    return site
