"""The links of a force's campaigns, and their QR codes: printed once, they must lead to the form for years."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import segno

from shared.contracts.policy import ForcePolicy


@dataclass(frozen=True, slots=True)
class CampaignLink:
    """Where the publicity of one campaign leads."""

    code: str
    name: str
    url: str

    def svg(self) -> bytes:
        """The QR code for printing at any size; a quarter of it may be worn off."""
        return self._drawn("svg")

    def png(self) -> bytes:
        """The QR code for programs that take no SVG: some 5 cm at 300 dots an inch."""
        return self._drawn("png")

    def _drawn(self, kind: str) -> bytes:
        out = io.BytesIO()
        # Black on white and four modules of margin: what every reader knows.
        drawn = segno.make(self.url, error="q", micro=False)
        drawn.save(out, kind=kind, scale=16, border=4, dark="#000000", light="#ffffff")
        return out.getvalue()

    def write(self, folder: Path) -> Sequence[Path]:
        """Both pictures in a folder, named by the campaign's code."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {folder / f"{self.code}.svg": self.svg(), folder / f"{self.code}.png": self.png()}
        for path, content in files.items():
            path.write_bytes(content)
        return tuple(files)


def campaign_links(policy: ForcePolicy, start: str) -> tuple[CampaignLink, ...]:
    """One for each campaign of a force; `start` is the address of its first page."""
    return tuple(CampaignLink(one.code, one.name, f"{start}?from={one.code}") for one in policy.campaigns)
