"""Fetches govuk-frontend once an upgrade, takes what is used and removes what only GOV.UK may show.

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
from pathlib import Path

PACKAGE = "govuk-frontend@6.3.0"
SHA512 = "cXIQxm5PHCsbic47GXZrVBZhAeeshTLRL6ZBKilLsR6rMCjJuWb7Fruq0VUNMBJFlJk/srsRj/q8d5bM9cgKoA=="
TAKEN = {
    "package/dist/govuk/govuk-frontend.min.css": "govuk-frontend.min.css",
    "package/dist/govuk/govuk-frontend.min.js": "govuk-frontend.min.js",
}
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


def download(folder: Path) -> Mapping[str, bytes]:
    """The taken files of the package as npm hands them out, by path inside it; raises NotAsExpected."""
    subprocess.run(["npm", "pack", PACKAGE, "--silent"], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    archive = next(folder.glob("*.tgz"))
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if digest != SHA512:
        raise NotAsExpected(f"{PACKAGE} has sha512 {digest}")
    with tarfile.open(archive) as package:
        members = {name: package.extractfile(name) for name in TAKEN}
        return {name: member.read() for name, member in members.items() if member is not None}


def main() -> None:
    """Write static/vendor anew: the files, the licence, and a manifest of their sha256."""
    with tempfile.TemporaryDirectory() as temporary:
        files = {TAKEN[name]: without_brand(content.decode()) for name, content in download(Path(temporary)).items()}
    for name, text in files.items():
        if left := forbidden_in(text):
            raise NotAsExpected(f"{name} still holds {left}")
    files["LICENCE.txt"] = LICENCE
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    manifest = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(files.items())}
    (FOLDER / "manifest.json").write_text(json.dumps({"package": PACKAGE, "sha256": manifest}, indent=2) + "\n")


if __name__ == "__main__":
    main()
