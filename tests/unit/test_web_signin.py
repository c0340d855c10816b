"""Sign-in: whose claims make a user, and where a sign-in may lead."""

import pytest

from shared.web.access import Role
from shared.web.session import User
from shared.web.signin import NotAllowedIn, own_path, user_from

CLAIMS = {"sub": "officer-1", "name": "Sam Example", "roles": ["officer"], "force_id": "northvale", "team_id": "bs1"}


@pytest.mark.parametrize("path", ["/", "/walks", "/walks?state=routed&team=bs1", "/walks/1#concerns", "/a:b"])
def test_sign_in_leads_back_to_where_it_began(path: str):
    """A path of our own is where a sign-in ends."""
    assert own_path(path) == path


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "walks",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/" + "x" * 3000,
    ],
)
def test_sign_in_leads_nowhere_else(target: str | None):
    """An address of another origin, however it is written, is not followed."""
    assert own_path(target) == "/"


def test_claims_make_a_user():
    """Name, roles, force and team come from the provider; roles we do not know are left out."""
    user = user_from(CLAIMS | {"roles": ["officer", "astronaut", {"odd": 1}]}, ("northvale", "southvale"))
    assert user == User("officer-1", "Sam Example", frozenset({Role.OFFICER}), "northvale", "bs1", None)


def test_provider_of_one_force_need_not_name_it():
    """A force's own provider speaks for that force only."""
    claims = {name: value for name, value in CLAIMS.items() if name != "force_id"}
    assert user_from(claims, ("northvale",)).force_id == "northvale"
    with pytest.raises(NotAllowedIn):
        user_from(claims, ("northvale", "southvale"))


@pytest.mark.parametrize(
    "changed",
    [
        {"force_id": "elsewhere"},
        {"force_id": ["northvale"]},
        {"roles": []},
        {"roles": ["astronaut"]},
        {"roles": ["partner"]},
        {"partner_id": "northvale-council"},
        {"sub": ""},
    ],
)
def test_claims_that_do_not_fit_make_nobody(changed: dict[str, object]):
    """Another force, no role, or half a partner is nobody here."""
    with pytest.raises(NotAllowedIn):
        user_from(CLAIMS | changed, ("northvale",))
