"""The link of a survey: made by intake, opened by feedback, which learns from it a random pair id and nothing more.

A token is AES-256-GCM over the ticket under the link key both services hold, so it is encrypted and cannot be forged;
base64url without padding, so it fits a path.
"""

from __future__ import annotations

import base64
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shared.contracts.kinds import SurveyName
from shared.contracts.refusals import Refusal

_BOUND = b"walkandtalk survey link 1"


class SurveyLinkInvalid(Refusal):
    """This link is not valid. Check that you opened the whole link from the message."""


class SurveyLinkExpired(Refusal):
    """This link is no longer open. Ask the neighbourhood team for a new one if you would like to answer."""


def opaque(token: str) -> bytes:
    """The bytes of a token; one meaning is written in one way alone.

    :raises ValueError: it is not base64url without padding, or not as we write it.
    """
    found = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    # Bits that the last character has to spare, and the letters of ordinary base64, are let through by the above.
    if base64.urlsafe_b64encode(found).decode().rstrip("=") != token:
        raise ValueError("not as it was written")
    return found


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a link carries. `contact` is sealed by intake's master key: feedback passes it on and cannot open it."""

    force_id: str
    survey: SurveyName
    pair_id: UUID
    contact: str
    expires_at: datetime

    def token(self, key: bytes) -> str:
        """Seal the ticket; `key` is 32 bytes. Every call gives another token of the same meaning."""
        plain = json.dumps(
            [self.force_id, self.survey, self.pair_id.hex, self.contact, int(self.expires_at.timestamp())],
            separators=(",", ":"),
        ).encode()
        nonce = os.urandom(12)
        return base64.urlsafe_b64encode(nonce + AESGCM(key).encrypt(nonce, plain, _BOUND)).decode().rstrip("=")

    @classmethod
    def read(cls, token: str, key: bytes, now: datetime) -> Ticket:
        """Open a token.

        :raises SurveyLinkInvalid: it was not made with this key, or was altered.
        :raises SurveyLinkExpired: its time has passed.
        """
        try:
            sealed = opaque(token)
            plain = AESGCM(key).decrypt(sealed[:12], sealed[12:], _BOUND)
            force_id, survey, pair, contact, expires = json.loads(plain)
            ticket = cls(force_id, SurveyName(survey), UUID(pair), contact, datetime.fromtimestamp(expires, UTC))
        except (ValueError, InvalidTag, TypeError) as fault:
            raise SurveyLinkInvalid from fault
        if ticket.expires_at <= now:
            raise SurveyLinkExpired
        return ticket
