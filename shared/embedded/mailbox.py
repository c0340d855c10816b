"""Takes every message the services send on one machine, shows it on a page, and sends it nowhere.

Run as `python -m shared.embedded.mailbox --smtp-port 1025 --http-port 8006 --folder FOLDER`. The same Message-ID
arriving again is stored once and counted, as a receiving system honours it.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from fastapi import FastAPI, HTTPException, Response
from fastapi.responses import HTMLResponse

from shared.embedded.pages import page, with_style

_LONDON = ZoneInfo("Europe/London")
_LARGEST = 10 * 1024 * 1024

# The HTML part of a message is shown in a frame that may neither run, load nor submit anything.
_HTML_PART = {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Stored:
    """What is known of a message without opening it."""

    id: str
    received_at: str
    sender: str
    to: tuple[str, ...]
    subject: str
    message_id: str
    duplicates: int = 0
    """How many more times the same Message-ID arrived."""

    @property
    def when(self) -> str:
        """When it arrived, by a London clock."""
        return f"{datetime.fromisoformat(self.received_at).astimezone(_LONDON):%d %b %Y, %H:%M:%S}"


class Mailbox:
    """Messages in a folder: ID.eml as it came, ID.json for what is known of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        self._stored: dict[str, Stored] = {}
        for file in folder.glob("*.json"):
            kept = json.loads(file.read_text())
            self._stored[kept["id"]] = Stored(**{**kept, "to": tuple(kept["to"])})

    def put(self, sender: str, recipients: list[str], content: bytes) -> Stored:
        """Keep a message, or count it when its Message-ID is known already."""
        message = _parsed(content)
        message_id = str(message.get("Message-ID", "")).strip()
        # Without a Message-ID two messages are the same only if all their bytes are.
        id = hashlib.sha256(message_id.encode() or content).hexdigest()[:24]
        known = self._stored.get(id)
        if known is not None:
            stored = replace(known, duplicates=known.duplicates + 1, to=tuple(dict.fromkeys((*known.to, *recipients))))
        else:
            self._write(f"{id}.eml", content)
            received_at = datetime.now(UTC).isoformat()
            subject = str(message.get("Subject", ""))
            stored = Stored(id, received_at, sender, tuple(recipients), subject, message_id)
        self._write(f"{id}.json", json.dumps(asdict(stored)).encode())
        self._stored[id] = stored
        return stored

    def all(self, to: str | None = None) -> list[Stored]:
        """Messages, newest first; only those to this address if one is given (capitals make no difference)."""
        wanted = to.strip().lower() if to else None
        found = [s for s in self._stored.values() if wanted is None or wanted in {one.lower() for one in s.to}]
        return sorted(found, key=lambda stored: stored.received_at, reverse=True)

    def open(self, id: str) -> tuple[Stored, EmailMessage]:
        """A message and what is known of it; raises KeyError when there is none."""
        stored = self._stored[id]
        return stored, _parsed((self.folder / f"{id}.eml").read_bytes())

    def clear(self) -> int:
        """Delete every message; how many there were."""
        count = len(self._stored)
        for id in self._stored:
            (self.folder / f"{id}.json").unlink(missing_ok=True)
            (self.folder / f"{id}.eml").unlink(missing_ok=True)
        self._stored.clear()
        return count

    def _write(self, name: str, content: bytes) -> None:
        draft = self.folder / f"{name}.draft"
        draft.write_bytes(content)
        os.replace(draft, self.folder / name)


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def _part(message: EmailMessage, kind: str) -> str | None:
    """The body of this kind ("plain", "html"), or None."""
    part = message.get_body(preferencelist=(kind,))
    return None if part is None else str(part.get_content())


class _Incoming:
    """What aiosmtpd calls for each message (its handler protocol)."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self._mailbox.put(envelope.mail_from or "", list(envelope.rcpt_tos), content)
        return "250 Kept"


def mailbox_app(mailbox: Mailbox, smtp_port: int) -> FastAPI:
    """The pages and the JSON API; while it runs, the SMTP server runs with it."""

    @asynccontextmanager
    async def taking_messages(_: FastAPI) -> AsyncIterator[None]:
        def smtp() -> SMTP:
            return SMTP(_Incoming(mailbox), data_size_limit=_LARGEST, enable_SMTPUTF8=True, hostname="localhost")

        server = await asyncio.get_running_loop().create_server(smtp, "127.0.0.1", smtp_port)
        async with server:
            yield

    app = with_style(FastAPI(title="Mailbox", lifespan=taking_messages, docs_url=None, redoc_url=None))

    def opened(id: str) -> tuple[Stored, EmailMessage]:
        try:
            return mailbox.open(id)
        except KeyError:
            raise HTTPException(404, "There is no such message.") from None

    @app.get("/", include_in_schema=False)
    async def messages() -> HTMLResponse:
        return page("mailbox.html", title="Messages sent", messages=mailbox.all())

    @app.get("/messages/{id}", include_in_schema=False)
    async def message(id: str) -> HTMLResponse:
        stored, content = opened(id)
        facts = [("To", ", ".join(stored.to)), ("From", stored.sender), ("Sent", stored.when)]
        if stored.duplicates:
            times = "once" if stored.duplicates == 1 else f"{stored.duplicates} times"
            facts.append(("Arrived again", f"{times}, kept as one"))
        return page(
            "message.html",
            title=stored.subject or "(no subject)",
            id=id,
            facts=facts,
            text=_part(content, "plain"),
            has_html=_part(content, "html") is not None,
            headers=[(name, str(value)) for name, value in content.items()],
        )

    @app.get("/messages/{id}/html", include_in_schema=False)
    async def html_part(id: str) -> HTMLResponse:
        return HTMLResponse(_part(opened(id)[1], "html") or "", headers=_HTML_PART)

    @app.get("/api/messages")
    async def list_messages(to: str | None = None) -> list[dict[str, Any]]:
        return [asdict(stored) for stored in mailbox.all(to)]

    @app.get("/api/messages/{id}")
    async def one_message(id: str) -> dict[str, Any]:
        stored, content = opened(id)
        return {
            **asdict(stored),
            "text": _part(content, "plain"),
            "html": _part(content, "html"),
            "headers": [[name, str(value)] for name, value in content.items()],
        }

    @app.delete("/api/messages", status_code=204)
    async def clear() -> Response:
        mailbox.clear()
        return Response(status_code=204)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    return app


def main() -> None:
    """Run until stopped."""
    arguments = argparse.ArgumentParser(prog="python -m shared.embedded.mailbox", description=__doc__)
    arguments.add_argument("--smtp-port", type=int, required=True)
    arguments.add_argument("--http-port", type=int, required=True)
    arguments.add_argument("--folder", type=Path, required=True)
    given = arguments.parse_args()
    app = mailbox_app(Mailbox(given.folder), given.smtp_port)
    # No access log: it would repeat the addresses people filter by.
    uvicorn.run(app, host="127.0.0.1", port=given.http_port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
