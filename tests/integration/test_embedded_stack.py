"""The stack without its services: one folder, one owner, free ports, crashes mended, a clean end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import astuple
from pathlib import Path

import psutil
import pytest

from shared.contracts.catalogue import SERVICES
from shared.embedded.processes import Birth, free_port
from shared.embedded.stack import Ports, Stack, StackRefusal

# Starts the stack in the folder it is given, says its processes, then waits to be ended.
PROGRAM = """
import signal, sys
from pathlib import Path
# A shell that runs the tests in its background lets its children ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from shared.embedded.stack import Ports, Stack, stop_on_sigterm
stop_on_sigterm()
ports = Ports(*map(int, sys.argv[2].split(",")))
try:
    with Stack(Path(sys.argv[1]), ports, services=()) as stack:
        print(*(stack.pid(name) for name in stack.names), flush=True)
        sys.stdin.read()
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


@pytest.fixture(scope="module")
def used_folder() -> Iterator[Path]:
    """The folder of a stack that ran once and was stopped."""
    with tempfile.TemporaryDirectory(prefix="walkandtalk-tests-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        with Stack(Path(name) / "stack", unused_ports(), services=()):
            pass
        yield Path(name) / "stack"


@pytest.fixture
def folder(used_folder: Path) -> Iterator[Path]:
    """A stack's folder of this test alone. A copy, since making the databases takes longer than most tests."""
    with tempfile.TemporaryDirectory(prefix="walkandtalk-tests-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        # cp keeps the owner: started by root, PostgreSQL's data belong to another user.
        subprocess.run(["cp", "-a", str(used_folder), str(Path(name) / "stack")], check=True)
        yield Path(name) / "stack"


def unused_ports() -> Ports:
    """Ports nobody else uses now."""
    chosen: list[int] = []
    for _ in astuple(Ports()):
        chosen.append(free_port(avoid=chosen))
    return Ports(*chosen)


@pytest.fixture
def ports() -> Ports:
    """Ports for one test."""
    return unused_ports()


@contextlib.contextmanager
def in_another_process(folder: Path, ports: Ports) -> Iterator[tuple[subprocess.Popen[str], list[Birth]]]:
    """A stack of another process, and the processes it started."""
    numbers = ",".join(map(str, astuple(ports)))
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), numbers], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        born = [Birth.of(int(pid)) for pid in process.stdout.readline().split()]
        try:
            yield process, [one for one in born if one is not None]
        finally:
            process.kill()


def test_it_starts_stops_and_keeps_its_secrets(folder: Path, ports: Ports) -> None:
    """Every part runs, the start page links to all of them; after the stop nothing runs and secrets are the same."""
    with Stack(folder, ports, services=()) as stack:
        kept = stack.secrets
        born = [Birth.of(pid) for name in stack.names if (pid := stack.pid(name)) is not None]
        assert len(born) == 4
        with urllib.request.urlopen(stack.urls["start"]) as answer:
            page = answer.read().decode()
        assert all(url in page for name, url in stack.urls.items() if name not in ("start", "identity"))
        assert (folder / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert not any(one is not None and one.alive() for one in born)
    with Stack(folder, ports, services=()) as stack:
        assert stack.secrets == kept


def test_each_service_is_told_only_what_it_may_know(used_folder: Path) -> None:
    """Only intake gets the key to who she is, only intake and feedback that of survey links; logins are their own."""
    with Stack(used_folder, unused_ports(), services=()) as stack:
        told = {service: stack.environment(service) for service in SERVICES}
    assert {service for service in SERVICES if "WALKANDTALK_MASTER_KEY" in told[service]} == {"intake"}
    assert {service for service in SERVICES if "WALKANDTALK_LINK_KEY" in told[service]} == {"intake", "feedback"}
    assert len({told[service]["WALKANDTALK_DATABASE_WEB_URL"] for service in SERVICES}) == len(SERVICES)


def test_two_stacks_do_not_share_a_folder(folder: Path, ports: Ports) -> None:
    """The second is refused with a sentence that names folder and process; the first is not disturbed."""
    with Stack(folder, ports, services=()) as stack:
        with pytest.raises(StackRefusal, match=f"already runs in {folder} .process {os.getpid()}."):
            Stack(folder, services=()).open()
        assert all(stack.pid(name) for name in stack.names)


def test_a_taken_port_is_replaced_by_a_free_one(folder: Path, ports: Ports) -> None:
    """Another program keeps its port; the stack takes one nearby and says so in its addresses."""
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", ports.mailbox))
        stranger.listen()
        with Stack(folder, ports, services=()) as stack:
            assert stack.ports.mailbox != ports.mailbox
            with urllib.request.urlopen(stack.urls["mailbox"]) as answer:
                assert answer.status == 200


def test_what_a_crash_left_behind_is_ended_and_its_ports_are_used_again(folder: Path, ports: Ports) -> None:
    """After SIGKILL of the whole stack's process its children go on; the next start ends them and runs as before."""
    with in_another_process(folder, ports) as (process, born):
        process.kill()
        process.wait()
        assert len(born) == 4 and all(one.alive() for one in born)
    said: list[str] = []
    with Stack(folder, ports, said.append, services=()) as stack:
        assert not any(one.alive() for one in born)
        assert stack.ports == ports
    assert "Ended what an earlier run left behind: broker, identity, mailbox, postgres" in said


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_everything(folder: Path, ports: Ports, ended_by: signal.Signals) -> None:
    """Ctrl-C, or SIGTERM from a supervisor, ends the stack in good order: no process is left."""
    with in_another_process(folder, ports) as (process, born):
        process.send_signal(ended_by)
        output, _ = process.communicate(timeout=30)
        assert output == "stopped\n"
        assert process.returncode == 0
        assert len(born) == 4 and not any(one.alive() for one in born)


def test_a_part_that_dies_is_started_again_and_a_stopped_one_is_left_alone(folder: Path, ports: Ports) -> None:
    """`watch` replaces what ended by itself, once; what was stopped or killed on purpose stays so until started."""
    with Stack(folder, ports, services=()) as stack:
        mailbox = stack.pid("mailbox")
        assert mailbox is not None
        psutil.Process(mailbox).kill()
        psutil.Process(mailbox).wait(10)
        stack.stop("identity")
        stack.kill("broker")
        assert stack.watch() == ["mailbox"]
        assert stack.watch() == []
        assert stack.pid("identity") is None and stack.pid("broker") is None
        stack.start("identity")
        stack.start("broker")
        assert all(stack.pid(name) for name in stack.names)
