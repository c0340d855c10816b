"""An HTML form in: what was typed, what it means (a pydantic model), and what is wrong with it in plain words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from starlette.requests import Request

from shared.web import csrf
from shared.web.languages import gettext, said

Model = TypeVar("Model", bound=BaseModel)

# What pydantic says is for programmers and sometimes repeats what was typed; these sentences never do.
PLAIN = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "json_invalid": "is not valid JSON",
    "string_too_short": "is too short",
    "string_too_long": "is too long",
    "too_short": "has too few entries",
    "too_long": "has too many entries",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "greater_than": "is too small",
    "greater_than_equal": "is too small",
    "less_than": "is too large",
    "less_than_equal": "is too large",
    "enum": "is not one of the choices",
    "literal_error": "is not one of the choices",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "uuid_parsing": "must be a UUID",
    "uuid_type": "must be a UUID",
    "datetime_from_date_parsing": "must be a date and time",
    "datetime_parsing": "must be a date and time",
    "datetime_type": "must be a date and time",
    "timezone_aware": "must name its time zone",
    "date_from_datetime_parsing": "must be a date",
    "date_parsing": "must be a date",
    "date_type": "must be a date",
    "time_parsing": "must be a time",
}


def plain(error: ErrorDetails | Mapping[str, Any]) -> str:
    """What is wrong, without the value: our own sentence, or that of the validator we wrote ourselves."""
    kind = str(error["type"])
    if kind in ("value_error", "assertion_error"):
        fault = error.get("ctx", {}).get("error", "is not valid")
        # What it was given, not str() of it, which would make a Text a sentence in English for good.
        first = fault.args[0] if isinstance(fault, Exception) and fault.args else fault
        return first if isinstance(first, str) else str(first)
    return PLAIN.get(kind, "is not valid")


def named(location: Sequence[int | str]) -> str:
    """The field's name, like contact.email; a part that may be somebody's words rather than a name becomes "?"."""
    parts = (str(part) for part in location)
    return ".".join(
        part if (part.replace("-", "_").isidentifier() and len(part) <= 40) or part.isdigit() else "?" for part in parts
    )


@dataclass(frozen=True)
class Form(Generic[Model]):
    """One form as it was sent: the model if all is well, otherwise messages by field, and the values to show again."""

    data: Model | None = None
    values: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    errors: Sequence[tuple[str, str]] = ()

    def value(self, name: str) -> str:
        """What was typed in a field, "" when nothing was."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else (value[-1] if value else "")

    def chosen(self, name: str) -> Sequence[str]:
        """What was ticked among check boxes."""
        value = self.values.get(name, ())
        return (value,) if isinstance(value, str) else value

    def error(self, name: str) -> dict[str, str] | None:
        """The `errorMessage` of a macro: the first thing wrong with a field, None when it is well."""
        return next(
            (
                {"text": said(message), "visuallyHiddenText": gettext("Error")}
                for wrong, message in self.errors
                if wrong == name
            ),
            None,
        )

    @property
    def summary(self) -> list[dict[str, str]]:
        """The `errorList` of the error summary, each entry a link to its field's first input."""
        return [{"text": said(message)} | ({"href": f"#{name}"} if name else {}) for name, message in self.errors]

    def refused(self, *errors: tuple[str, str]) -> "Form[Model]":
        """The same form with something found wrong later, by (field, message); field "" for the form as a whole."""
        return Form(data=None, values=self.values, errors=(*self.errors, *errors))


def sentences(
    errors: Iterable[ErrorDetails | Mapping[str, Any]], labels: Mapping[str, str], messages: Mapping[str, str]
) -> list[tuple[str, str]]:
    """(field, sentence) for each field that is wrong, the first fault of a field only, in the form's own order."""
    found: dict[str, str] = {}
    for error in errors:
        name = named(error["loc"])
        top = name.split(".")[0]
        if error["type"] in ("value_error", "assertion_error"):
            found.setdefault(top, plain(error))
        else:
            found.setdefault(top, messages.get(top) or f"{labels.get(top, top or 'This form')} {plain(error)}")
    return list(found.items())


async def read(request: Request, model: type[Model], messages: Mapping[str, str] | None = None) -> Form[Model]:
    """Read the posted form into the model.

    Text is stripped and empty fields count as missing. `messages` says what to ask for when a field is missing or
    wrong ("Enter a postcode"); a ValueError raised by the model's own validators is shown as it stands.
    """
    posted = await request.form()
    values: dict[str, str | Sequence[str]] = {}
    for name in posted:
        texts = [text.strip() for text in posted.getlist(name) if isinstance(text, str) and text.strip()]
        described = model.model_fields.get(name)
        if name == csrf.FIELD or not texts:
            continue
        several = described is not None and get_origin(described.annotation) in (list, set, frozenset, tuple)
        values[name] = texts if several else texts[-1]
    try:
        return Form(data=model.model_validate(values), values=values)
    except ValidationError as error:
        labels = {
            name: described.title or name.replace("_", " ").capitalize()
            for name, described in model.model_fields.items()
        }
        faults = error.errors(include_url=False, include_input=False)
        return Form(values=values, errors=sentences(faults, labels, messages or {}))
