"""Bad requests, kind by kind, as the bytes that are sent: made from a number, so that each can be made again."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Final
from urllib.parse import quote_from_bytes, quote_plus, urlencode

from tests.misuse import hostile
from tests.misuse.doors import Door, Form, Ground, accepts, doors, schema_of

FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, and whether only a refusal is a right answer to it."""

    service: str
    raw: bytes
    told: str
    must_be_refused: bool = False
    may_be_cut: bool = False
    """Whether a closed connection is an answer too: it is no HTTP."""


Make = Callable[[Ground, Random, str], Sent]


def raw(method: str, target: str, headers: dict[str, str], body: bytes | None = None) -> bytes:
    """A request of HTTP/1.1 on a connection that is kept."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*lines, "", "")).encode("latin-1", "replace") + (body or b"")


def path_text(text: str, *, keep: str = "") -> str:
    """A text as a part of a path or query; lone surrogates as the bytes they would be."""
    return quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe=keep)


def signed_in(ground: Ground, door: Door, choose: Random) -> dict[str, str]:
    """Headers of somebody who may, mostly; of somebody who may not, or of nobody, otherwise."""
    may = ground.people_for(door.rule)
    chance = choose.random()
    who = choose.choice(may) if may and chance < 0.9 else choose.choice(["", *ground.tokens])
    # Most ask as programs do: a page that says no takes longer to make than to refuse.
    kind = "text/html" if choose.random() < 0.15 else "application/json"
    headers = {"Host": ground.stack.urls[door.service].removeprefix("http://"), "Accept": kind}
    if door.path.startswith("/api/"):
        headers["Accept"] = "application/json"
        if who:
            headers["Authorization"] = f"Bearer {ground.tokens[who]}"
    else:
        headers["Cookie"] = ground.cookies[who]
        headers["X-CSRF-Token"] = ground.csrf[who]
    return headers


@cache
def _with(what: str) -> tuple[Door, ...]:
    """The doors a kind knocks at."""
    belongs: dict[str, Callable[[Door], bool]] = {
        "body": lambda one: one.body is not None,
        "query": lambda one: one.method == "GET" and one.path != "/signin/callback",
        "path": lambda one: bool(one.parameters),
        "link": lambda one: "token" in one.parameters or _takes_token(one),
    }
    return tuple(one for one in doors() if belongs[what](one))


# The kinds -------------------------------------------------------------------------------------------------------


def api_bodies(ground: Ground, choose: Random, mark: str) -> Sent:
    """JSON near what a call takes, broken; hostile but allowed once in a while; or of another content type."""
    door = choose.choice(_with("body"))
    schema = schema_of(door.body)
    headers = signed_in(ground, door, choose) | {"Content-Type": "application/json"}
    headers |= dict.fromkeys(door.headers, f"misuse-{mark}")
    good = hostile.allowed(schema, choose, lambda: "The lamps have been out.")
    if choose.random() < 0.1:
        good = hostile.allowed(schema, choose, lambda: hostile.text(choose, mark))
        body = json.dumps(good).encode()
    else:
        body = hostile.broken(good, choose, mark)
    if choose.random() < 0.05:
        headers["Content-Type"] = choose.choice(
            ("text/plain", "application/xml", FORM, "application/json; charset=utf-16", "multipart/form-data", "x", "")
        )
    must = headers["Content-Type"] == "application/json" and not _reads_as(door, body)
    return Sent(door.service, raw(door.method, ground.path_of(door, choose), headers, body), _told(door), must)


def _reads_as(door: Door, body: bytes) -> bool:
    try:
        return accepts(door.body, json.loads(body))
    except (ValueError, RecursionError):
        return False


def query_parameters(ground: Ground, choose: Random, mark: str) -> Sent:
    """Parameters a route knows, and others, with hostile values, repeated and unfinished."""
    door = choose.choice(_with("query"))
    names = [*door.query, "page", "state", "q", "force", "next", mark]
    pairs = []
    for _ in range(choose.choice((1, 1, 2, 3, 30))):
        pairs.append(f"{path_text(choose.choice(names))}={path_text(hostile.text(choose, mark))}")
    query = choose.choice(("&", "&", "&", ";", "&&")).join(pairs)
    if choose.random() < 0.1:
        query = query[: choose.randrange(len(query) + 1)] + choose.choice(("%", "%f", "%ff%fe", "=&=", "[]=", "+"))
    target = f"{ground.path_of(door, choose)}?{query}"
    return Sent(door.service, raw("GET", target[:20_000], signed_in(ground, door, choose)), _told(door))


def path_ids(ground: Ground, choose: Random, mark: str) -> Sent:
    """Hostile texts, other kinds' ids and odd spellings where a path has a parameter; paths that are none."""
    door = choose.choice(_with("path"))
    path = door.path
    for name in door.parameters:
        value = path_text(_odd_id(ground, door, choose, mark), keep=choose.choice(("", "", "/", ":@!$&'()*+,;=")))
        path = path.replace("{" + name + "}", value)
    if choose.random() < 0.1:
        path = choose.choice(
            ("/.." + path, path + "/", "/" + path, path.upper(), path + "/" + mark, "/static/.." + path)
        )
    headers = signed_in(ground, door, choose)
    if door.method == "POST":
        headers["Content-Type"] = "application/json" if door.body is not None else FORM
    body = (b"{}" if door.body is not None else b"") if door.method == "POST" else None
    return Sent(door.service, raw(door.method, path[:20_000], headers, body), _told(door))


def _odd_id(ground: Ground, door: Door, choose: Random, mark: str) -> str:
    chance = choose.random()
    if chance < 0.6:
        return hostile.text(choose, mark) or "%"
    known = choose.choice(ground.ids[door.service] or [mark])
    return choose.choice(
        (known, known.upper(), "{" + known + "}", "urn:uuid:" + known, known.replace("-", ""), known + "0",
         known[:-1], known + " ")
    )  # fmt: skip


_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "zq")
_HEADERS: Final = (
    "Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Content-Type", "Cookie", "Content-Encoding",
    "Expect", "Forwarded", "If-Modified-Since", "If-None-Match", "Idempotency-Key", "Origin", "Range", "Referer",
    "Sec-Fetch-Site", "Traceparent", "Tracestate", "User-Agent", "X-Correlation-Id", "X-CSRF-Token", "X-Forwarded-For",
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-HTTP-Method-Override", "X-Original-URL", "X-Real-IP",
)  # fmt: skip


def headers(ground: Ground, choose: Random, mark: str) -> Sent:
    """Hostile values in every header anybody reads, wrong hosts and methods; many and long ones."""
    door = choose.choice(doors())
    given = signed_in(ground, door, choose)
    for name in choose.sample([*_HEADERS, *door.headers, f"X-{mark}"], choose.choice((1, 1, 2, 4))):
        value = _header_value(name, choose, mark)
        given[name] = value.replace("\r", " ").replace("\n", " ").replace("\0", " ")
    if choose.random() < 0.05:
        given["Host"] = choose.choice((f"{mark}.example", "localhost:0", "", f"{mark}@localhost", "[::1]"))
    if choose.random() < 0.03:
        given |= {f"X-Many-{n}": mark for n in range(80)}
    if choose.random() < 0.03:
        given["X-Long"] = mark * 400
    method = choose.choice(_METHODS) if choose.random() < 0.2 else door.method
    body = b"{}" if method in ("POST", "PUT", "PATCH") else None
    # Octets above 127 as they are; nothing that would end the line, which is another kind.
    made = raw(method, ground.path_of(door, choose), given, body)
    return Sent(door.service, made, f"{method} {door.path}", may_be_cut="Expect" in given)


def _header_value(name: str, choose: Random, mark: str) -> str:
    text = hostile.text(choose, mark)[:6000].encode("utf-8", "replace").decode("latin-1")
    forged = base64.urlsafe_b64encode(text.encode("latin-1")).decode().rstrip("=")
    match name:
        case "Authorization":
            return choose.choice((
                f"Bearer {text}", f"Bearer {forged}.{forged}.{forged}", f"Bearer eyJhbGciOiJub25lIn0.{forged}.",
                f"Basic {forged}", "Bearer", f"bearer  {mark}", "Bearer " + "." * 50, f"Digest {text}",
            ))  # fmt: skip
        case "Cookie":
            return choose.choice((
                f"walkandtalk-session={text}", f"walkandtalk-session=gAAAAAB{forged}; walkandtalk-form={mark}",
                f"sitting={text}", f"walkandtalk-signin={forged}", "; " * 50, f"{mark}={text}; =; {mark}",
            ))  # fmt: skip
        case "Content-Type":
            return choose.choice((
                f"multipart/form-data; boundary={text}", "multipart/form-data",
                f"application/json; charset={mark}", text,
            ))  # fmt: skip
        case "Traceparent":
            return choose.choice((f"00-{'0' * 32}-{'0' * 16}-01", f"00-{mark}", text))
    return text


def form_posts(ground: Ground, choose: Random, mark: str) -> Sent:
    """Forms as pages show them, with hostile values, fields missing, repeated and unknown, in either encoding."""
    form: Form = choose.choice(ground.forms)
    pairs: list[tuple[str, str]] = []
    hostile_one = choose.choice([name for name, _ in form.fields if name != "csrf_token"] or ["csrf_token"])
    for name, value in form.fields:
        chance = choose.random()
        if name == hostile_one or (chance < 0.15 and name != "csrf_token"):
            pairs.append((name, hostile.text(choose, mark)))
        elif chance > 0.05 or name == "csrf_token":
            pairs.append((name, value or "words"))
    if choose.random() < 0.1:
        pairs += [(hostile.text(choose, mark)[:200], hostile.text(choose, mark))] * choose.choice((1, 3, 40))
    if choose.random() < 0.05:
        pairs = [(name, mark if name == "csrf_token" else value) for name, value in pairs]
    given = {"Host": ground.stack.urls[form.service].removeprefix("http://"), "Accept": "text/html"}
    given["Cookie"] = form.cookies
    if choose.random() < 0.15:
        given["Content-Type"], body = _multipart(pairs, choose, mark)
    else:
        given["Content-Type"] = FORM
        body = "&".join(
            f"{quote_plus(name.encode('utf-8', 'surrogatepass'))}={quote_plus(value.encode('utf-8', 'surrogatepass'))}"
            for name, value in pairs
        ).encode()
        if choose.random() < 0.05:
            body = hostile.torn(body, choose, mark)
    target = form.action if choose.random() < 0.95 else f"{form.action}?{urlencode({'change': mark})}"
    return Sent(form.service, raw("POST", target, given, body), f"POST {form.action.rpartition('/')[2]}")


def _multipart(pairs: list[tuple[str, str]], choose: Random, mark: str) -> tuple[str, bytes]:
    boundary = f"b{mark}"
    parts = []
    for name, value in pairs:
        file = f'; filename="{mark}.txt"' if choose.random() < 0.05 else ""
        text = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{value}\r\n'
        parts.append(text.encode("utf-8", "surrogatepass"))
    end = f"--{boundary}--\r\n".encode() if choose.random() < 0.8 else b""
    kind = f"multipart/form-data; boundary={boundary if choose.random() < 0.9 else mark}"
    return kind, b"".join(parts) + end


def links(ground: Ground, choose: Random, mark: str) -> Sent:
    """Links of surveys and of her own page: forged, altered, cut, of the other sort, and answers under them."""
    door = choose.choice(_with("link"))
    known = [value for service in ground.stack.services for value in ground.used[service, "token"]]
    token = _altered(choose.choice(known or [mark]), choose, mark)
    path = door.path.replace("{token}", path_text(token) or "%20").replace("{number}", hostile_number(choose))
    given = signed_in(ground, door, choose)
    body: bytes | None = None
    if _takes_token(door):
        given["Content-Type"] = "application/json"
        answers = {hostile.text(choose, mark): hostile.text(choose, mark), "safe-after-dark": "agree"}
        body = json.dumps({"token": token, "answers": answers}).encode()
    elif door.method == "POST":
        given["Content-Type"] = FORM
        body = urlencode({"answer": mark, "no_contact": "yes"}).encode()
    return Sent(door.service, raw(door.method, path, given, body), _told(door), token not in known)


def hostile_number(choose: Random) -> str:
    return choose.choice(("0", "1", "-1", "999", "1.5", "%31", "x", "9" * 30, "1%00", "%D9%A1"))


def _takes_token(door: Door) -> bool:
    return door.body is not None and "token" in getattr(door.body, "model_fields", {})


def _altered(token: str, choose: Random, mark: str) -> str:
    at = choose.randrange(len(token))
    return choose.choice(
        (
            lambda: token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :],
            lambda: token[:at],
            lambda: token[:at] + mark + token[at:],
            lambda: token + choose.choice(("A", "==", ".", "\n", " ", "%", "/", mark)),
            lambda: token[::-1],
            lambda: token.swapcase(),
            lambda: token * 20,
            lambda: hostile.text(choose, mark),
            lambda: base64.urlsafe_b64encode(bytes(choose.randrange(256) for _ in range(120))).decode().rstrip("="),
            lambda: base64.urlsafe_b64encode(mark.encode() * 9).decode(),
            lambda: mark,
        )
    )()


def sign_in_callbacks(ground: Ground, choose: Random, mark: str) -> Sent:
    """Answers a sign-in never asked for, and places to go to afterwards that are not ours."""
    service = choose.choice(sorted(ground.stack.services))
    host = ground.stack.urls[service].removeprefix("http://")
    given = {"Host": host, "Accept": "text/html" if choose.random() < 0.15 else "application/json"}
    if choose.random() < 0.3:
        following = choose.choice((
            f"//{mark}.example", f"https://{mark}.example/", f"/\\{mark}.example", f"/\t/{mark}.example",
            "javascript:" + mark,
            f"/%2f{mark}.example", f"\\\\{mark}.example", f"/..//{mark}", hostile.text(choose, mark), "/me?" + mark,
        ))  # fmt: skip
        return Sent(service, raw("GET", f"/signin?next={path_text(following)}", given), "GET /signin")
    pairs = []
    for name in choose.choice(
        (("code", "state"), ("state",), ("code",), ("error", "state"), ("code", "state", "iss", mark), ())
    ):
        pairs.append(f"{name}={path_text(hostile.text(choose, mark))}")
    if choose.random() < 0.7:
        cookie = choose.choice((mark, "gAAAAAB" + base64.urlsafe_b64encode(mark.encode() * 6).decode(), ""))
        given["Cookie"] = f"walkandtalk-signin={cookie}"
    if choose.random() < 0.2:
        given["Cookie"] = ground.cookies[choose.choice(list(ground.tokens))].replace("session", "signin")
    return Sent(service, raw("GET", "/signin/callback?" + "&".join(pairs), given), "GET /signin/callback", True)


def no_http(ground: Ground, choose: Random, mark: str) -> Sent:
    """What is no request: torn lines, impossible lengths, two requests in one, bytes of other protocols."""
    door = choose.choice(doors())
    m = mark.encode()
    host = ground.stack.urls[door.service].removeprefix("http://").encode()
    line = f"{door.method} {ground.path_of(door, choose)} HTTP/1.1\r\nHost: ".encode() + host + b"\r\n"
    made = choose.choice((
        lambda: m + b"\r\n\r\n",
        lambda: b"GET / HTTP/9.9\r\n" + m + b": 1\r\n\r\n",
        lambda: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + m * 4,
        lambda: b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + m,
        lambda: line + b"X-" + m + b"\r\n\r\n",
        lambda: line + b"X-A: " + m + b"\x00\r\n\r\n",
        lambda: line + b" X-Folded: " + m + b"\r\n\r\n",
        lambda: line + b"Content-Length: -1\r\n\r\n" + m,
        lambda: line + b"Content-Length: " + m + b"\r\n\r\n",
        lambda: line + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + m,
        lambda: line + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + m,
        lambda: line + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n" + m + b"\r\n0\r\n\r\n",
        lambda: line + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n" + m,
        lambda: line + b"Transfer-Encoding: " + m + b"\r\n\r\n0\r\n\r\n",
        lambda: b"GET  /" + m + b"  HTTP/1.1\r\n\r\n",
        lambda: b"GET /" + m + b" " + m + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        lambda: b"GET \xff\xfe/" + m + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        lambda: b"GET http://" + m + b".example/ HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        lambda: b"CONNECT " + m + b".example:443 HTTP/1.1\r\nHost: " + m + b"\r\n\r\n",
        lambda: b"OPTIONS * HTTP/1.1\r\nHost: " + host + b"\r\n\r\n",
        lambda: b"GET / HTTP/1.0\r\n\r\n",
        lambda: b"GET / HTTP/1.1\r\n\r\n",
        lambda: line + b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: " + m + b"\r\n\r\n",
        lambda: bytes(choose.randrange(256) for _ in range(60)) + m + b"\r\n\r\n",
    ))()  # fmt: skip
    return Sent(door.service, made, "no HTTP", may_be_cut=True)


def _told(door: Door) -> str:
    return f"{door.method} {door.path}"


KINDS: Final[dict[str, Make]] = {
    "API bodies": api_bodies,
    "query parameters": query_parameters,
    "path ids": path_ids,
    "headers": headers,
    "form posts": form_posts,
    "survey links and tokens": links,
    "sign-in callbacks": sign_in_callbacks,
    "no HTTP": no_http,
}
"""What is sent over HTTP, by name."""
