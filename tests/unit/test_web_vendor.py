"""The vendored assets are those of the manifest and hold nothing that only GOV.UK may show."""

import hashlib
import json
from pathlib import Path

from shared.web.pages import Assets
from shared.web.vendor import FOLDER, PACKAGE, forbidden_in, without_brand


def test_vendored_files_are_the_ones_that_were_checked_in() -> None:
    """Every vendored file has the hash of the manifest, and no file is there beside them."""
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    hashes = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in FOLDER.iterdir()
        if path.name != "manifest.json"
    }
    assert manifest == {"package": PACKAGE, "sha256": hashes}


def test_vendored_files_show_no_government_brand() -> None:
    """No font, crest, foreign address or source map is left in what is served."""
    for path in FOLDER.iterdir():
        assert forbidden_in(path.read_text()) == [], path.name


def test_vendoring_removes_the_brand() -> None:
    """A style sheet with font, crest and source map loses all three and keeps the rest."""
    source = (
        "@font-face{font-family:GDS Transport;src:url(/assets/fonts/a.woff2)}"
        ".a{font-family:GDS Transport,arial,sans-serif;color:red}"
        ".b:before{background-image:url(/assets/images/govuk-crest.svg);display:block}"
        "\n/*# sourceMappingURL=a.css.map */"
    )
    cleaned = without_brand(source)
    assert forbidden_in(cleaned) == []
    assert cleaned == '.a{font-family:"Helvetica Neue",Helvetica,Arial,sans-serif;color:red}.b:before{display:block}\n'


def test_licence_travels_with_the_assets() -> None:
    """The MIT notice and the holder of the copyright stand beside the files."""
    notice = (FOLDER / "LICENCE.txt").read_text()
    assert "Crown Copyright (Government Digital Service)" in notice
    assert "MIT" in notice


def test_changed_asset_gets_a_new_address(tmp_path: Path) -> None:
    """Browsers keep static files for ever, so another content means another address."""
    (tmp_path / "a.css").write_text("a{}")
    before = Assets(tmp_path).url("a.css")
    (tmp_path / "a.css").write_text("b{}")
    assert Assets(tmp_path).url("a.css") != before
