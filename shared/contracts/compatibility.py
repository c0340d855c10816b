"""Whether a schema still reads what the one before it described, and older readers what newer writers say.

Fields may be added, and optional. Anything that refuses old records or surprises old readers is a new major version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

Schema = Mapping[str, Any]

_LOWER_BOUNDS: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER_BOUNDS: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_NESTED: Final = ("items", "additionalProperties", "propertyNames")


def breaking_changes(old: Schema, new: Schema) -> list[str]:
    """What breaks between two JSON Schemas of one event, a sentence each; empty when nothing does."""
    return list(_compare(old, new, old, new, "data"))


def _compare(old: Any, new: Any, old_root: Schema, new_root: Schema, at: str) -> Iterator[str]:
    old, new = _resolved(old, old_root), _resolved(new, new_root)
    if (isinstance(old, Mapping) and not old) or old is True:
        if isinstance(new, Mapping) and _constrains(new):
            yield f"{at}: was open and is constrained now"
        return
    if not isinstance(old, Mapping) or not isinstance(new, Mapping):
        if old != new:
            yield f"{at}: changed"
        return
    if "anyOf" in old or "anyOf" in new:
        yield from _choices(old, new, old_root, new_root, at)
        return
    yield from _kind(old, new, at)
    yield from _values(old, new, at)
    yield from _bounds(old, new, at)
    yield from _fields(old, new, old_root, new_root, at)
    for key in _NESTED:
        if key in old and key in new:
            yield from _compare(old[key], new[key], old_root, new_root, f"{at}[]" if key == "items" else f"{at}.*")
        elif key in new and key != "additionalProperties":
            yield f"{at}: {key} is constrained now"
        elif key in new and new[key] is not True:
            yield f"{at}: additional fields are constrained now"


def _choices(old: Schema, new: Schema, old_root: Schema, new_root: Schema, at: str) -> Iterator[str]:
    """Every alternative of old has to be read by one of new, and nothing may be added that old readers do not know."""
    before, after = old.get("anyOf", [old]), new.get("anyOf", [new])
    for choice in before:
        if not any(not list(_compare(choice, other, old_root, new_root, at)) for other in after):
            if len(before) == len(after) == 2 and {"type": "null"} in before and {"type": "null"} in after:
                # An optional field: say what exactly became different.
                mine = next(one for one in before if one != {"type": "null"})
                theirs = next(one for one in after if one != {"type": "null"})
                yield from _compare(mine, theirs, old_root, new_root, at)
                return
            yield f"{at}: one of its kinds is not accepted any more"
            return
    for choice in after:
        if not any(not list(_compare(other, choice, old_root, new_root, at)) for other in before):
            yield f"{at}: has a kind older readers do not know"
            return


def _kind(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for key in ("type", "format", "pattern"):
        if old.get(key) != new.get(key):
            yield f"{at}: {key} was {old.get(key)!r} and is {new.get(key)!r}"


def _values(old: Schema, new: Schema, at: str) -> Iterator[str]:
    before = _enumerated(old)
    after = _enumerated(new)
    if before is None and after is None:
        return
    if before is None or after is None:
        yield f"{at}: became a closed list" if before is None else f"{at}: is a closed list no more"
        return
    if gone := before - after:
        yield f"{at}: {', '.join(sorted(gone))} is not accepted any more"
    if added := after - before:
        # An older reader refuses a word it does not know, so a longer list is a new version as well.
        yield f"{at}: {', '.join(sorted(added))} is not known to older readers"


def _bounds(old: Schema, new: Schema, at: str) -> Iterator[str]:
    for key in _LOWER_BOUNDS:
        before, after = old.get(key, float("-inf")), new.get(key, float("-inf"))
        if before != after:
            yield f"{at}: {key} is {'tighter' if after > before else 'looser than older readers accept'}"
    for key in _UPPER_BOUNDS:
        before, after = old.get(key, float("inf")), new.get(key, float("inf"))
        if before != after:
            yield f"{at}: {key} is {'tighter' if after < before else 'looser than older readers accept'}"


def _fields(old: Schema, new: Schema, old_root: Schema, new_root: Schema, at: str) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    required_before, required_after = set(old.get("required", ())), set(new.get("required", ()))
    for name in before:
        if name not in after:
            yield f"{at}.{name}: was removed"
        else:
            yield from _compare(before[name], after[name], old_root, new_root, f"{at}.{name}")
    for name in sorted(required_after - required_before):
        yield f"{at}.{name}: is required now"
    for name in sorted((required_before - required_after) & set(after)):
        yield f"{at}.{name}: may be missing now, older readers need it"


def _resolved(schema: Any, root: Schema) -> Any:
    while isinstance(schema, Mapping) and "$ref" in schema:
        found: Any = root
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[step]
        schema = found
    return schema


def _enumerated(schema: Schema) -> set[str] | None:
    if "const" in schema:
        return {str(schema["const"])}
    return {str(value) for value in schema["enum"]} if "enum" in schema else None


def _constrains(schema: Schema) -> bool:
    return bool(set(schema) - {"title", "description", "default", "examples"})
