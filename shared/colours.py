"""How well one colour is read on another, as WCAG 2.2 measures it."""

from __future__ import annotations

from typing import Final

READABLE: Final = 4.5
"""The least contrast of ordinary text (WCAG 2.2, 1.4.3)."""


def luminance(colour: str) -> float:
    """Relative luminance of a colour like #12264f."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
