"""Whether pages are valid HTML, by the checker of the W3C (vnu), which is run once over all of them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.servers.jars import CACHE, copied, version_in

POM: Final = Path(__file__).parent / "vnu" / "pom.xml"
SHA512: Final = (
    "8c98c5f2c3d6b817d2fcd78ab4d8faf0b7d0240936dccc623de98e5e0751212"
    "297394d41d9c473279a9233b47069c9e180c0f02b107b174554ebbb6be0df5edd"
)
"""Of the checker's own jar."""


ACCEPTED: Final = (
    # The design system's own date fields, for screen readers that do not know a fieldset.
    ("The “group” role is unnecessary for element “fieldset”.", "govuk-fieldset"),
    # The design system's own navigation, which shows the button where there is a script.
    ("Attribute “aria-hidden” is unnecessary for elements that have", "govuk-service-navigation__toggle"),
)
"""(message, extract): what begins so, about what holds this, is no fault of ours; each with its reason."""


class NotAsExpected(Exception):
    """The checker's jar is not the one whose hash is written here."""


def checker() -> Path:
    """The folder of the checker's jars.

    :raises Lacking: what this machine lacks.
    """
    version, kept = version_in(POM, "vnu"), os.environ.get("WALKANDTALK_VNU_CACHE")
    folder = copied(POM, Path(kept) if kept else CACHE / f"vnu-{version}", f"vnu-{version}", f"vnu {version}")
    jar = folder / f"validator-{version}.jar"
    if hashlib.sha512(jar.read_bytes()).hexdigest() != SHA512:
        raise NotAsExpected(jar)
    return folder


def faults(pages: Mapping[str, str], folder: Path) -> list[str]:
    """What the checker finds in pages, errors and warnings alike: which page, what, and where in it.

    `pages` by whatever a reader knows them by; they are written into `folder`, an empty one.
    """
    named = {}
    folder.mkdir(exist_ok=True)
    for number, (name, page) in enumerate(pages.items()):
        file = folder / f"{number}.html"
        file.write_text(page, encoding="utf-8")
        named[file.as_uri().replace("file:///", "file:/")] = name
    java = ["java", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx512m", "-Xss2m", "-cp", f"{checker()}/*"]
    run = subprocess.run(
        [*java, "nu.validator.client.SimpleCommandLineValidator", "--format", "json", "--stdout", str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    try:
        found = json.loads(run.stdout)["messages"]
    except ValueError:
        raise AssertionError(f"the checker said no JSON: {run.stdout[-500:]} {run.stderr[-1500:]}") from None
    return [
        f"{named[one['url']]}: {one['message']} [{one.get('extract', '').strip()}]"
        for one in found
        if not any(one["message"].startswith(said) and about in one["extract"] for said, about in ACCEPTED)
    ]
