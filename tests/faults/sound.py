"""A small state in which every invariant holds, and for each invariant ways to break it by hand."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from shared.contracts.catalogue import BY_TYPE, SERVICES, writer_of
from shared.contracts.envelope import TYPE_PREFIX
from tests.faults.found import BUS, OWN, Found
from tests.faults.load import Accepted
from tests.faults.records import SUBSCRIBED, Seen, Spoiled


def an_id(number: int) -> UUID:
    """Ids that can be told apart at a glance."""
    return UUID(int=number)


REQUEST, WALK, CONCERN, REFERRAL, REFERENCE = map(an_id, range(1, 6))
TAKEN_BACK, ITS_WALK, AREA, INVITATION, FLAG, FOLLOW_UP, CONTACT, RECEIPT = map(an_id, range(11, 19))
WITHDRAWN, ITS_REFERRAL, ITS_REFERENCE, PAIR = map(an_id, range(31, 35))
SPOILED, FOLLOWER = an_id(41), an_id(42)


def sound() -> Found:
    """One walk told to its end, one request withdrawn, one concern withdrawn, one record spoiled."""
    found = Found(
        rows={(service, table): [] for service in SERVICES for table in {**BUS, **OWN[service]}},
        accepted=Accepted(
            requests={REQUEST: "one", TAKEN_BACK: "two"},
            withdrawn={TAKEN_BACK},
            walks={WALK: (CONCERN, WITHDRAWN)},
            withdrawn_concerns={WITHDRAWN},
            resolved={CONCERN},
            answers=1,
            worried={REQUEST},
            statuses=Counter({("intake", 201): 2, ("intake", 503): 1, ("partners", 0): 1}),
        ),
        audit={service: [] for service in SERVICES},
    )
    events: list[tuple[str, UUID, dict[str, Any]]] = [
        ("area-published", AREA, {"area_id": "bs1"}),
        ("walk-requested", REQUEST, {"request_id": str(REQUEST)}),
        ("walk-requested", TAKEN_BACK, {"request_id": str(TAKEN_BACK)}),
        ("baseline-answered", PAIR, {"pair_id": str(PAIR)}),
        ("walk-routed", WALK, {"walk_id": str(WALK)}),
        ("walk-routed", ITS_WALK, {"walk_id": str(ITS_WALK)}),
        ("walk-request-withdrawn", TAKEN_BACK, {"request_id": str(TAKEN_BACK)}),
        ("walk-cancelled", ITS_WALK, {"walk_id": str(ITS_WALK)}),
        ("walk-taken", WALK, {"walk_id": str(WALK)}),
        ("walk-arranged", WALK, {"walk_id": str(WALK)}),
        ("walk-completed", WALK, {"walk_id": str(WALK), "concern_ids": [str(CONCERN), str(WITHDRAWN)]}),
        ("concern-raised", CONCERN, {"concern_id": str(CONCERN)}),
        ("concern-raised", WITHDRAWN, {"concern_id": str(WITHDRAWN)}),
        ("referral-made", CONCERN, _of_referral(CONCERN, REFERRAL)),
        ("partner-concern-referred", REFERENCE, {"reference": str(REFERENCE)}),
        ("referral-made", WITHDRAWN, _of_referral(WITHDRAWN, ITS_REFERRAL)),
        ("partner-concern-referred", ITS_REFERENCE, {"reference": str(ITS_REFERENCE)}),
        ("concern-withdrawn", WITHDRAWN, {"concern_id": str(WITHDRAWN)}),
        ("referral-accepted", CONCERN, _of_referral(CONCERN, REFERRAL)),
        ("referral-updated", CONCERN, {**_of_referral(CONCERN, REFERRAL), "progress": "planned"}),
        ("concern-resolved", CONCERN, {**_of_referral(CONCERN, REFERRAL), "resolution": "done"}),
        ("survey-invited", WALK, {"invitation_id": str(INVITATION), "walk_id": str(WALK)}),
        ("feedback-received", RECEIPT, {"receipt_id": str(RECEIPT)}),
        ("feedback-flagged", FLAG, {"flag_id": str(FLAG)}),
        ("contact-wanted", REQUEST, {"request_id": str(REQUEST), "contact_id": str(CONTACT)}),
        ("follow-up-completed", FOLLOW_UP, {"follow_up_id": str(FOLLOW_UP), "request_id": str(REQUEST)}),
    ]
    for number, (name, key, data) in enumerate(events, 1000):
        publish(found, name, key, data, an_id(number))
    _rows(found)
    _spoil(found)
    return found


def publish(found: Found, name: str, key: UUID, data: dict[str, Any], id_: UUID) -> Seen:
    """An event in its writer's log, on its topic, and in the inbox of whoever takes it."""
    event = BY_TYPE[f"{TYPE_PREFIX}{name}.v1"]
    service = writer_of(event)
    topic = event.topic.replace("{partner}", "the-council")
    keys = found.of(service, "outbox_key")
    last = next((one for one in keys if (one["topic"], one["key"]) == (topic, key)), None)
    if last is None:
        keys.append(last := {"topic": topic, "key": key, "sequence": 0})
    last["sequence"] += 1
    value = json.dumps(data).encode()
    log = found.of(service, "outbox_log")
    log.append(
        {"position": len(log), "topic": topic, "key": key, "sequence": last["sequence"], "id": id_}
        | {"type": event.type(), "data": value, "raw": False}
    )
    headers = {"ce_id": str(id_), "ce_type": event.type(), "ce_sequence": str(last["sequence"])}
    record = Seen(
        topic, 0, len(found.records), str(key).encode(), value, tuple((n, v.encode()) for n, v in headers.items())
    )
    found.records.append(record)
    for taker in SERVICES:
        if event.type() in SUBSCRIBED[taker]:
            found.of(taker, "inbox").append({"id": id_})
    return record


def _of_referral(concern: UUID, referral: UUID) -> dict[str, Any]:
    return {"concern_id": str(concern), "referral_id": str(referral), "partner_id": "the-council"}


def _rows(found: Found) -> None:
    referrals = [(REFERRAL, REFERENCE, CONCERN, "resolved"), (ITS_REFERRAL, ITS_REFERENCE, WITHDRAWN, "withdrawn")]
    messages = [(REQUEST, "confirmation"), (TAKEN_BACK, "confirmation"), (REQUEST, "survey"), (REQUEST, "done")]
    partner = {"partner_id": "the-council"}
    rows: dict[tuple[str, str], list[dict[str, Any]]] = {
        ("intake", "walk_request"): [
            {"id": REQUEST, "state": "completed", "walk_id": WALK, "followed_up_at": "today"},
            {"id": TAKEN_BACK, "state": "withdrawn", "walk_id": ITS_WALK, "followed_up_at": None},
        ],
        ("intake", "walk_concern"): [{"concern_id": one, "walk_id": WALK} for one in (CONCERN, WITHDRAWN)],
        ("intake", "waiting_baseline"): [{"id": an_id(50)}],
        ("intake", "message"): [
            {"id": an_id(60 + n), "request_id": request, "kind": kind, "refused": None, "state": "sent"}
            for n, (request, kind) in enumerate(messages)
        ],
        ("assignment", "request"): [
            {"id": REQUEST, "walk_id": WALK, "withdrawn_at": None},
            {"id": TAKEN_BACK, "walk_id": ITS_WALK, "withdrawn_at": "today"},
        ],
        ("assignment", "walk"): [
            {"id": WALK, "state": "completed", "officer_id": "one", "cancel_reason": None},
            {"id": ITS_WALK, "state": "cancelled", "officer_id": None, "cancel_reason": "withdrawn"},
        ],
        ("assignment", "concern"): [{"id": one, "walk_id": WALK} for one in (CONCERN, WITHDRAWN)],
        ("assignment", "follow_up"): [
            {"id": FOLLOW_UP, "kind": "contact", "request_id": REQUEST, "contact_id": CONTACT, "completed_at": "today"}
        ],
        ("partners", "concern"): [{"id": CONCERN, "state": "resolved"}, {"id": WITHDRAWN, "state": "withdrawn"}],
        ("partners", "referral"): [
            {"id": id_, "reference": reference, "concern_id": concern, "state": state} | partner
            for id_, reference, concern, state in referrals
        ],
        ("partners", "referral_change"): [
            {"referral_id": REFERRAL, "status": status} for status in ("accepted", "updated", "resolved")
        ],
        ("partners", "delivery"): [{"id": an_id(70), "referral_id": REFERRAL, "kind": "referred", "state": "sent"}],
        ("feedback", "invitation"): [{"id": INVITATION, "walk_id": WALK, "survey": "after-walk"}],
        ("feedback", "answers"): [
            {"survey": "after-walk", "pair_id": an_id(51)},
            {"survey": "baseline", "pair_id": PAIR},
        ],
        ("feedback", "flag"): [{"id": FLAG}],
        ("feedback", "follow_up"): [{"id": FOLLOW_UP}],
        ("feedback", "concern"): [
            {"id": CONCERN, "withdrawn": False, "resolved_on": "today"},
            {"id": WITHDRAWN, "withdrawn": True, "resolved_on": None},
        ],
    }
    for service, made in (("assignment", "made"), ("feedback", "referred")):
        rows[(service, "referral")] = [
            {"id": id_, "concern_id": concern, "state": "done" if id_ == REFERRAL else made} | partner
            for id_, _, concern, _ in referrals
        ]
    for service in ("assignment", "partners", "feedback"):
        rows[(service, "area")] = [{"id": "bs1", "force_id": "one"}]
    found.rows.update(rows)
    for service, table in (("intake", "message"), ("partners", "delivery")):
        found.arrived.update(row["id"] for row in found.of(service, table))


def _spoil(found: Found) -> None:
    """A bad record that intake parked, and one behind it."""
    key = str(SPOILED).encode()
    found.spoiled.append(
        Spoiled("walks.v1", key, "no JSON", (FOLLOWER,), parked_by=frozenset({"intake"}), behind=frozenset({"intake"}))
    )
    found.records += [
        Seen("walks.v1", 0, 900, key, b"{", ()),
        Seen("walks.v1", 0, 901, key, b"{}", (("ce_id", str(FOLLOWER).encode()),)),
        Seen("intake.parked.v1", 0, 0, str(an_id(43)).encode(), b"{", ()),
    ]
    found.of("intake", "inbox").append({"id": FOLLOWER})
    found.of("intake", "held").extend(
        {"why": why, "topic": "walks.v1", "key": key, "id": id_, "reason": "data"}
        for why, id_ in (("unreadable", None), ("behind", FOLLOWER))
    )
    parked = {"topic": "intake.parked.v1", "key": an_id(43), "sequence": 1, "id": an_id(44)}
    found.of("intake", "outbox_log").append(parked | {"position": 99, "type": "", "data": b"{", "raw": True})
    found.of("intake", "outbox_key").append({"topic": "intake.parked.v1", "key": an_id(43), "sequence": 1})


Break = Callable[[Found], object]


def _lose(service: str, table: str) -> Break:
    return lambda found: found.of(service, table).pop()


def _double(service: str, table: str) -> Break:
    return lambda found: found.of(service, table).append(dict(found.of(service, table)[0]))


def _change(service: str, table: str, row: int, **changed: Any) -> Break:
    return lambda found: found.of(service, table)[row].update(changed)


def _records(found: Found, name: str) -> list[int]:
    type_ = f"{TYPE_PREFIX}{name}.v1"
    return [n for n, one in enumerate(found.records) if one.header("ce_type") == type_]


def _lose_record(name: str) -> Break:
    return lambda found: found.records.pop(_records(found, name)[0])


def _swap_records(found: Found) -> None:
    one, other = _records(found, "referral-accepted")[0], _records(found, "referral-updated")[0]
    found.records[one], found.records[other] = found.records[other], found.records[one]


def _repeat_changed(found: Found) -> None:
    found.records.append(found.records[_records(found, "walk-taken")[0]]._replace(value=b"{}"))


def _publish_unwritten(found: Found) -> None:
    publish(found, "walk-routed", an_id(77), {"walk_id": str(an_id(77))}, an_id(78))
    found.of("assignment", "outbox_log").pop()


def _open_twice(found: Found) -> None:
    found.of("assignment", "walk").append({"id": an_id(88), "state": "routed"})
    found.of("assignment", "walk")[0].update(state="routed")
    found.of("assignment", "request").append({"id": REQUEST, "walk_id": an_id(88), "withdrawn_at": None})


BREAKS: Final[dict[str, dict[str, Break]]] = {
    "accepted_requests_stand": {
        "a request is lost": _lose("assignment", "request"),
        "a request stands twice": _double("intake", "walk_request"),
        "its walk is lost": lambda found: found.of("assignment", "walk").clear(),
        "one nobody was told of": lambda found: found.of("intake", "walk_request").append(
            {"id": an_id(99), "state": "received", "walk_id": None, "followed_up_at": None}
        ),
    },
    "one_open_walk_a_request": {
        "a second open walk": _open_twice,
        "an open walk nobody wants": _change("assignment", "walk", 1, state="routed"),
    },
    "accepted_steps_stand": {
        "a walk is open again": _change("assignment", "walk", 0, state="arranged"),
        "a concern is lost": _lose("assignment", "concern"),
        "a concern is unresolved": _change("partners", "concern", 0, state="referred"),
        "a follow-up is undone": _change("assignment", "follow_up", 0, completed_at=None),
        "an answer is lost": lambda found: found.of("feedback", "answers").pop(0),
    },
    "one_referral_a_partner": {
        "a referral stands twice": _double("partners", "referral"),
        "a concern nobody was asked about": lambda found: found.of("partners", "referral").pop(0),
        "a concern never came": _lose("partners", "concern"),
    },
    "keys_are_in_order": {
        "a record is lost": _lose_record("referral-made"),
        "two records are swapped": _swap_records,
        "one is repeated otherwise": _repeat_changed,
    },
    "published_is_what_was_written": {
        "a record is lost": _lose_record("walk-taken"),
        "a record nobody wrote": _publish_unwritten,
        "a row of the log is lost": lambda found: found.of("feedback", "outbox_log").pop(0),
        "a row of the log stands twice": _double("feedback", "outbox_log"),
    },
    "events_and_state_agree": {
        "an event without its walk": _lose("assignment", "walk"),
        "a walk without its event": _lose_record("walk-completed"),
        "a change told twice": _double("partners", "referral_change"),
        "a baseline is lost": _lose("intake", "waiting_baseline"),
        "a flag without its event": _lose_record("feedback-flagged"),
    },
    "each_event_is_taken_once": {
        "an event was not taken": lambda found: found.of("partners", "inbox").pop(0),
        "an event was taken twice": _double("feedback", "inbox"),
    },
    "effects_match_events": {
        "a request has no effect": _lose("assignment", "request"),
        "a concern is counted twice": _double("feedback", "concern"),
        "a referral fell back": _change("assignment", "referral", 0, state="accepted"),
        "intake did not hear": _change("intake", "walk_request", 0, state="arranged"),
        "a message too many": _double("intake", "message"),
        "an invitation is lost": _lose("feedback", "invitation"),
    },
    "parked_is_what_was_spoiled": {
        "a good one is parked": _double("intake", "held"),
        "a bad one is not parked": lambda found: found.of("intake", "held").pop(0),
        "its follower is not behind": _lose("intake", "held"),
        "it was not told": lambda found: found.records.pop(),
    },
    "tombstones_are_kept": {
        "a request is back": _change("assignment", "request", 1, withdrawn_at=None),
        "its walk is back": _change("assignment", "walk", 1, state="routed"),
        "a concern is back": _change("partners", "concern", 1, state="referred"),
        "a referral is back": _change("partners", "referral", 1, state="made"),
        "it counts again": _change("feedback", "concern", 1, withdrawn=False),
    },
    "audit_chains_are_whole": {"a row is gone": lambda found: found.audit["intake"].append("Row 1 was removed.")},
    "nothing_is_under_way": {
        "one is not published": lambda found: found.of("intake", "outbox_pending").append({"position": 1}),
        "one awaits its parent": lambda found: found.of("partners", "held").append({"why": "awaiting"}),
        "a timer is overdue": lambda found: found.of("feedback", "overdue_timer").append({"kind": "night"}),
    },
    "messages_arrived_once": {
        "one did not arrive": lambda found: found.arrived.pop(an_id(60)),
        "one arrived twice": lambda found: found.arrived.update([an_id(60)]),
        "one that nobody sent": lambda found: found.arrived.update([an_id(98)]),
    },
    "refusals_are_of_the_moment": {"a 500": lambda found: found.accepted.statuses.update([("intake", 500)])},
}
"""By invariant, what breaks it."""
