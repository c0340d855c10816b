"""A force that offers its pages in Welsh too."""

from __future__ import annotations

from typing import Any, Final

from tests.servers.intake_service import FORCE

WELSH: Final[dict[str, dict[str, Any]]] = {
    FORCE: {
        "languages": ["en", "cy"],
        "translations": {
            "cy": {
                "name": "Heddlu Avon a Gwlad yr Haf",
                "wording": {
                    "scheme_name": "Cerdded a Siarad",
                    "eligibility": "Gall unrhyw fenyw 18 oed neu’n hŷn o’r ardal hon ofyn am dro.",
                },
            }
        },
    }
}
"""Its changed choices, for `forces_folder`."""
