"""What intake refuses, each with the sentence people read."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.refusals import Refusal


class FieldsWrong(Refusal):
    """Some of what you sent is missing or not valid."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__()
        self.fields = dict(fields)


class KeyUsedForAnother(Refusal):
    """This Idempotency-Key was used for another request. Use a new key for each request."""


class RequestNotFound(Refusal):
    """We cannot find that request."""


class CardNotFound(RequestNotFound):
    """We cannot find that request among yours. Whoever has taken the walk on, and a coordinator, can open it."""


class TimesGone(Refusal):
    """These times can no longer be chosen."""


class TooLateToChange(Refusal):
    """A time is agreed, or the walk is over, so this cannot be changed here any more."""


class RequestErased(Refusal):
    """What we held about this request was erased."""


class OnHold(Refusal):
    """This cannot be erased yet: the law asks us to keep it. The force’s data protection officer can tell you why."""


class ContactNotYours(Refusal):
    """Only the force’s coordinator can see how to contact her."""


class ContactStopped(Refusal):
    """She has told us that contact is no longer safe. Nobody may try to reach her."""


class LinkInvalid(Refusal):
    """This link is not valid. Check that you opened the whole link from the message."""


class LetterGone(Refusal):
    """This letter was posted already, or is not to be posted any more."""
