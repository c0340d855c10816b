"""The ceiling of the request side: a bare ASGI callable that accepts requests for a walk, and nothing else.

It leaves the same rows in the same tables under the same guarantees, written by hand: row-level security for one force,
one request an idempotency key (a repeat gets the same answer, another body under the key is refused), every field
checked, the postcode looked up, who she is sealed under a key of her own, keyed digests, the audit row with its mark
for the sealer, key, log and pending list of the outbox with the relay woken, the confirmation's message and sending,
and the count of what came from her address in this hour.
Three trips to the database: BEGIN, one statement, COMMIT.

It is spared: routes and access table, pydantic, the domain's values, problem details that name a field (a bad request
gets a bare 422), metrics, the log line, security headers, CSRF, a repeat told from another spelling of the same JSON,
answers of the survey (our requests carry none), and the outbox's counting (a new key begins at one). Postcode store and
rule of hours are the product's own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from ipaddress import ip_address, ip_network
from typing import Any, Final
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic_core import from_json, to_json
from uuid6 import uuid7

from services.intake.domain.messages import next_allowed
from services.intake.settings import Settings
from services.intake.vault import Vault
from shared.contracts.kinds import Channel, PartOfDay, Reason, Weekday
from shared.contracts.refusals import Refusal
from shared.geography.postcodes import Postcodes
from shared.policies import Policies
from shared.runtime import settle

_ACCEPT: Final = """
WITH key AS (
    INSERT INTO accepted_key (force_id, digest, body_digest, request_id, accepted_at)
    VALUES ($1::text, $2::bytea, $3::bytea, $4::uuid, $5::timestamptz)
    ON CONFLICT (force_id, digest) DO NOTHING RETURNING request_id
), participant AS (
    INSERT INTO participant (force_id, id, sealed, created_at)
    SELECT $1::text, $6::uuid, $9::bytea, $5::timestamptz FROM key
), her_key AS (
    INSERT INTO participant_key (force_id, participant_id, master, wrapped_key)
    SELECT $1::text, $6::uuid, $7::text, $8::bytea FROM key
), digests AS (
    INSERT INTO participant_digest (force_id, digest, participant_id)
    SELECT $1::text, d, $6::uuid FROM key, unnest($10::bytea[]) AS d
), request AS (
    INSERT INTO walk_request (force_id, id, participant_id, reference, pair, wanted, requested_at)
    SELECT $1::text, request_id, $6::uuid, $11::text, $12::bytea, $22::bytea, $5::timestamptz FROM key
), keyed AS (
    INSERT INTO outbox_key (force_id, topic, key, sequence) SELECT $1::text, 'walk-requests.v1', request_id, 1 FROM key
), logged AS (
    INSERT INTO outbox_log (force_id, topic, key, sequence, id, type, time, correlation_id, traceparent, data)
    SELECT $1::text, 'walk-requests.v1', request_id, 1, $13::uuid, 'uk.police.walkandtalk.walk-requested.v1',
           $5::timestamptz, $14::uuid, $15::text, $16::bytea
    FROM key RETURNING position
), pending AS (
    INSERT INTO outbox_pending (force_id, position) SELECT $1::text, position FROM logged
), recorded AS (
    INSERT INTO audit (force_id, at, actor, action, subject, reason)
    SELECT $1::text, $5::timestamptz, 'participant', 'collected', request_id::text, 'asked for a walk'
    FROM key RETURNING id
), unsealed AS (
    INSERT INTO audit_unsealed (force_id, id) SELECT $1::text, id FROM recorded
), told AS (
    INSERT INTO message (force_id, id, request_id, kind, channel, refused, sealed, created_at)
    SELECT $1::text, $17::uuid, request_id, 'confirmation', $18::text, $19::text, $20::bytea, $5::timestamptz FROM key
), going AS (
    INSERT INTO sending (force_id, id, channel, due_at)
    SELECT $1::text, $17::uuid, $18::text, $21::timestamptz FROM key WHERE $21::timestamptz IS NOT NULL
), counted AS (
    INSERT INTO attempt (force_id, digest, many, until)
    SELECT $1::text, $23::bytea, 1, $24::timestamptz FROM key WHERE $23::bytea IS NOT NULL
    ON CONFLICT (force_id, digest) DO UPDATE SET many = attempt.many + 1
    RETURNING many
)
SELECT pg_notify('outbox', ''), (SELECT many FROM counted) AS many FROM key
"""
_KNOWN: Final = """
SELECT a.body_digest, a.request_id, r.reference FROM accepted_key AS a
JOIN walk_request AS r ON r.force_id = a.force_id AND r.id = a.request_id WHERE a.force_id = $1 AND a.digest = $2
"""

_EMAIL: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_PHONE_MARKS: Final = re.compile(r"[\s().\-–‑/]+")
_PHONE: Final = re.compile(r"(?:\+|00)[1-9][0-9]{6,14}|0[0-9]{9,10}")
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_LETTERS: Final = "23456789BCDFGHJKMNPQRTVWXYZ"
_CHANNELS, _PARTS = frozenset(one.value for one in Channel), frozenset(one.value for one in PartOfDay)
_REASONS, _DAYS = frozenset(one.value for one in Reason), frozenset(one.value for one in Weekday)
_TOP: Final = frozenset(
    (
        *("force_id", "name", "over_18", "consent", "contact", "place", "availability", "lives_or_works_here"),
        *("reasons", "group_walk_welcome", "baseline"),
    )
)
_CONTACT: Final = frozenset(
    (
        *("channels", "email", "phone", "address", "times", "may_say_police", "may_leave_voicemail"),
        *("excluded_officers", "excluded_teams"),
    )
)
_LARGEST: Final = 1_000_000
_PLAIN: Final = {"language": "en", "calendar": False}

Asgi = Callable[[Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]], Awaitable[None]]


class Often(Exception):
    """Too many from one address."""


class Bad(Exception):
    """Something is missing or not valid."""


def _check(holds: object) -> None:
    if not holds:
        raise Bad


def _choices(given: Any, allowed: frozenset[str], *, least: int = 1) -> list[str]:
    _check(type(given) is list and len(given) >= least and all(type(one) is str for one in given))
    found = list(dict.fromkeys(given))
    _check(allowed.issuperset(found))
    return found


def _yes(given: dict[str, Any], name: str) -> bool:
    found = given.get(name, False)
    _check(type(found) is bool)
    return bool(found)


def _slugs(given: dict[str, Any], name: str) -> list[str]:
    found = given.get(name, [])
    _check(type(found) is list and len(found) <= 20)
    _check(all(type(one) is str and _SLUG.fullmatch(one) for one in found))
    return list(found)


def _text(given: dict[str, Any], name: str, longest: int) -> str | None:
    found = given.get(name)
    if found is None:
        return None
    _check(type(found) is str)
    found = found.strip()
    _check(0 < len(found) <= longest)
    return str(found)


class Bare:
    """The ASGI callable. Keys are derived once."""

    def __init__(self, settings: Settings) -> None:
        vault = Vault(settings.ring())
        self._url = settings.database_web_url
        self._largest = settings.database_connections
        self._link = settings.intake_url.rstrip("/") + "/your-request/"
        self._master = vault.master_id
        self._wrapping = vault._wrapping[vault.master_id]
        self._linking = vault._box("private link")
        self._digesting = vault._digesting
        self._postcodes = Postcodes.open(settings.data_dir)
        policies = Policies.read(settings.forces_dir)
        self._forces = frozenset(policies)
        self._most = {force: policies[force].limits.requests_an_hour for force in policies}
        self._header = settings.client_address_header.lower().encode()
        self._uncounted = settings.uncounted_networks
        self._pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        status, answer = 404, b""
        if scope["path"] == "/api/v1/walk-requests" and scope["method"] == "POST":
            body, more = b"", True
            while more:
                message = await receive()
                body, more = body + message.get("body", b""), message.get("more_body", False)
                if len(body) > _LARGEST:
                    more = False
            try:
                _check(len(body) <= _LARGEST)
                status, answer = await self._accept(dict(scope["headers"]), body)
            except Often:
                status, answer = 429, b"{}"
            except (Bad, Refusal, KeyError, ValueError, TypeError):
                status, answer = 422, b"{}"
        elif scope["path"] == "/health/ready":
            status = 200
        length = str(len(answer)).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", length), (b"cache-control", b"no-store")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _live(self, receive: Any, send: Any) -> None:
        await receive()
        # The same settings as the product's pool; no codec is needed, for no JSON column is read or written here.
        self._pool = await asyncpg.create_pool(
            self._url, min_size=0, max_size=self._largest, reset=_nothing, server_settings={"jit": "off"}
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._pool.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _accept(self, headers: dict[bytes, bytes], body: bytes) -> tuple[int, bytes]:
        key = headers[b"idempotency-key"].decode("latin-1")
        _check(8 <= len(key) <= 200)
        asked = from_json(body)
        _check(type(asked) is dict and _TOP.issuperset(asked) and not asked.get("baseline"))
        force = asked["force_id"]
        _check(force in self._forces)
        name = _text(asked, "name", 100)
        _check(name and not _UNPRINTABLE.search(name) and asked["over_18"] is True and asked["consent"] is True)
        contact, place, availability = asked["contact"], asked["place"], asked["availability"]
        _check(type(contact) is dict and _CONTACT.issuperset(contact))
        channels = _choices(contact["channels"], _CHANNELS)
        times = _choices(contact["times"], _PARTS) if "times" in contact else [one.value for one in PartOfDay]
        email, phone, address = (
            _text(contact, "email", 254),
            _text(contact, "phone", 30),
            _text(contact, "address", 500),
        )
        if email is not None:
            _check(_EMAIL.fullmatch(email) and ".." not in email and email[0] != ".")
        digits = None if phone is None else _PHONE_MARKS.sub("", phone)
        _check(digits is None or _PHONE.fullmatch(digits))
        _check(email or "email" not in channels)
        _check(phone or not ("text" in channels or "phone" in channels))
        _check(address or "letter" not in channels)
        _check(type(place) is dict and place.keys() == {"postcode"} and len(place["postcode"]) <= 64)
        longitude, latitude = self._postcodes.find(place["postcode"]).point.to_wgs84()
        _check(type(availability) is dict and availability.keys() == {"days", "parts"})
        days, parts = _choices(availability["days"], _DAYS), _choices(availability["parts"], _PARTS)
        rules = {
            "channels": channels,
            "times": times,
            "may_say_police": _yes(contact, "may_say_police"),
            "may_leave_voicemail": _yes(contact, "may_leave_voicemail"),
            "excluded_officers": _slugs(contact, "excluded_officers"),
            "excluded_teams": _slugs(contact, "excluded_teams"),
            "stopped": False,
        }
        now = datetime.now(UTC)
        request_id, participant_id, message_id = UUID(int=uuid7().int), uuid4(), UUID(int=uuid7().int)
        number, reference = int.from_bytes(os.urandom(8), "big"), ""
        for _ in range(8):
            number, at = divmod(number, 27)
            reference += _LETTERS[at]
        reference = f"WT-{reference[:4]}-{reference[4:]}"
        data_key = os.urandom(32)
        seal = partial(_seal, AESGCM(data_key))
        digests = []
        if email is not None:
            digests.append(self._digest("email", email.lower()))
        if digits is not None:
            full = f"+{digits[2:]}" if digits.startswith("00") else digits
            digests.append(self._digest("phone", f"+44{full[1:]}" if full.startswith("0") else full))
        by = "email" if "email" in channels else None
        facts = due_at = None
        if by is not None:
            due_at = next_allowed([PartOfDay(one) for one in times], now)
            sealed_link = _seal(self._linking, to_json([force, request_id.hex]), "")
            link = self._link + base64.urlsafe_b64encode(sealed_link).decode().rstrip("=")
            facts = seal(to_json({"link": link}), f"message {message_id}")
        event = {
            "request_id": str(request_id),
            "place": {"latitude": round(latitude, 5), "longitude": round(longitude, 5)},
            "place_from_postcode": True,
            "lives_or_works_here": _yes(asked, "lives_or_works_here"),
            "reasons": _choices(asked.get("reasons", []), _REASONS, least=0),
            "route": [],
            "availability": {"days": days, "parts": parts},
            "contact": rules,
            "group_walk_welcome": _yes(asked, "group_walk_welcome"),
            "language": "en",
        }
        wanted = {name: value for name, value in event.items() if name != "contact"}
        wanted["availability"] = {"days": days, "parts": parts, "earliest": None}
        counted, until = self._counted(headers, force, now)
        key_digest, body_digest = self._digest("idempotency key", key), self._digest("request", body.decode())
        pool = self._pool
        assert pool is not None
        async with pool.acquire() as connection:
            await connection.execute(f"BEGIN; SELECT set_config('walkandtalk.forces', '{force}', true)")
            try:
                fresh = await connection.fetchrow(
                    _ACCEPT,
                    force,
                    key_digest,
                    body_digest,
                    request_id,
                    now,
                    participant_id,
                    self._master,
                    _seal(self._wrapping, data_key, f"key of {participant_id}"),
                    seal(
                        to_json(
                            {"name": name, "rules": rules, "email": email, "phone": phone, "address": address} | _PLAIN
                        ),
                        f"person {participant_id}",
                    ),
                    digests,
                    reference,
                    seal(to_json(uuid4().hex), f"pair of {request_id}"),
                    UUID(int=uuid7().int),
                    uuid4(),
                    f"00-{os.urandom(16).hex()}-{os.urandom(8).hex()}-01",
                    to_json(event),
                    message_id,
                    by,
                    None if by else "channel not allowed",
                    facts,
                    due_at,
                    seal(to_json(wanted), f"wanted {request_id}"),
                    counted,
                    until,
                )
                if fresh and (fresh["many"] or 0) > self._most[force]:
                    raise Often
                known = None if fresh else await connection.fetchrow(_KNOWN, force, key_digest)
            except BaseException:
                await connection.execute("ROLLBACK")
                raise
            await connection.execute("COMMIT")
        if known is None:
            return 201, to_json({"request_id": request_id, "reference": reference})
        _check(known["body_digest"] == body_digest)
        return 200, to_json({"request_id": known["request_id"], "reference": known["reference"]})

    def _counted(self, headers: dict[bytes, bytes], force: str, now: datetime) -> tuple[bytes | None, datetime]:
        """By what the sender is counted, in this hour; None from our own networks."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        told = headers.get(self._header, b"127.0.0.1").decode("latin-1")
        address = ip_address(told.rpartition(",")[2].strip())
        if any(address in network for network in self._uncounted if network.version == address.version):
            return None, hour
        whole = address if address.version == 4 else ip_network((address, 64), strict=False)
        return self._digest("attempt request", f"{force} {hour.isoformat()} {whole}"), hour + timedelta(hours=1)

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.digest(self._digesting, f"{kind}\0{text}".encode(), hashlib.sha256)


def _seal(box: AESGCM, plain: bytes, place: str) -> bytes:
    nonce = os.urandom(12)
    return nonce + box.encrypt(nonce, plain, place.encode())


async def _nothing(_: Any) -> None:
    """Nothing is left behind on a connection that a reset would have to clean."""


def _main() -> None:
    settings = Settings()
    app = Bare(settings)
    settle()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop" if sys.platform != "win32" else "asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
    )


if __name__ == "__main__":
    _main()
