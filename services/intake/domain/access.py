"""What a woman gets who asks for what is held about her: every table and column of intake is in it, or has a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

EXPORTED: Final[Mapping[str, tuple[str, ...]]] = {
    "participant": ("created_at", "sealed", "stopped_at", "spoken_at"),
    "walk_request": (
        "id",
        "reference",
        "state",
        "wanted",
        "times",
        "walk_id",
        "team_id",
        "officer_id",
        "caller_id",
        "requested_at",
        "followed_up_at",
        "moved_at",
        "contact_wanted_at",
        "on_hold_at",
    ),
    "message": (
        "kind",
        "channel",
        "refused",
        "sealed",
        "created_at",
        "attempt",
        "account",
        "asked_at",
        "notify_id",
        "receipt",
        "receipt_at",
    ),
    "sending": ("state", "due_at", "tries", "ended_at", "fault"),
    "waiting_baseline": ("sealed", "answered_on"),
    "wanted_contact": ("sealed",),
    "walk_concern": ("concern_id", "resolved_at"),
    "accepted_key": ("accepted_at",),
    "unconfirmed": ("sealed",),
    "audit": ("at", "actor", "action", "reason", "recipient"),
}
"""By table, the columns whose content stands in the copy; what is sealed is opened for it."""

_LINK: Final = "an id by which rows belong together; it stands in the copy once, with her request"
_BUS: Final = "what the bus carried; events name her request by its id and say nothing that is not in the copy"

LEFT_OUT: Final[Mapping[str, str]] = {
    "participant.id": _LINK,
    "participant_key": "her key, of no use outside",
    "participant_digest": "keyed digests of her address and number, which stand in the copy themselves",
    "walk_request.participant_id": _LINK,
    "walk_request.walk_as_of": "tells which of two walks came later; the walk stands in the copy",
    "walk_request.pair": "the sealed id of her answers: shown to whoever holds the copy it would lead to them",
    "message.id": _LINK,
    "message.request_id": _LINK,
    "sending.id": _LINK,
    "sending.channel": "stands with the message",
    "sending.claimed_until": "for seconds, while a message is being sent",
    "waiting_baseline.id": _LINK,
    "wanted_contact.id": _LINK,
    "walk_concern.walk_id": "stands with her request",
    "unconfirmed.request_id": _LINK,
    "unconfirmed.code": "a keyed digest of the code in her message",
    "unconfirmed.tries": "how often a code was tried for her reference",
    "accepted_key.digest": "a keyed digest of a random key",
    "accepted_key.body_digest": "a keyed digest of what stands in the copy",
    "accepted_key.request_id": _LINK,
    "audit.id": _LINK,
    "audit.subject": _LINK,
    "attempt": "how often something was done from an address within the hour: keyed digests of addresses, gone with it",
    "draft": "a form half filled in is found by a cookie alone, and gone in hours: nobody can say whose it is",
    "heard_by": "counts how many heard of the scheme where; nothing in it leads to a request",
    "waiting_equality": "nothing in it says whose answers it holds",
    "withdrawn_answers": "of women who were erased",
    "tombstone": "of women who were erased",
    "timer": "ids and times at which something falls due",
    "inbox": "ids of events",
    "held": _BUS,
    "outbox_key": _BUS,
    "outbox_log": _BUS,
    "outbox_pending": _BUS,
    "relay_bus": "which broker was last spoken to",
    "audit_seal": "hashes over the log",
    "audit_unsealed": "numbers of rows of the log",
}
"""Tables, or columns as table.column, that are not in the copy, each with its reason; `force_id` is in every table."""

ELSEWHERE: Final[Mapping[str, str]] = {
    "assignment": "Under the id of your request: where and when you wanted to walk, your rules for contact without your"
    " name, the walk, what officers noted of it in their words, photographs of places, calls, visits and attempts to"
    " reach you. If a crime or"
    " something else the police have to look into came up: the number of the police's own report, and what was done to"
    " keep you safe. What you said of it stands in that report alone.",
    "partners": "The concerns of your walk as the officer passed them on, and what partners did. Nothing leads to you.",
    "feedback": "Your answers to the surveys, as codes under a random number that only this service could connect with"
    " you. Nothing leads to you.",
}
"""What the other services hold, by the contracts between them: none of them knows who she is."""
HOW_TO_GET_IT: Final = "Ask the data protection officer of the force, and give the references above."
