"""Who may use which page and which call: one table a service, checked when it starts and walked by the tests.

A row is (method, path template) → rule. A rule is PUBLIC (nobody need sign in), SEALED_LINK (whoever holds the secret
link: the handler itself opens the link and refuses a bad one), BEARER (a program that brings its token: the handler
itself refuses another), HANDED_OVER (a form from a page of ours under another of our names, which brings its secret:
the handler itself refuses another), or the set of roles that may. create_app refuses to
start when a route has no row or a row has no route.
"""

from collections.abc import Iterable, Mapping
from enum import Enum, StrEnum
from typing import TypeAlias


class Role(StrEnum):
    """What a member of staff, or of a partner's staff, may be."""

    OFFICER = "officer"
    COORDINATOR = "coordinator"
    PARTNER = "partner"
    ANALYST = "analyst"
    AUDITOR = "auditor"
    ADMIN = "admin"


class Open(Enum):
    """Rules which ask for no sign-in."""

    PUBLIC = "public"
    SEALED_LINK = "sealed link"
    BEARER = "bearer token"
    HANDED_OVER = "handed over"


Rule: TypeAlias = Open | frozenset[Role]
Row: TypeAlias = tuple[str, str]
Table: TypeAlias = Mapping[Row, Rule]

PUBLIC = Open.PUBLIC
SEALED_LINK = Open.SEALED_LINK
BEARER = Open.BEARER
HANDED_OVER = Open.HANDED_OVER
SIGNED_IN = frozenset(Role)

OFFICER = frozenset({Role.OFFICER})
COORDINATOR = frozenset({Role.COORDINATOR})
POLICE = frozenset({Role.OFFICER, Role.COORDINATOR})
PARTNER = frozenset({Role.PARTNER})
ANALYST = frozenset({Role.ANALYST})
AUDITOR = frozenset({Role.AUDITOR})
ADMIN = frozenset({Role.ADMIN})

# What create_app adds to every service. Metrics hold no personal data and are kept inside by the network.
EVERY_SERVICE: Table = {
    ("GET", "/health/live"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    ("GET", "/health/ready/bus"): PUBLIC,
    ("GET", "/metrics"): PUBLIC,
    ("GET", "/docs"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
    ("GET", "/asyncapi"): PUBLIC,
    ("GET", "/asyncapi.json"): PUBLIC,
    ("GET", "/theme.css"): PUBLIC,
    ("GET", "/logo"): PUBLIC,
    ("GET", "/signin"): PUBLIC,
    ("GET", "/signin/callback"): PUBLIC,
    ("POST", "/signout"): PUBLIC,
    ("GET", "/signed-out"): PUBLIC,
    ("GET", "/me"): SIGNED_IN,
}

INTAKE: Table = {
    ("POST", "/api/v1/walk-requests"): PUBLIC,
    ("POST", "/api/v1/forces/{force}/receipts"): BEARER,
    ("POST", "/api/v1/requests/{request_id}/hold"): AUDITOR,
    ("GET", "/api/v1/forces/{force}/areas"): PUBLIC,
    ("POST", "/api/v1/forces/{force}/places"): PUBLIC,
    ("GET", "/"): PUBLIC,
    ("GET", "/{force}/"): PUBLIC,
    ("GET", "/{force}/request/before"): PUBLIC,
    ("GET", "/{force}/request/not-eligible"): PUBLIC,
    ("GET", "/{force}/request/elsewhere"): PUBLIC,
    ("POST", "/{force}/request/elsewhere/keep"): PUBLIC,
    ("POST", "/{force}/request/elsewhere/hand-over"): PUBLIC,
    ("POST", "/{force}/request/take-over"): HANDED_OVER,
    ("GET", "/{force}/request/{step}"): PUBLIC,
    ("POST", "/{force}/request/{step}"): PUBLIC,
    ("POST", "/{force}/request/erase"): PUBLIC,
    ("GET", "/{force}/request/check"): PUBLIC,
    ("POST", "/{force}/request/check"): PUBLIC,
    ("GET", "/{force}/request/done"): PUBLIC,
    ("GET", "/{force}/request/confirm"): PUBLIC,
    ("POST", "/{force}/request/confirm"): PUBLIC,
    ("GET", "/confirm/{token}"): SEALED_LINK,
    ("POST", "/confirm/{token}"): SEALED_LINK,
    ("GET", "/your-request/{token}"): SEALED_LINK,
    ("POST", "/your-request/{token}/answer"): SEALED_LINK,
    ("GET", "/your-request/{token}/change"): SEALED_LINK,
    ("POST", "/your-request/{token}/change"): SEALED_LINK,
    ("GET", "/your-request/{token}/contact"): SEALED_LINK,
    ("POST", "/your-request/{token}/contact"): SEALED_LINK,
    ("POST", "/your-request/{token}/withdraw"): SEALED_LINK,
    ("POST", "/your-request/{token}/stop"): SEALED_LINK,
    ("GET", "/your-request/{token}/copy"): SEALED_LINK,
    ("POST", "/your-request/{token}/copy"): SEALED_LINK,
    ("GET", "/your-request/{token}/erase"): SEALED_LINK,
    ("POST", "/your-request/{token}/erase"): SEALED_LINK,
    ("GET", "/staff/requests/{request_id}/contact"): POLICE,
    ("POST", "/staff/requests/{request_id}/contact"): POLICE,
    ("POST", "/staff/requests/{request_id}/spoken"): COORDINATOR,
    ("GET", "/staff/data-protection"): AUDITOR,
    ("POST", "/staff/data-protection"): AUDITOR,
    ("GET", "/staff/data-protection/requests/{request_id}"): AUDITOR,
    ("POST", "/staff/data-protection/requests/{request_id}/copy"): AUDITOR,
    ("GET", "/staff/data-protection/requests/{request_id}/erase"): AUDITOR,
    ("POST", "/staff/data-protection/requests/{request_id}/erase"): AUDITOR,
    ("GET", "/staff/data-protection/erased"): AUDITOR,
    ("GET", "/staff/letters"): COORDINATOR,
    ("GET", "/staff/campaigns"): COORDINATOR,
    ("GET", "/staff/campaigns/{code}/qr.svg"): COORDINATOR,
    ("POST", "/staff/letters/{message_id}/open"): COORDINATOR,
    ("POST", "/staff/letters/{message_id}/posted"): COORDINATOR,
}

ASSIGNMENT: Table = {
    ("GET", "/"): POLICE,
    ("GET", "/queue"): POLICE,
    ("GET", "/walks/{walk_id}"): POLICE,
    ("POST", "/walks/{walk_id}/take"): POLICE,
    ("GET", "/walks/{walk_id}/arrange"): POLICE,
    ("POST", "/walks/{walk_id}/arrange"): POLICE,
    ("GET", "/walks/{walk_id}/propose"): POLICE,
    ("POST", "/walks/{walk_id}/propose"): POLICE,
    ("GET", "/walks/{walk_id}/second"): POLICE,
    ("POST", "/walks/{walk_id}/second"): POLICE,
    ("GET", "/walks/{walk_id}/group"): POLICE,
    ("POST", "/walks/{walk_id}/group/join"): POLICE,
    ("POST", "/walks/{walk_id}/group/part"): POLICE,
    ("GET", "/walks/{walk_id}/not-held"): POLICE,
    ("POST", "/walks/{walk_id}/not-held"): POLICE,
    ("GET", "/check-ins"): POLICE,
    ("GET", "/calendar"): POLICE,
    ("POST", "/calendar"): POLICE,
    ("GET", "/forces/{force}/calendar/{token}.ics"): SEALED_LINK,
    ("POST", "/walks/{walk_id}/check-in"): POLICE,
    ("GET", "/walks/{walk_id}/cancel"): POLICE,
    ("POST", "/walks/{walk_id}/cancel"): POLICE,
    ("GET", "/walks/{walk_id}/complete"): POLICE,
    ("POST", "/walks/{walk_id}/complete"): POLICE,
    ("POST", "/walks/{walk_id}/concerns/{concern_id}/withdraw"): POLICE,
    ("POST", "/walks/{walk_id}/concerns/{concern_id}/reopen"): POLICE,
    ("GET", "/record/worker.js"): PUBLIC,
    ("GET", "/record/offline"): POLICE,
    ("GET", "/record/{walk_id}"): POLICE,
    ("POST", "/record/{walk_id}"): POLICE,
    ("POST", "/record/{walk_id}/start"): POLICE,
    ("POST", "/record/{walk_id}/end"): POLICE,
    ("POST", "/record/{walk_id}/concerns"): POLICE,
    ("GET", "/record/{walk_id}/concerns/{concern_id}"): POLICE,
    ("POST", "/record/{walk_id}/concerns/{concern_id}"): POLICE,
    ("POST", "/record/{walk_id}/concerns/{concern_id}/remove"): POLICE,
    ("GET", "/record/{walk_id}/photos/{photo}"): POLICE,
    ("GET", "/api/v1/walks/{walk_id}/record"): POLICE,
    ("PUT", "/api/v1/walks/{walk_id}/started"): POLICE,
    ("PUT", "/api/v1/walks/{walk_id}/ended"): POLICE,
    ("PUT", "/api/v1/walks/{walk_id}/concerns/{concern_id}"): POLICE,
    ("DELETE", "/api/v1/walks/{walk_id}/concerns/{concern_id}"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/photos"): POLICE,
    ("GET", "/api/v1/areas"): POLICE,
    ("POST", "/api/v1/places"): POLICE,
    ("GET", "/telling"): POLICE,
    ("POST", "/telling"): POLICE,
    ("GET", "/walks/{walk_id}/pass-on/{what}"): POLICE,
    ("POST", "/walks/{walk_id}/pass-on/{what}"): POLICE,
    ("GET", "/walks/{walk_id}/attempts/{request_id}"): POLICE,
    ("POST", "/walks/{walk_id}/attempts/{request_id}"): POLICE,
    ("GET", "/escalated"): COORDINATOR,
    ("GET", "/triage"): COORDINATOR,
    ("GET", "/walks/{walk_id}/route"): COORDINATOR,
    ("POST", "/walks/{walk_id}/route"): COORDINATOR,
    ("GET", "/walks/{walk_id}/disclose"): POLICE,
    ("POST", "/walks/{walk_id}/disclose"): POLICE,
    ("GET", "/disclosures"): POLICE | AUDITOR,
    ("GET", "/disclosures/{disclosure_id}"): POLICE | AUDITOR,
    ("POST", "/disclosures/{disclosure_id}"): POLICE,
    ("POST", "/disclosures/{disclosure_id}/withdraw"): COORDINATOR,
    ("GET", "/patrols"): POLICE,
    ("GET", "/patrols/wanted"): POLICE,
    ("POST", "/patrols/wanted/{concern_id}/enough"): POLICE,
    ("GET", "/patrols/log"): POLICE,
    ("POST", "/patrols/log"): POLICE,
    ("GET", "/patrols/{patrol_id}"): POLICE,
    ("GET", "/patrols/{patrol_id}/correct"): POLICE,
    ("POST", "/patrols/{patrol_id}/correct"): POLICE,
    ("POST", "/patrols/{patrol_id}/withdraw"): POLICE,
    ("GET", "/follow-ups"): POLICE,
    ("GET", "/follow-ups/{follow_up_id}"): POLICE,
    ("POST", "/follow-ups/{follow_up_id}/attempts"): POLICE,
    ("POST", "/follow-ups/{follow_up_id}/hand-over"): POLICE,
    ("POST", "/follow-ups/{follow_up_id}/complete"): POLICE,
    ("GET", "/api/v1/walks"): POLICE,
    ("GET", "/api/v1/walks/{walk_id}"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/take"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/arrange"): POLICE,
    ("GET", "/api/v1/walks/{walk_id}/suggestions"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/pass-on"): POLICE,
    ("GET", "/api/v1/walks/{walk_id}/attempts"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/attempts"): POLICE,
    ("GET", "/api/v1/escalated"): COORDINATOR,
    ("POST", "/api/v1/walks/{walk_id}/propose"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/cancel"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/second"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/join"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/part"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/not-held"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/check-in"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/complete"): POLICE,
    ("POST", "/api/v1/walks/{walk_id}/route"): COORDINATOR,
    ("POST", "/api/v1/routing"): POLICE,
    ("GET", "/api/v1/follow-ups"): POLICE,
    ("POST", "/api/v1/follow-ups/{follow_up_id}/complete"): POLICE,
    ("GET", "/people"): COORDINATOR,
    ("GET", "/people/new"): COORDINATOR,
    ("POST", "/people/new"): COORDINATOR,
    ("GET", "/people/import"): COORDINATOR,
    ("POST", "/people/import"): COORDINATOR,
    ("GET", "/people/{officer_id}"): COORDINATOR,
    ("GET", "/people/{officer_id}/change"): COORDINATOR,
    ("POST", "/people/{officer_id}/change"): COORDINATOR,
    ("GET", "/my-availability"): POLICE,
    ("POST", "/people/{officer_id}/windows"): POLICE,
    ("POST", "/people/{officer_id}/windows/{window_id}/remove"): POLICE,
    ("POST", "/people/{officer_id}/absences"): POLICE,
    ("POST", "/people/{officer_id}/absences/{absence_id}/remove"): POLICE,
    ("POST", "/people/{officer_id}/languages"): POLICE,
    ("GET", "/training"): COORDINATOR,
    ("GET", "/training/new"): COORDINATOR,
    ("POST", "/training/new"): COORDINATOR,
    ("GET", "/training/{session_id}"): COORDINATOR,
    ("POST", "/training/{session_id}"): COORDINATOR,
    ("GET", "/api/v1/people"): COORDINATOR,
    ("GET", "/api/v1/people/{officer_id}"): POLICE,
    ("POST", "/api/v1/people/import"): COORDINATOR,
    ("GET", "/api/v1/training"): COORDINATOR,
    ("POST", "/api/v1/training"): COORDINATOR,
    ("POST", "/api/v1/training/{session_id}/attendance"): COORDINATOR,
    ("GET", "/scim/v2/ServiceProviderConfig"): BEARER,
    ("GET", "/scim/v2/ResourceTypes"): BEARER,
    ("GET", "/scim/v2/ResourceTypes/{name}"): BEARER,
    ("GET", "/scim/v2/Schemas"): BEARER,
    ("GET", "/scim/v2/Schemas/{uri}"): BEARER,
    ("GET", "/scim/v2/Users"): BEARER,
    ("POST", "/scim/v2/Users"): BEARER,
    ("GET", "/scim/v2/Groups"): BEARER,
    ("POST", "/scim/v2/Groups"): BEARER,
    ("GET", "/scim/v2/Users/{user_id}"): BEARER,
    ("PUT", "/scim/v2/Users/{user_id}"): BEARER,
    ("PATCH", "/scim/v2/Users/{user_id}"): BEARER,
    ("DELETE", "/scim/v2/Users/{user_id}"): BEARER,
    ("GET", "/scim/v2/Groups/{group_id}"): BEARER,
    ("PUT", "/scim/v2/Groups/{group_id}"): BEARER,
    ("PATCH", "/scim/v2/Groups/{group_id}"): BEARER,
    ("DELETE", "/scim/v2/Groups/{group_id}"): BEARER,
}

UNTOLD: Mapping[str, str] = {
    "/walks/{walk_id}/disclose": "/walks/{walk_id}",
    "/disclosures": "/walks/{walk_id}",
    "/disclosures/{disclosure_id}": "/walks/{walk_id}",
    "/disclosures/{disclosure_id}/withdraw": "/walks/{walk_id}",
}
"""Routes whose use says something of her: metrics and logs tell it as a look at the page named here, for a count of
requests would be a count of disclosures. Whoever is refused at the door is told of as everywhere."""

PARTNERS: Table = {
    ("GET", "/"): PARTNER | COORDINATOR,
    ("GET", "/referrals/{referral_id}"): PARTNER | COORDINATOR,
    ("GET", "/referrals/{referral_id}/decline"): PARTNER | COORDINATOR,
    ("GET", "/referrals/{referral_id}/update"): PARTNER | COORDINATOR,
    ("GET", "/referrals/{referral_id}/resolve"): PARTNER | COORDINATOR,
    ("POST", "/referrals/{referral_id}/accept"): PARTNER | COORDINATOR,
    ("POST", "/referrals/{referral_id}/decline"): PARTNER | COORDINATOR,
    ("POST", "/referrals/{referral_id}/update"): PARTNER | COORDINATOR,
    ("POST", "/referrals/{referral_id}/resolve"): PARTNER | COORDINATOR,
    ("GET", "/triage"): COORDINATOR,
    ("POST", "/triage/{concern_id}/assign"): COORDINATOR,
    ("GET", "/api/v1/referrals"): PARTNER | COORDINATOR,
    ("GET", "/api/v1/referrals/{referral_id}"): PARTNER | COORDINATOR,
    ("POST", "/api/v1/referrals/{referral_id}/accept"): PARTNER | COORDINATOR,
    ("POST", "/api/v1/referrals/{referral_id}/decline"): PARTNER | COORDINATOR,
    ("POST", "/api/v1/referrals/{referral_id}/update"): PARTNER | COORDINATOR,
    ("POST", "/api/v1/referrals/{referral_id}/resolve"): PARTNER | COORDINATOR,
    ("GET", "/api/v1/triage"): COORDINATOR,
    ("POST", "/api/v1/triage/{concern_id}/assign"): COORDINATOR,
}

EVALUATION = ANALYST | COORDINATOR | ADMIN

FEEDBACK: Table = {
    ("GET", "/"): EVALUATION,
    ("GET", "/s/{token}"): SEALED_LINK,
    ("GET", "/S/{token}"): SEALED_LINK,
    ("POST", "/s/{token}"): SEALED_LINK,
    ("GET", "/s/{token}/question/{number}"): SEALED_LINK,
    ("POST", "/s/{token}/question/{number}"): SEALED_LINK,
    ("GET", "/s/{token}/check"): SEALED_LINK,
    ("POST", "/s/{token}/check"): SEALED_LINK,
    ("POST", "/api/v1/answers"): SEALED_LINK,
    ("GET", "/api/v1/evaluation"): EVALUATION,
}

TABLES: Mapping[str, Table] = {
    "intake": INTAKE,
    "assignment": ASSIGNMENT,
    "partners": PARTNERS,
    "feedback": FEEDBACK,
}


class AccessTableBroken(Exception):
    """The access table and the routes of this service do not match."""

    def __init__(self, unlisted: Iterable[Row], missing: Iterable[Row]) -> None:
        super().__init__(
            f"The access table does not match the routes. Routes without a row: {sorted(unlisted)}. "
            f"Rows without a route: {sorted(missing)}."
        )


def check(table: Table, routes: Iterable[Row]) -> None:
    """Raise AccessTableBroken unless the table has exactly one row for each route."""
    known = set(routes)
    unlisted, missing = known - set(table), set(table) - known
    if unlisted or missing:
        raise AccessTableBroken(unlisted, missing)
