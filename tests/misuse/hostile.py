"""What is put where something else was expected: hostile texts and values, each text with a mark that can be found."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any, Final

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import from_regex

JSON = Any

TEXTS: Final = (
    # SQL
    "'; DROP TABLE held; --{m}",
    "' OR '1'='1' /*{m}*/",
    "{m}') UNION SELECT passwd FROM pg_shadow --",
    "\\'; SELECT pg_sleep(30); --{m}",
    "$1{m}$$;$${m}",
    # Templates and format strings
    "{{{{ 7 * 191 }}}}{m}",
    "${{7*191}}{m}",
    "{{% raw %}}{m}",
    "{{0.__class__.__mro__}}{m}",
    "%s%n%x{m}",
    "${{jndi:ldap://{m}.example/a}}",
    # HTML
    "<script>{m}()</script>",
    '"><img src=x onerror={m}>',
    "'><svg/onload={m}>",
    "</textarea><b id={m}>",
    "javascript:{m}//",
    "<!--{m}",
    "&lt;{m}&#0;",
    # Line ends, control characters, paths
    "x\r\n{m}: injected",
    "x\r\n\r\n<b id={m}>",
    "../../../../../../etc/passwd{m}",
    "..\\..\\..\\windows\\{m}",
    "%2e%2e%2f%00{m}",
    "file:///etc/{m}",
    "//{m}.example/",
    "\x01\x02\x1b[31m{m}\x7f",
    "a\x00{m}",
    "\ufeff{m}\ufffe\uffff",
    "\ud800{m}",
    "{m}\udfff",
    # Directions, marks and letters
    "\u202e{m}\u2066\u200f",
    "\u200b\u200d{m}\u2028\u2029",
    "Z\u0335\u0321\u0322a\u0338\u0321l\u0334\u0328g\u0337o\u0336 {m}",
    "\U0001f469\U0001f3fd\u200d\U0001f692{m}\U0001f3f4\U000e0067\U000e0062",
    "Gwenhwyfar Ll\u0175yd-\u0176nys ap Gruffudd {m}",
    "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch {m}",
    "O\u2019Connor-\u00d6zt\u00fcrk \u5f20\u4f1f \u0645\u062d\u0645\u062f {m}",
    "=cmd|' /C calc'!{m}",
    # Length
    "{m}" + "A" * 300,
    "{m}" + "\u0175" * 4100,
    "  {m}  ",
    "{m}",
)
"""`{m}` stands for the mark."""

PLAIN: Final = (
    "", " ", "\x00", "0", "-1", "01", "1e309", "NaN", "Infinity", "-0", "0x7f", "1_000", "\u0661\u0662", "9" * 30,
    "9" * 4400, "true", "null", "None", "[]", "{}", "undefined", "00000000-0000-0000-0000-000000000000",
    "{6F9619FF-8B86-D011-B42D-00CF4FC964FF}", "urn:uuid:6f9619ff-8b86-d011-b42d-00cf4fc964ff", "0000-00-00",
    "0001-01-01", "9999-12-31", "10000-01-01", "-0001-01-01", "2026-02-30", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-11-22T10:00:00", "2026-11-22T25:61:61Z", "24:00", "99/99/9999", "%", "%zz", "\\",
    "../", ".", "..", "*", "?", "#", "a" * 63, "a" * 64, "metropolitan", "unknown", "avon-and-somerset\n",
)  # fmt: skip
"""Without a mark: too short for one, or its shape is the point."""

VALUES: Final[tuple[JSON, ...]] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, 0.5, -0.0, 1e308, float("inf"),
    float("-inf"), float("nan"), "", [], {}, [None], [[]], {"": None},
)  # fmt: skip
"""Of every type JSON has, and what Python's reader takes although JSON has it not."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks of one kind of one run: `zq` and letters that nothing else writes, then the number of the input."""

    prefix: str

    @classmethod
    def of(cls, seed: int, kind: int) -> Marks:
        return cls(f"zq{seed % 0xFFFFFF:06x}k{kind:02d}n")

    def of_input(self, number: int) -> str:
        return f"{self.prefix}{number:06d}"

    @staticmethod
    def number_in(found: str) -> int:
        return int(found[-6:])


def text(choose: Random, mark: str) -> str:
    """A hostile text, nearly always marked."""
    if choose.random() < 0.2:
        return choose.choice(PLAIN)
    return choose.choice(TEXTS).format(m=mark)


def raw_in_html(mark: str) -> tuple[bytes, ...]:
    """What stands in a page only if a hostile text got there unescaped, or was evaluated."""
    return (
        f"<script>{mark}".encode(),
        f"<img src=x onerror={mark}".encode(),
        f"<svg/onload={mark}".encode(),
        f"<b id={mark}".encode(),
        f"<!--{mark}".encode(),
        f'href="javascript:{mark}'.encode(),
        f"1337{mark}".encode(),
    )


def value(choose: Random, mark: str) -> JSON:
    """A hostile JSON value of any type."""
    chance = choose.random()
    if chance < 0.45:
        return text(choose, mark)
    if chance < 0.9:
        return copy.copy(choose.choice(VALUES))
    if chance < 0.93:
        return [text(choose, mark)[:60]] * choose.choice((1, 30, 1200))
    if chance < 0.96:
        return {text(choose, mark): text(choose, mark), mark: [mark]}
    if chance < 0.995:
        return nested(choose.choice((3, 40, 150)), mark)
    return mark + "x" * 100_000


def nested(depth: int, mark: str) -> JSON:
    """Lists in objects in lists."""
    found: JSON = mark
    for n in range(depth):
        found = [found] if n % 2 else {"a": found}
    return found


# Values a schema allows ------------------------------------------------------------------------------------------


@cache
def examples(pattern: str) -> tuple[str, ...]:
    """Some texts that fit a pattern, the same every time."""
    found: list[str] = []

    @settings(
        max_examples=40, database=None, derandomize=True, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(from_regex(pattern, fullmatch=True))
    def collect(one: str) -> None:
        # "$" lets a line end pass in Python, and in nothing else that reads these schemas.
        if not one.endswith("\n"):
            found.append(one)

    collect()
    return tuple(sorted(set(found)))


def allowed(schema: Mapping[str, JSON], choose: Random, words: Callable[[], str], whole: JSON = None) -> JSON:
    """A value the JSON Schema allows; free text comes from `words`, cut to length. `whole` holds its `$defs`."""
    whole = schema if whole is None else whole
    if "$ref" in schema:
        found: JSON = whole
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return allowed(found, choose, words, whole)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return choose.choice(schema["enum"])
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return allowed(choose.choice(schema[several]), choose, words, whole)
    if "allOf" in schema:
        return allowed(schema["allOf"][0], choose, words, whole)
    match schema.get("type"):
        case "object":
            return _object(schema, choose, words, whole)
        case "array":
            least = schema.get("minItems", 0)
            many = choose.randint(least, min(schema.get("maxItems", least + 3), least + 3))
            return [allowed(schema.get("items", {}), choose, words, whole) for _ in range(many)]
        case "string":
            return _string(schema, choose, words)
        case "integer" | "number" as kind:
            least, most = schema.get("minimum", -1000), schema.get("maximum", 1000)
            return choose.randint(int(least), int(most)) if kind == "integer" else choose.uniform(least, most)
        case "boolean":
            return choose.random() < 0.5
        case "null":
            return None
    return words()


def _object(schema: Mapping[str, JSON], choose: Random, words: Callable[[], str], whole: JSON) -> JSON:
    required = schema.get("required", ())
    found = {
        name: allowed(one, choose, words, whole)
        for name, one in schema.get("properties", {}).items()
        if name in required or choose.random() < 0.6
    }
    more = schema.get("additionalProperties")
    if isinstance(more, dict) and choose.random() < 0.5:
        found[words()[: more.get("maxLength", 40)]] = allowed(more, choose, words, whole)
    return found


def _string(schema: Mapping[str, JSON], choose: Random, words: Callable[[], str]) -> str:
    match schema.get("format"):
        case "uuid":
            return f"{choose.getrandbits(128):032x}"
        case "date":
            return choose.choice(("2026-11-22", "2024-02-29", "0001-01-01", "9999-12-31"))
        case "date-time":
            return choose.choice(
                ("2026-11-22T18:30:00Z", "2026-10-25T01:30:00+01:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
            )
    if "pattern" in schema:
        return choose.choice(examples(schema["pattern"]))
    found = words()[: schema.get("maxLength", 10_000)]
    return found if len(found.strip()) >= schema.get("minLength", 0) else "words"


# A value made wrong ----------------------------------------------------------------------------------------------


def broken(good: JSON, choose: Random, mark: str) -> bytes:
    """JSON near a good value: something left out, put in, exchanged, repeated or torn."""
    made = copy.deepcopy(good)
    chance = choose.random()
    if chance < 0.06:
        return torn(json.dumps(made).encode(), choose, mark)
    if chance < 0.1 and isinstance(made, dict) and made:
        # The last of two equal keys counts, so this is a change as well.
        name = choose.choice(list(made))
        twice = json.dumps({name: value(choose, mark)})
        return (json.dumps(made)[:-1] + ", " + twice[1:]).encode()
    if chance < 0.14:
        made = value(choose, mark)
    for _ in range(choose.choice((1, 1, 1, 2, 4))):
        place, at = _somewhere(made, choose)
        if place is None:
            break
        if isinstance(place, dict) and choose.random() < 0.25:
            del place[at]
        elif isinstance(place, dict) and choose.random() < 0.15:
            place[text(choose, mark)[:200]] = value(choose, mark)
        else:
            place[at] = value(choose, mark)
    return json.dumps(made).encode()


def torn(good: bytes, choose: Random, mark: str) -> bytes:
    """Bytes that are no JSON, or hardly any."""
    m = mark.encode()
    at = choose.randrange(len(good) + 1)
    return choose.choice(
        (
            lambda: good[:at],
            lambda: good[:at] + m + good[at:],
            lambda: good[:at] + bytes(choose.randrange(256) for _ in range(8)) + good[at:],
            lambda: b"\xef\xbb\xbf" + good + m,
            lambda: good.decode().encode("utf-16"),
            lambda: b'{"' + m + b'": ' + b"[" * 3000,
            lambda: b"\xff\xfe\x00" + m,
            lambda: b"",
            lambda: m,
            lambda: b"<x>" + m + b"</x>",
            lambda: good + good + m,
        )
    )()


def _somewhere(made: JSON, choose: Random) -> tuple[JSON, JSON]:
    """A place in the value where something stands: its holder, and the key or number there."""
    places: list[tuple[JSON, JSON]] = []

    def walk(one: JSON) -> None:
        inside: Sequence[JSON] = (
            list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        )
        for at in inside:
            places.append((one, at))
            if len(places) < 200:
                walk(one[at])

    walk(made)
    return choose.choice(places) if places else (None, None)
