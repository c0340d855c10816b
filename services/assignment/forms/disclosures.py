"""What is recorded of a disclosure: a number and what was done, chosen from lists."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BaseModel, Field

from services.assignment.domain.disclosures import DisclosureKind, Given, Mistake, Safeguarding, Signpost
from services.assignment.forms.clock import Clock, Day, moment

DISCLOSURE_MESSAGES: Final = {
    "kind": "Select whether it is the number of a crime or of an intelligence report",
    "reference": "Enter the report’s number alone, like 5226123456",
    "safeguarding": "Select what was done from the list",
    "signposted": "Select from the list",
    "safeguarded_by": "Select who did it",
}


class DisclosureForm(BaseModel):
    """All of it may come later: what is left empty stays as it was."""

    kind: DisclosureKind | None = None
    reference: Annotated[str, Field(max_length=60)] | None = None
    safeguarding: list[Safeguarding] = []
    day: Day | None = None
    clock: Clock | None = None
    safeguarded_by: Annotated[str, Field(max_length=63)] | None = None
    signposted: list[Signpost] = []

    def given(self) -> Given:
        """What was entered, times as UTC.

        :raises NoSuchTime: the clocks jump over the time.
        """
        at = moment(self.day, self.clock) if self.day and self.clock else None
        return Given(
            self.kind,
            self.reference,
            tuple(self.safeguarding),
            at,
            self.safeguarded_by,
            tuple(self.signposted),
        )


class MistakeForm(BaseModel):
    """Why one is taken back."""

    because: Mistake
