"""The mailbox keeps each message once, shows it safely, and still has it after a restart."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import aiosmtplib
import httpx

from tests.servers.local_programs import MailboxServer, mailbox_server


def a_message(to: str, message_id: str, subject: str = "Your walk", html: str | None = None) -> EmailMessage:
    """A message as the services send them."""
    message = EmailMessage()
    message["From"] = "no-reply@walkandtalk.invalid"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = f"<{message_id}@walkandtalk>"
    message.set_content("We will meet you.\nhttp://localhost:8004/s/token")
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


async def send(mailbox: MailboxServer, message: EmailMessage) -> None:
    """Hand a message over by SMTP."""
    await aiosmtplib.send(message, hostname="127.0.0.1", port=mailbox.smtp_port)


async def listed(mailbox: MailboxServer, to: str) -> list[dict[str, object]]:
    """What the mailbox lists for an address."""
    async with httpx.AsyncClient(base_url=mailbox.url) as client:
        found: list[dict[str, object]] = (await client.get("/api/messages", params={"to": to})).json()
        return found


async def test_the_same_message_id_is_kept_once_and_counted(mailbox: MailboxServer) -> None:
    """Three arrivals of one Message-ID are one message with two duplicates; another id is another message."""
    to = "once@example.org"
    for _ in range(3):
        await send(mailbox, a_message(to, "same"))
    await send(mailbox, a_message(to, "another", subject="Second"))
    found = await listed(mailbox, to)
    assert [(m["subject"], m["duplicates"]) for m in found] == [("Second", 0), ("Your walk", 2)]


async def test_a_message_is_found_by_its_recipient_with_all_its_parts(mailbox: MailboxServer) -> None:
    """The JSON API gives text, HTML part and headers of a message, whatever the capitals of the address asked for."""
    await send(mailbox, a_message("Parts@example.org", "parts", html="<p>We will <b>meet</b> you.</p>"))
    (found,) = await listed(mailbox, "parts@EXAMPLE.org")
    async with httpx.AsyncClient(base_url=mailbox.url) as client:
        message = (await client.get(f"/api/messages/{found['id']}")).json()
    assert "http://localhost:8004/s/token" in message["text"]
    assert "<b>meet</b>" in message["html"]
    assert ["Message-ID", "<parts@walkandtalk>"] in message["headers"]


async def test_what_a_message_carries_cannot_act_on_its_page(mailbox: MailboxServer) -> None:
    """Markup in a subject is shown as text; the HTML part comes alone, sandboxed, unable to load or run anything."""
    trap = "<script>document.title='caught'</script>"
    await send(mailbox, a_message("trap@example.org", "trap", subject=trap, html=f"<p>{trap}</p>"))
    (found,) = await listed(mailbox, "trap@example.org")
    async with httpx.AsyncClient(base_url=mailbox.url) as client:
        page = await client.get(f"/messages/{found['id']}")
        part = await client.get(f"/messages/{found['id']}/html")
        assert trap not in (await client.get("/")).text
    assert trap not in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert part.headers["content-security-policy"].startswith("sandbox; default-src 'none'")


async def test_messages_survive_a_restart_and_go_when_deleted(tmp_path: Path) -> None:
    """An empty mailbox says so; a killed one still has its messages; DELETE empties it."""
    with mailbox_server(tmp_path) as mailbox:
        async with httpx.AsyncClient(base_url=mailbox.url) as client:
            assert "Nothing has been sent yet" in (await client.get("/")).text
        await send(mailbox, a_message("kept@example.org", "kept"))
        mailbox.program.kill()
        mailbox.program.start()
        mailbox.program.wait()
        await send(mailbox, a_message("kept@example.org", "kept"))
        assert [message["duplicates"] for message in await listed(mailbox, "kept@example.org")] == [1]
        async with httpx.AsyncClient(base_url=mailbox.url) as client:
            assert (await client.delete("/api/messages")).status_code == 204
        assert await listed(mailbox, "kept@example.org") == []
        assert not list((tmp_path / "mail").iterdir())
