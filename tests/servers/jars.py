"""Jars that only tests run, named in a pom and copied by Maven into a cache folder the first time."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

CACHE = Path.home() / ".cache" / "walkandtalk"


class Lacking(RuntimeError):
    """This machine lacks something that is needed to run jars; the message names it."""


def version_in(pom: Path, of: str) -> str:
    """The version of `of`, named once, in the pom."""
    version = ET.parse(pom).findtext(f"properties/{of}.version")
    if not version:
        raise LookupError(f"{pom} names no {of}.version")
    return version


def copied(pom: Path, folder: Path, mark: str, what: str) -> Path:
    """The folder, with all the jars of the pom in it; `mark` names what says that they are whole.

    :raises Lacking: what is missing.
    """
    if shutil.which("java") is None:
        raise Lacking("Java 17 (Debian: openjdk-17-jre-headless)")
    whole = folder / f"{mark}.whole"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if whole.exists():
            return folder
        if shutil.which("mvn") is None:
            raise Lacking(f"Maven, to get the jars of {what} (Debian: maven)")
        copy = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]
        # -C: an archive whose checksum is not the one it was published with is refused.
        done = subprocess.run(
            ["mvn", "-q", "-B", "-C", "-f", str(pom), *copy],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode:
            raise Lacking(f"the jars of {what}: Maven said\n{done.stdout[-2000:]}")
        # Written last: an interrupted download is completed by the next run instead of being taken as whole.
        whole.touch()
    return folder
