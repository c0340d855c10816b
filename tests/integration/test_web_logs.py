"""What a running service writes to its log: enough to find a fault, nothing of what people sent."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

from shared.embedded.processes import free_port

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """A service in a process of its own, and the file it logs to."""

    address: str
    file: Path
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """End the process; what it wrote is then complete."""
        self.process.terminate()
        self.process.wait(20)

    def lines(self) -> list[dict[str, Any]]:
        """The log, line by line; every line must be JSON."""
        return [json.loads(line) for line in self.file.read_text().splitlines()]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    """The example service, started and ready."""
    port = free_port()
    file = tmp_path / "log"
    with file.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.servers.web_example", str(port)], cwd=ROOT, stdout=out, stderr=out
        )
    service = Running(f"http://localhost:{port}", file, process)
    deadline = monotonic() + 20
    while True:
        try:
            httpx.get(service.address + "/health/live")
            break
        except httpx.TransportError:
            assert process.poll() is None, file.read_text()
            assert monotonic() < deadline, file.read_text()
            sleep(0.05)  # the process has no other way to say that it listens
    yield service
    service.stop()


def test_log_tells_what_happened_and_nothing_of_what_was_sent(running: Running) -> None:
    """One line a request by template, status and correlation; faults by kind and place; no word anybody sent."""
    correlation = "0198c0de-0000-7000-8000-000000000000"
    with httpx.Client(base_url=running.address, headers={"Cookie": "a=canary", "User-Agent": "canary"}) as client:
        client.get("/s/canary-token?x=canary-query", headers={"X-Correlation-Id": correlation})
        client.get("/canary-path")
        client.get("/api/v1/broken/canary-word")
        client.get("/api/v1/broken/database")
        client.post("/api/v1/walk-requests", json={"place": "canary", "canary": "canary"})
        client.post("/request", data={"place": "canary"})
        client.get("/signin?next=/canary")
        client.get("/walks", headers={"Authorization": "Bearer canary.canary.canary"})
        client.get("/health/live")
    running.stop()
    lines = running.lines()
    requests = [(line["method"], line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert requests == [
        ("GET", "/s/{token}", 200),
        ("GET", "unmatched", 404),
        ("GET", "/api/v1/broken/{how}", 500),
        ("GET", "/api/v1/broken/{how}", 503),
        ("POST", "/api/v1/walk-requests", 422),
        ("POST", "/request", 403),
        ("GET", "/signin", 503),
        ("GET", "/walks", 503),
    ]
    assert lines[0]["correlation_id"] == correlation
    assert lines[0]["service"] == "intake"
    faults = {line.get("fault") for line in lines}
    assert {"RuntimeError", "ConnectionRefusedError"} <= faults
    assert "canary" not in running.file.read_text()
