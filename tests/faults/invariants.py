"""What must hold whatever happened: each a function of what stands, and a sentence.

Every function gives back how many things it looked at and what it found wrong, in ids and numbers and never in
contents. None of them reaches a server, so each can be shown to fail by breaking what stands by hand.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from shared.contracts.catalogue import BY_TYPE, SERVICES, parked_topic
from shared.contracts.envelope import TYPE_PREFIX
from tests.faults.found import Found
from tests.faults.records import SUBSCRIBED, Seen

OPEN: Final = ("triage", "routed", "taken", "arranged")
"""States of a walk that is still to come."""
AS_IN_INTAKE: Final = {"triage": "received"} | {
    state: state for state in ("routed", "taken", "arranged", "completed", "cancelled")
}
SAID: Final = {"referral-made": "made", "referral-accepted": "accepted", "referral-declined": "declined"}
"""The state of a referral by what was said of it, where the name of the event is enough."""
PARKED: Final = frozenset(parked_topic(service) for service in SERVICES)


@dataclass
class Verdict:
    """How many things were looked at, and what was wrong with them."""

    looked_at: int = 0
    breaches: list[str] = field(default_factory=list)

    def expect(self, what: str, wanted: Mapping[Any, int], found: Mapping[Any, int]) -> None:
        """Exactly these, each as often."""
        self.looked_at += max(len(wanted), len(found))
        for one in wanted.keys() | found.keys():
            if wanted.get(one, 0) != found.get(one, 0):
                self.breaches.append(f"{what}: {one} stands {found.get(one, 0)} times, not {wanted.get(one, 0)}")

    def check(self, holds: bool, what: str) -> None:
        """One thing looked at."""
        self.looked_at += 1
        if not holds:
            self.breaches.append(what)


class Told(NamedTuple):
    """An event as it first stands on its topic."""

    id: str
    sequence: int
    data: dict[str, Any]


def accepted_requests_stand(found: Found) -> Verdict:
    """Every request that was accepted stands once in intake and once in assignment, routed or in triage, for good."""
    verdict = Verdict()
    in_intake = found.ids("intake", "walk_request")
    in_assignment = found.ids("assignment", "request")
    walks = found.ids("assignment", "walk")
    walk_of = {row["id"]: row["walk_id"] for row in found.of("assignment", "request")}
    for request in found.accepted.requests:
        verdict.check(in_intake[request] == 1, f"request {request} stands {in_intake[request]} times in intake")
        verdict.check(in_assignment[request] == 1, f"request {request} stands {in_assignment[request]} times there")
        verdict.check(walks[walk_of.get(request)] == 1, f"request {request} has no walk")
    # A key that was answered made one request, however often it was sent.
    verdict.expect("a request in intake", Counter(list(found.accepted.requests)), in_intake)
    return verdict


def one_open_walk_a_request(found: Found) -> Verdict:
    """No request has more than one open walk, and no open walk is without a request that wants it."""
    verdict = Verdict()
    wanted = {row["walk_id"] for row in found.of("assignment", "request") if row["withdrawn_at"] is None}
    open_walks = {row["id"] for row in found.of("assignment", "walk") if row["state"] in OPEN}
    of_request = Counter(row["id"] for row in found.of("assignment", "request") if row["walk_id"] in open_walks)
    for request in found.ids("assignment", "request"):
        verdict.check(of_request[request] <= 1, f"request {request} has {of_request[request]} open walks")
    for walk in open_walks:
        verdict.check(walk in wanted, f"walk {walk} is open and nobody asked for it")
    return verdict


def accepted_steps_stand(found: Found) -> Verdict:
    """Walks said to be held, concerns said to be resolved, follow-ups said to be made: all stand as they were taken."""
    verdict = Verdict()
    completed = found.ids("assignment", "walk", state="completed")
    of_walk: dict[UUID, set[UUID]] = defaultdict(set)
    for row in found.of("assignment", "concern"):
        of_walk[row["walk_id"]].add(row["id"])
    for walk, concerns in found.accepted.walks.items():
        verdict.check(completed[walk] == 1, f"walk {walk} was completed and is not")
        verdict.check(of_walk[walk] == set(concerns), f"walk {walk} has other concerns than were recorded")
    resolved = found.ids("partners", "concern", state="resolved")
    for concern in found.accepted.resolved:
        verdict.check(resolved[concern] == 1, f"concern {concern} was resolved and is not")
    followed_up = Counter(row["request_id"] for row in found.of("assignment", "follow_up") if row["completed_at"])
    for request in found.accepted.worried:
        verdict.check(followed_up[request] == 1, f"request {request} was followed up {followed_up[request]} times")
    answers = found.ids("feedback", "answers", "survey")["after-walk"]
    verdict.check(answers >= found.accepted.answers, f"{found.accepted.answers} answers were accepted, {answers} stand")
    return verdict


def one_referral_a_partner(found: Found) -> Verdict:
    """Every concern is with partners once, and has exactly one referral a partner it was referred to."""
    verdict = Verdict()
    verdict.expect("a concern in partners", found.ids("assignment", "concern"), found.ids("partners", "concern"))
    pairs = Counter((row["concern_id"], row["partner_id"]) for row in found.of("partners", "referral"))
    made = Counter((told.data["concern_id"], told.data["partner_id"]) for told in _told(found, "referral-made"))
    verdict.expect("a referral", dict.fromkeys(pairs, 1), pairs)
    verdict.expect("a referral told", {(str(concern), partner): 1 for concern, partner in pairs}, made)
    referred = {concern for concern, _ in pairs}
    for row in found.of("partners", "concern"):
        asked = row["id"] in referred or row["state"] in ("triage", "withdrawn")
        verdict.check(asked, f"concern {row['id']} is {row['state']} and nobody was asked")
    return verdict


def keys_are_in_order(found: Found) -> Verdict:
    """Each key's events stand on their topic as 1, 2, 3 without a gap; repeated are earlier ones, exactly."""
    verdict = Verdict()
    first: dict[tuple[str, bytes, str], Seen] = {}
    last: Counter[tuple[str, bytes]] = Counter()
    for one in _sound(found):
        id_ = one.header("ce_id")
        earlier = first.setdefault((one.topic, one.key, id_), one)
        if earlier is not one:
            same = (earlier.value, earlier.headers, earlier.partition) == (one.value, one.headers, one.partition)
            verdict.check(same, f"{one.topic} {id_} was repeated with another content")
            continue
        place = (one.topic, one.key)
        last[place] += 1
        sequence = one.header("ce_sequence")
        verdict.check(
            sequence == str(last[place]),
            f"{one.topic} {one.key.decode()} has {sequence} where {last[place]} was to follow",
        )
    return verdict


def published_is_what_was_written(found: Found) -> Verdict:
    """Every event in an outbox log stands on its topic, byte for byte, and nothing stands there that no log has."""
    verdict = Verdict()
    written: Counter[tuple[str, str, str, str, bytes]] = Counter()
    for service in SERVICES:
        written.update(
            (row["topic"], str(row["key"]), str(row["id"]), str(row["sequence"]), bytes(row["data"]))
            for row in found.of(service, "outbox_log")
            if not row["raw"]
        )
    published = {
        (one.topic, one.key.decode(), one.header("ce_id"), one.header("ce_sequence"), one.value)
        for one in _sound(found)
    }
    for row in published - written.keys():
        verdict.breaches.append(f"{row[0]} {row[2]} is on its topic and in no log")
    for row, many in written.items():
        verdict.check(row in published, f"{row[0]} {row[2]} was written and never published")
        verdict.check(many == 1, f"{row[0]} {row[2]} was written {many} times")
    for service in SERVICES:
        numbers: dict[tuple[str, UUID], set[int]] = defaultdict(set)
        for one in found.of(service, "outbox_log"):
            numbers[(one["topic"], one["key"])].add(one["sequence"])
        for key in found.of(service, "outbox_key"):
            wanted = set(range(1, key["sequence"] + 1))
            have = numbers.get((key["topic"], key["key"]), set())
            verdict.check(have == wanted, f"{key['topic']} {key['key']}: the log has not 1 to {key['sequence']}")
    return verdict


def events_and_state_agree(found: Found) -> Verdict:
    """No event without the state it tells of, and no state without its event, in the service that wrote both."""
    verdict = Verdict()

    def one_each(name: str, column: str, state: Iterable[Any]) -> None:
        told = Counter(told.data[column] for told in _told(found, name))
        verdict.expect(name, Counter(str(one) for one in state), told)

    requests = found.of("intake", "walk_request")
    one_each("walk-requested", "request_id", [row["id"] for row in requests])
    withdrawn = [row["id"] for row in requests if row["state"] == "withdrawn"]
    one_each("walk-request-withdrawn", "request_id", withdrawn)
    baselines = len(_told(found, "baseline-answered")) + len(found.of("intake", "waiting_baseline"))
    verdict.check(baselines == len(requests), f"{len(requests)} women answered before the walk, {baselines} are kept")
    walks = found.of("assignment", "walk")
    routed = Counter(told.data["walk_id"] for told in _told(found, "walk-routed"))
    taken = Counter(told.data["walk_id"] for told in _told(found, "walk-taken"))
    arranged = Counter(told.data["walk_id"] for told in _told(found, "walk-arranged"))
    for row in walks:
        walk, state = str(row["id"]), row["state"]
        past_triage = state in ("routed", "taken", "arranged", "completed")
        verdict.check(
            state == "cancelled" or routed[walk] == past_triage,
            f"walk {walk}, {state}, was routed {routed[walk]} times",
        )
        verdict.check(
            state == "cancelled" or taken[walk] == (state in ("taken", "arranged", "completed")),
            f"walk {walk}, {state}, was taken {taken[walk]} times",
        )
        # Sent twice by a client that got no answer, a walk is arranged anew.
        verdict.check(
            state not in ("arranged", "completed") or arranged[walk] > 0, f"walk {walk}, {state}, was never arranged"
        )
    one_each("walk-completed", "walk_id", [row["id"] for row in walks if row["state"] == "completed"])
    one_each("walk-cancelled", "walk_id", [row["id"] for row in walks if row["state"] == "cancelled"])
    one_each("concern-raised", "concern_id", [row["id"] for row in found.of("assignment", "concern")])
    completed = [row["id"] for row in found.of("assignment", "follow_up") if row["completed_at"]]
    one_each("follow-up-completed", "follow_up_id", completed)
    verdict.check(
        len(_told(found, "area-published")) == len(found.of("assignment", "area")), "areas and their events differ"
    )
    referrals = found.of("partners", "referral")
    one_each("referral-made", "referral_id", [row["id"] for row in referrals])
    one_each("partner-concern-referred", "reference", [row["reference"] for row in referrals])
    one_each("concern-resolved", "referral_id", [row["id"] for row in referrals if row["state"] == "resolved"])
    changes = found.of("partners", "referral_change")
    for name, status in (("referral-accepted", "accepted"), ("referral-updated", "updated")):
        one_each(name, "referral_id", [row["referral_id"] for row in changes if row["status"] == status])
    one_each("survey-invited", "invitation_id", [row["id"] for row in found.of("feedback", "invitation")])
    one_each("feedback-flagged", "flag_id", [row["id"] for row in found.of("feedback", "flag")])
    answers = found.ids("feedback", "answers", "survey")["after-walk"]
    received = len(_told(found, "feedback-received"))
    verdict.check(answers == received, f"{answers} answers stand, {received} were told")
    return verdict


def each_event_is_taken_once(found: Found) -> Verdict:
    """Each consumer's inbox holds every event it subscribes to exactly once, and nothing else."""
    verdict = Verdict()
    for service in SERVICES:
        wanted = Counter(
            {id_: 1 for one in _sound(found) if one.header("ce_type") in SUBSCRIBED[service] and (id_ := _id(one))}
        )
        wanted.update({id_: 1 for spoiled in found.spoiled if service in spoiled.behind for id_ in spoiled.followers})
        verdict.expect(f"an event in the inbox of {service}", wanted, found.ids(service, "inbox"))
    return verdict


def effects_match_events(found: Found) -> Verdict:
    """What consumers made of events is what the events said: one row each, in the state the last of them left."""
    verdict = Verdict()

    def one_each(what: str, name: str, column: str, rows: Mapping[Any, int]) -> None:
        told = Counter({told.data[column]: 1 for told in _told(found, name)})
        verdict.expect(what, told, Counter({str(one): many for one, many in rows.items()}))

    one_each("a request in assignment", "walk-requested", "request_id", found.ids("assignment", "request"))
    one_each("a concern in partners", "concern-raised", "concern_id", found.ids("partners", "concern"))
    one_each("a concern in feedback", "concern-raised", "concern_id", found.ids("feedback", "concern"))
    for service in ("assignment", "feedback"):
        one_each(f"a referral in {service}", "referral-made", "referral_id", found.ids(service, "referral"))
        _states_of_referrals(found, service, verdict)
        areas = len(_told(found, "area-published"))
        reader = "partners" if service == "assignment" else service
        verdict.check(areas == len(found.of(reader, "area")), f"areas in {reader} are not the ones published")
    one_each("an invitation", "walk-completed", "walk_id", found.ids("feedback", "invitation", "walk_id"))
    pairs = found.ids("feedback", "answers", "pair_id", survey="baseline")
    one_each("answers before the walk", "baseline-answered", "pair_id", pairs)
    one_each("a follow-up counted", "follow-up-completed", "follow_up_id", found.ids("feedback", "follow_up"))
    contacts = found.ids("assignment", "follow_up", "contact_id", kind="contact")
    one_each("a wanted contact", "contact-wanted", "contact_id", contacts)
    followed = Counter(row["id"] for row in found.of("intake", "walk_request") if row["followed_up_at"])
    one_each("a follow-up in intake", "follow-up-completed", "request_id", followed)
    on_walks = Counter({concern: 1 for told in _told(found, "walk-completed") for concern in told.data["concern_ids"]})
    known = Counter({str(one): many for one, many in found.ids("intake", "walk_concern", "concern_id").items()})
    verdict.expect("a concern in intake", on_walks, known)
    verdict.breaches += _requests_as_their_walks(found, verdict)
    verdict.breaches += _messages_as_events(found, verdict)
    return verdict


def _states_of_referrals(found: Found, service: str, verdict: Verdict) -> None:
    """What is kept of a referral is what was said of it last, however often and in whatever order it was sent."""
    last: dict[str, tuple[int, str]] = {}
    for name in ("referral-made", "referral-accepted", "referral-declined", "referral-updated", "concern-resolved"):
        for told in _told(found, name):
            said = SAID.get(name) or told.data.get("progress") or told.data["resolution"]
            referral = told.data["referral_id"]
            last[referral] = max(last.get(referral, (0, "")), (told.sequence, said))
    made = {"assignment": "made", "feedback": "referred"}[service]
    for row in found.of(service, "referral"):
        _, said = last.get(str(row["id"]), (0, "nothing"))
        wanted = made if said == "made" else said
        verdict.check(row["state"] == wanted, f"referral {row['id']} is {row['state']} in {service}, last told {said}")


def _requests_as_their_walks(found: Found, verdict: Verdict) -> list[str]:
    walk_of = {row["id"]: row["walk_id"] for row in found.of("assignment", "request")}
    state_of = {row["id"]: row["state"] for row in found.of("assignment", "walk")}
    wrong = []
    for row in found.of("intake", "walk_request"):
        verdict.looked_at += 1
        walk = walk_of.get(row["id"])
        state = state_of.get(walk, "")
        if row["state"] != "withdrawn" and row["state"] != AS_IN_INTAKE.get(state):
            wrong.append(f"request {row['id']} is {row['state']} in intake, its walk {state}")
        if row["walk_id"] not in (walk, None) or (
            row["walk_id"] is None and row["state"] not in ("received", "withdrawn")
        ):
            wrong.append(f"request {row['id']} has another walk in intake")
    return wrong


def _messages_as_events(found: Found, verdict: Verdict) -> list[str]:
    messages = found.of("intake", "message")
    said = Counter((row["request_id"], row["kind"]) for row in messages)
    requests = found.of("intake", "walk_request")
    resolved = Counter(told.data["concern_id"] for told in _told(found, "concern-resolved"))
    of_walk: dict[UUID, int] = Counter()
    for row in found.of("intake", "walk_concern"):
        of_walk[row["walk_id"]] += resolved[str(row["concern_id"])]
    wrong = []
    for row in requests:
        verdict.looked_at += 1
        wanted = {"confirmation": 1}
        if row["state"] == "completed":
            wanted |= {"survey": 1, "done": of_walk.get(row["walk_id"], 0)}
        for kind, many in wanted.items():
            if said[(row["id"], kind)] != many:
                wrong.append(f"request {row['id']}: {said[(row['id'], kind)]} messages of kind {kind}, not {many}")
    return wrong


def parked_is_what_was_spoiled(found: Found) -> Verdict:
    """Parked are exactly the bad records put in, by each service that could not read them, their followers apart."""
    verdict = Verdict()
    for service in SERVICES:
        held = found.of(service, "held")
        parked = Counter(
            (row["topic"], bytes(row["key"] or b"")) for row in held if row["why"] in ("unreadable", "failed")
        )
        behind = Counter(row["id"] for row in held if row["why"] == "behind")
        mine = [spoiled for spoiled in found.spoiled if service in spoiled.parked_by]
        verdict.expect(f"parked in {service}", Counter((one.topic, one.key) for one in mine), parked)
        followers = Counter(id_ for one in found.spoiled if service in one.behind for id_ in one.followers)
        verdict.expect(f"held behind in {service}", followers, behind)
        told = _distinct(found, parked_topic(service))
        written = [row for row in found.of(service, "outbox_log") if row["raw"]]
        verdict.check(len(written) == len(mine), f"{service} wrote {len(written)} parked records, not {len(mine)}")
        verdict.check(len(told) == len(mine), f"{parked_topic(service)} has {len(told)} records, not {len(mine)}")
    return verdict


def tombstones_are_kept(found: Found) -> Verdict:
    """What was withdrawn stays withdrawn everywhere: requests, their walks, concerns and their referrals."""
    verdict = Verdict()
    in_intake = {row["id"]: row["state"] for row in found.of("intake", "walk_request")}
    in_assignment = {row["id"]: row for row in found.of("assignment", "request")}
    walks = {row["id"]: row["state"] for row in found.of("assignment", "walk")}
    for request in found.accepted.withdrawn:
        verdict.check(in_intake.get(request) == "withdrawn", f"request {request} is {in_intake.get(request)} in intake")
        row = in_assignment.get(request)
        verdict.check(row is not None and row["withdrawn_at"] is not None, f"request {request} is not withdrawn there")
        state = walks.get(row["walk_id"]) if row else None
        verdict.check(state == "cancelled", f"the walk of withdrawn request {request} is {state}")
    told = {told.data["concern_id"] for told in _told(found, "concern-withdrawn")}
    for concern in found.accepted.withdrawn_concerns:
        verdict.check(str(concern) in told, f"concern {concern} was withdrawn and nobody was told")
    of_partners = {str(row["id"]): row["state"] for row in found.of("partners", "concern")}
    counted = {str(row["id"]): row["withdrawn"] for row in found.of("feedback", "concern")}
    for one in told:
        verdict.check(of_partners.get(one) == "withdrawn", f"concern {one} is {of_partners.get(one)} in partners")
        verdict.check(counted.get(one) is True, f"concern {one} is counted as if it stood")
    for row in found.of("partners", "referral"):
        withdrawn = str(row["concern_id"]) in told
        verdict.check(
            not withdrawn or row["state"] == "withdrawn", f"referral {row['id']} of a withdrawn concern stands"
        )
    return verdict


def audit_chains_are_whole(found: Found) -> Verdict:
    """`walkandtalk audit verify` finds nothing altered, removed or cut off in any service."""
    verdict = Verdict()
    for service in SERVICES:
        faults = found.audit.get(service, ["was not looked at"])
        verdict.check(not faults, f"{service}: {' '.join(faults)}")
    return verdict


def nothing_is_under_way(found: Found) -> Verdict:
    """Nothing waits to be published, awaits a parent, is overdue, was given up, or has still to be sealed."""
    verdict = Verdict()
    for service in SERVICES:
        for table in ("outbox_pending", "overdue_timer", "overdue_sending", "failed_sending", "unsealed"):
            many = len(found.of(service, table))
            verdict.check(many == 0, f"{service}: {many} rows in {table}")
        awaiting = found.ids(service, "held", "why")["awaiting"]
        verdict.check(awaiting == 0, f"{service}: {awaiting} events await a parent")
    return verdict


def messages_arrived_once(found: Found) -> Verdict:
    """Every message that counts as sent is in the mailbox once, and nothing is there that nobody sent."""
    verdict = Verdict()
    rows = [*found.of("intake", "message"), *found.of("partners", "delivery")]
    verdict.expect("a message", Counter(row["id"] for row in rows if row["state"] == "sent"), found.arrived)
    return verdict


def refusals_are_of_the_moment(found: Found) -> Verdict:
    """No answer of a service was a fault of its own: 503 while something is away, and no other 5xx."""
    verdict = Verdict()
    for (service, status), many in found.accepted.statuses.items():
        verdict.looked_at += many
        if status >= 500 and status != 503:
            verdict.breaches.append(f"{service} answered {status} {many} times")
    return verdict


INVARIANTS: Final[tuple[Callable[[Found], Verdict], ...]] = (
    accepted_requests_stand,
    one_open_walk_a_request,
    accepted_steps_stand,
    one_referral_a_partner,
    keys_are_in_order,
    published_is_what_was_written,
    events_and_state_agree,
    each_event_is_taken_once,
    effects_match_events,
    parked_is_what_was_spoiled,
    tombstones_are_kept,
    audit_chains_are_whole,
    nothing_is_under_way,
    messages_arrived_once,
    refusals_are_of_the_moment,
)
"""The written list. `make faults` prints it with how many things each looked at."""


def judge(found: Found) -> dict[str, Verdict]:
    """Every invariant's verdict, by its name."""
    return {invariant.__name__: invariant(found) for invariant in INVARIANTS}


def _sound(found: Found) -> list[Seen]:
    """Records of events: neither parked ones nor those we put in ourselves under keys nobody knows."""
    own = {spoiled.key for spoiled in found.spoiled}
    return [one for one in found.records if one.topic not in PARKED and one.key not in own]


def _distinct(found: Found, topic: str) -> list[Seen]:
    first: dict[tuple[bytes, bytes], Seen] = {}
    for one in found.records:
        if one.topic == topic:
            first.setdefault((one.key, one.value), one)
    return list(first.values())


def _told(found: Found, name: str) -> list[Told]:
    """Events of this name as they first stand on their topic."""
    first: dict[str, Told] = {}
    for one in _of_type(found, name):
        id_ = one.header("ce_id")
        if id_ not in first:
            first[id_] = Told(id_, int(one.header("ce_sequence")), json.loads(one.value))
    return list(first.values())


def _of_type(found: Found, name: str) -> list[Seen]:
    type_ = f"{TYPE_PREFIX}{name}.v1"
    if type_ not in BY_TYPE:
        raise LookupError(f"no event is named {name}")
    return [one for one in _sound(found) if one.header("ce_type") == type_]


def _id(one: Seen) -> UUID | None:
    return UUID(one.header("ce_id")) if one.header("ce_id") else None
