"""The vendored assets are those of the manifest and hold nothing that only GOV.UK may show."""

import json
from pathlib import Path

from shared.web.pages import Assets
from shared.web.vendor import FOLDER, forbidden_in, manifest, without_brand, without_pictures


def test_vendored_files_are_the_ones_that_were_checked_in() -> None:
    """Every vendored file has the hash of the manifest, and no file is there beside them."""
    files = {path.name: path.read_text() for path in FOLDER.iterdir() if path.name != "manifest.json"}
    assert json.loads((FOLDER / "manifest.json").read_text()) == manifest(files)


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
    """The MIT notice, that of Leaflet (BSD-2), and the holders of the copyright stand beside the files."""
    notice = (FOLDER / "LICENCE.txt").read_text()
    assert "Crown Copyright (Government Digital Service)" in notice
    assert "MIT" in notice
    assert "BSD 2-Clause" in (FOLDER / "LICENCE-leaflet.txt").read_text()


def test_vendoring_removes_what_would_be_fetched_beside_leaflet() -> None:
    """Its style sheet names no picture and no source map afterwards, and keeps the rest."""
    source = ".a { background-image: url(images/layers.png); width: 3px; }\n/*# sourceMappingURL=a.css.map */"
    assert without_pictures(source) == ".a {  width: 3px; }\n"
    assert "url(" not in (FOLDER / "leaflet.css").read_text()


def test_changed_asset_gets_a_new_address(tmp_path: Path) -> None:
    """Browsers keep static files for ever, so another content means another address."""
    (tmp_path / "a.css").write_text("a{}")
    before = Assets(tmp_path).url("a.css")
    (tmp_path / "a.css").write_text("b{}")
    assert Assets(tmp_path).url("a.css") != before
