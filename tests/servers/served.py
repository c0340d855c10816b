"""An application of this process on a port of this machine, for visitors from outside: browsers, other programs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep

import uvicorn
from starlette.types import ASGIApp


@contextmanager
def served(app: ASGIApp, port: int) -> Iterator[str]:
    """The application on a port of this machine, until the block ends; gives its address."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_config=None, access_log=False))
    thread = Thread(target=server.run, daemon=True)
    thread.start()
    deadline = monotonic() + 20
    while not server.started:
        assert monotonic() < deadline, "the application did not start"
        assert thread.is_alive(), "the application stopped while starting"
        sleep(0.02)  # a server in a thread offers nothing to wait on but its flag
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
