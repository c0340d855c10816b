"""Fetches govuk-frontend and Leaflet once an upgrade, takes what is used and removes what only GOV.UK may show.

Run by a developer: `python -m shared.web.vendor`. It needs npm; the result is committed, so nothing else does.
The tests re-check every hash and every forbidden string.
"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "static" / "vendor"
FORBIDDEN = ("GDS Transport", "govuk-crest", "url(/assets", "url(http", "sourceMappingURL")
FONT = '"Helvetica Neue",Helvetica,Arial,sans-serif'

# The npm package names its licence and holds no licence file; this is the text of the project's repository.
LICENCE = """The MIT License (MIT)

Copyright (C) 2011 Crown Copyright (Government Digital Service)

Permission is hereby granted, free of charge, to any person obtaining a copy of
this software and associated documentation files (the "Software"), to deal in
the Software without restriction, including without limitation the rights to
use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of
the Software, and to permit persons to whom the Software is furnished to do so,
subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS
FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER
IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN
CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package of npm, the sha512 of its archive, and under which name each of its files is served."""

    name: str
    sha512: str
    taken: Mapping[str, str]


PACKAGES = (
    Package(
        "govuk-frontend@6.3.0",
        "cXIQxm5PHCsbic47GXZrVBZhAeeshTLRL6ZBKilLsR6rMCjJuWb7Fruq0VUNMBJFlJk/srsRj/q8d5bM9cgKoA==",
        {
            "package/dist/govuk/govuk-frontend.min.css": "govuk-frontend.min.css",
            "package/dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
        },
    ),
    Package(
        "leaflet@1.9.4",
        "nxS1ynzJOmOlHp+iL3FyWqK89GtNL8U8rvlMOsQdTTssxZwCXh8N2NB3GDQOL+YR3XnWyZAxwQixURb+FA74PA==",
        {
            "package/dist/leaflet.css": "leaflet.css",
            "package/dist/leaflet.js": "leaflet.js",
            "package/LICENSE": "LICENCE-leaflet.txt",
        },
    ),
)


class NotAsExpected(Exception):
    """The package is not the one whose hash is written here, or still holds what only GOV.UK may show."""


def without_brand(text: str) -> str:
    """Remove font faces, the crest and source maps, and name a font anybody may use."""
    text = re.sub(r"/\*(?![#@]).*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"@font-face\{[^}]*\}", "", text)
    text = re.sub(r'"?GDS Transport"?,arial,sans-serif', FONT, text)
    text = re.sub(r"(background-image|-webkit-mask-image|mask-image):url\(/assets/[^)]*\);?", "", text)
    text = re.sub(r"(/\*|//)[#@] sourceMappingURL=\S+( \*/)?\s*", "", text)
    return text.rstrip() + "\n"


def forbidden_in(text: str) -> list[str]:
    """The forbidden strings a text holds, none for a text that may be served."""
    return [string for string in FORBIDDEN if string.lower() in text.lower()]


def without_pictures(text: str) -> str:
    """Remove source maps, and Leaflet's own pictures from its style sheet: we draw its markers ourselves."""
    text = text.replace("\r\n", "\n")
    text = re.sub(r"(background-image: url\(images/|behavior: url\()[^)]*\);", "", text)
    return re.sub(r"(/\*|//)[#@] sourceMappingURL=\S+( \*/)?\s*", "", text).rstrip() + "\n"


def download(package: Package, folder: Path) -> Mapping[str, str]:
    """The taken files of the package as npm hands them out, by the name they get; raises NotAsExpected."""
    subprocess.run(["npm", "pack", package.name, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = folder / (package.name.replace("@", "-") + ".tgz")
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != package.sha512:
        raise NotAsExpected(f"{package.name} has sha512 {digest}")
    with tarfile.open(archive) as opened:
        members = {name: opened.extractfile(path) for path, name in package.taken.items()}
        return {name: member.read().decode() for name, member in members.items() if member is not None}


def main() -> None:
    """Write static/vendor anew: the files, their licences, and a manifest of their sha256."""
    brand, leaflet = PACKAGES
    with tempfile.TemporaryDirectory() as temporary:
        files = {name: without_brand(text) for name, text in download(brand, Path(temporary)).items()}
        files |= {name: without_pictures(text) for name, text in download(leaflet, Path(temporary)).items()}
    for name, text in files.items():
        if left := forbidden_in(text):
            raise NotAsExpected(f"{name} still holds {left}")
    files["LICENCE.txt"] = LICENCE
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    (FOLDER / "manifest.json").write_text(json.dumps(manifest(files), indent=2) + "\n")


def manifest(files: Mapping[str, str]) -> dict[str, object]:
    """Which packages the files are of, and the sha256 of each."""
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    return {"packages": [package.name for package in PACKAGES], "sha256": hashes}


if __name__ == "__main__":
    main()
