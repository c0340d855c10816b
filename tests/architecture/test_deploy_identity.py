"""The demo realm of the compose stack signs in the demo's people, with the claims the services read."""

from __future__ import annotations

import json
from typing import Any

from shared.embedded.demo_people import people
from shared.web.access import Role
from shared.web.signin import user_from
from tests.servers.compose import ROOT, environment

REALM: dict[str, Any] = json.loads((ROOT / "deploy" / "identity" / "realm.json").read_text(encoding="utf-8"))
CLIENT: dict[str, Any] = REALM["clients"][0]
FORCES = tuple(sorted(path.parent.name for path in (ROOT / "deploy" / "forces").glob("*/policy.yaml")))


def claims_of(user: dict[str, Any]) -> dict[str, Any]:
    """What the client's mappers say of somebody, as Keycloak would."""
    claims: dict[str, Any] = {"sub": user["id"], "name": f"{user['firstName']} {user['lastName']}"}
    for mapper in CLIENT["protocolMappers"]:
        given = mapper["config"]
        if mapper["protocolMapper"] == "oidc-usermodel-realm-role-mapper":
            claims[given["claim.name"]] = user["realmRoles"]
        elif mapper["protocolMapper"] == "oidc-usermodel-attribute-mapper":
            for value in user["attributes"].get(given["user.attribute"], ()):
                claims[given["claim.name"]] = value
    return claims


def test_everybody_of_the_demo_can_sign_in_and_nobody_else() -> None:
    """The same people, with the same roles, forces, teams and organisations, as in the embedded stack."""
    assert {user["id"]: claims_of(user) for user in REALM["users"]} == {
        person.sub: {"sub": person.sub, **person.claims()} for person in people()
    }
    assert all(user["id"] == user["username"] for user in REALM["users"])


def test_services_make_users_of_the_claims() -> None:
    """Each is let in, in the role and force the realm gives."""
    for user in REALM["users"]:
        found = user_from(claims_of(user), FORCES)
        assert [role.value for role in found.roles] == user["realmRoles"]
    assert {role["name"] for role in REALM["roles"]["realm"]} == {role.value for role in Role}


def test_the_client_is_ours_and_must_prove_itself() -> None:
    """Code flow with PKCE alone, back to the services' own addresses, tokens made for this client."""
    told = environment("intake")
    assert CLIENT["clientId"] == told["WALKANDTALK_OIDC_CLIENT_ID"]
    assert told["WALKANDTALK_OIDC_ISSUER"].endswith(f"/realms/{REALM['realm']}")
    assert CLIENT["attributes"]["pkce.code.challenge.method"] == "S256"
    assert not CLIENT["publicClient"]
    for other in ("implicitFlowEnabled", "directAccessGrantsEnabled", "serviceAccountsEnabled"):
        assert CLIENT[other] is False
    urls = [told[f"WALKANDTALK_{name}_URL"] for name in ("INTAKE", "ASSIGNMENT", "PARTNERS", "FEEDBACK")]
    assert CLIENT["redirectUris"] == [f"{url}/signin/callback" for url in urls]
    audience = [one for one in CLIENT["protocolMappers"] if one["protocolMapper"] == "oidc-audience-mapper"]
    assert [one["config"]["included.client.audience"] for one in audience] == [CLIENT["clientId"]]


def test_no_secret_stands_in_the_file() -> None:
    """Passwords come from the environment, which compose gives to this part alone."""
    assert CLIENT["secret"] == "${OIDC_CLIENT_SECRET}"  # noqa: S105 - a place for it
    assert {one["value"] for user in REALM["users"] for one in user["credentials"]} == {"${DEMO_PASSWORD}"}
    assert {"OIDC_CLIENT_SECRET", "DEMO_PASSWORD"} <= set(environment("identity"))


def test_nobody_can_change_their_own_force() -> None:
    """What decides which rows somebody sees is for administrators to set."""
    profiles = REALM["components"]["org.keycloak.userprofile.UserProfileProvider"]
    declared = json.loads(profiles[0]["config"]["kc.user.profile.config"][0])["attributes"]
    assert {one["name"] for one in declared} >= {"force_id", "team_id", "partner_id"}
    assert all(one["permissions"]["edit"] == ["admin"] for one in declared)
    assert not REALM["registrationAllowed"]
