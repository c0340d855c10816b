"""The page a newcomer opens first: links to everything that runs, and who can sign in.

Served by the stack's own process from the standard library: one page needs no framework beside four services.
"""

from __future__ import annotations

import mimetypes
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from shared.embedded.demo_people import people
from shared.embedded.pages import HEADERS, STATIC, STYLE, environment


class Link(NamedTuple):
    """A page of the demo."""

    text: str
    url: str
    purpose: str
    audience: str


def start_page(urls: Mapping[str, str]) -> str:
    """The page; `urls` by name: intake, assignment, partners, feedback, identity, mailbox."""
    links = [
        Link("Ask for a walk", urls["intake"], "Request form, in the words of your force", "Anybody"),
        Link("Walks of the team", urls["assignment"], "Take, arrange and record walks", "Officer, coordinator"),
        Link("Concerns", urls["partners"], "What was raised, and what is done about it", "Partner, coordinator"),
        Link("Evaluation", urls["feedback"], "Whether women feel safer than before", "Analyst, coordinator"),
        Link("Mailbox", urls["mailbox"], "Every message the services sent", "You"),
    ]
    services = [(name, urls[name]) for name in ("intake", "assignment", "partners", "feedback")]
    template = environment.get_template("start.html")
    return template.render(title="Walk and Talk", links=links, services=services, people=people())


class StartPage:
    """Serves the page at 127.0.0.1:port until stopped."""

    def __init__(self, port: int, urls: Mapping[str, str]) -> None:
        html = start_page(urls).encode()
        files = {f"/static/{file.relative_to(STATIC)}": file for file in STATIC.rglob("*") if file.is_file()}
        files |= {f"/style/{file.relative_to(STYLE)}": file for file in STYLE.rglob("*") if file.is_file()}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                if path == "/":
                    self._answer(HTTPStatus.OK, "text/html; charset=utf-8", html)
                elif path in files:
                    self._answer(HTTPStatus.OK, _kind(files[path]), files[path].read_bytes())
                else:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", b"There is no such page here.")

            def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in HEADERS.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing: who looks at the start page is nobody's business."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _kind(file: Path) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"
