"""Sign-in: whose claims make a user, where a sign-in may lead, and answers of a provider that do not fit."""

import pytest
from joserfc.jwk import RSAKey

from shared.web.access import Role
from shared.web.session import SignInNeeded, User
from shared.web.signin import NotAllowedIn, ProviderAway, own_path, user_from
from tests.servers.odd_provider import CLAIMS, OddProvider


@pytest.mark.parametrize("path", ["/", "/walks", "/walks?state=routed&team=bs1", "/walks/1#concerns", "/a:b"])
def test_sign_in_leads_back_to_where_it_began(path: str) -> None:
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
def test_sign_in_leads_nowhere_else(target: str | None) -> None:
    """An address of another origin, however it is written, is not followed."""
    assert own_path(target) == "/"


def test_claims_make_a_user() -> None:
    """Name, roles, force and team come from the provider; roles we do not know are left out."""
    user = user_from(CLAIMS | {"roles": ["officer", "astronaut", {"odd": 1}]}, ("northvale", "southvale"))
    assert user == User("officer-1", "Sam Example", frozenset({Role.OFFICER}), "northvale", "bs1", None)


def test_provider_of_one_force_need_not_name_it() -> None:
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
def test_claims_that_do_not_fit_make_nobody(changed: dict[str, object]) -> None:
    """Another force, no role, or half a partner is nobody here."""
    with pytest.raises(NotAllowedIn):
        user_from(CLAIMS | changed, ("northvale",))


PENDING = {"state": "s", "verifier": "v", "nonce": "n", "next": "/"}


async def test_identity_that_fits_signs_in() -> None:
    """The answers this suite bends one by one do sign somebody in when they are straight."""
    odd = OddProvider()
    odd.claims["aud"] = ["walkandtalk", "another"]
    assert (await odd.trusted().finish("code", PENDING)).sub == "officer-1"


@pytest.mark.parametrize(
    "bent",
    [
        {"nonce": "of another sign-in"},
        {"nonce": None},
        {"aud": "another-client"},
        {"azp": "another-client"},
        {"iss": "http://other.test"},
        {"exp": 1},
        {"exp": None},
        {"nbf": 4_000_000_000},
        {"sub": None},
    ],
)
async def test_identity_that_does_not_fit_signs_nobody_in(bent: dict[str, object]) -> None:
    """An ID token of another sign-in, client, issuer or time is refused."""
    odd = OddProvider()
    changed = odd.claims | bent
    odd.claims = {name: value for name, value in changed.items() if value is not None}
    with pytest.raises(NotAllowedIn):
        await odd.trusted().finish("code", PENDING)


async def test_roles_may_come_from_userinfo() -> None:
    """A provider that keeps roles out of its tokens is asked for them, and believed for the same person only."""
    odd = OddProvider()
    del odd.claims["roles"]
    odd.userinfo = {"sub": "officer-1", "roles": ["coordinator"]}
    assert (await odd.trusted().finish("code", PENDING)).roles == {Role.COORDINATOR}
    odd.userinfo["sub"] = "somebody-else"
    with pytest.raises(NotAllowedIn):
        await odd.trusted().finish("code", PENDING)


async def test_new_keys_of_the_provider_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that has changed its keys is asked for them, but not once for each bad token."""
    odd = OddProvider()
    provider = odd.trusted()
    del odd.claims["nonce"]
    await provider.user_of_token(odd.token())
    odd.key = odd.served = RSAKey.generate_key(2048, {"kid": "two"})
    with pytest.raises(SignInNeeded):
        await provider.user_of_token(odd.token())
    monkeypatch.setattr("shared.web.signin.KEYS_YOUNG", 0.0)
    assert (await provider.user_of_token(odd.token())).sub == "officer-1"
    assert odd.asked.count("/keys") == 2


async def test_description_of_another_issuer_is_not_believed() -> None:
    """A provider that describes itself as another is treated as away."""
    odd = OddProvider()
    odd.discovered["issuer"] = "http://other.test"
    with pytest.raises(ProviderAway):
        await odd.trusted().begin("/")


@pytest.mark.parametrize(("status", "outcome"), [(400, NotAllowedIn), (503, ProviderAway)])
async def test_code_the_provider_refuses_signs_nobody_in(status: int, outcome: type[Exception]) -> None:
    """A refused code is a refused person; a provider in trouble is worth another try."""
    odd = OddProvider()
    odd.token_status = status
    with pytest.raises(outcome):
        await odd.trusted().finish("code", PENDING)


async def test_address_of_the_provider_may_have_a_query() -> None:
    """The question is added to a query the provider's address already has."""
    url, _ = await OddProvider().trusted().begin("/")
    assert url.startswith("http://provider.test/authorize?tenant=1&response_type=code&")
