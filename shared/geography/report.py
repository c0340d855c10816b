"""What a person reads before boundaries are taken: the comparison with what is in force, in numbers and examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely

from shared.geography.areas import NEAREST_WITHIN_M
from shared.geography.boundaries import Area, Mended
from shared.geography.comparison import Comparison, Gap, Moved, Overlap, compare
from shared.geography.files import Step, no_step
from shared.geography.grid import GridPoint
from shared.geography.postcodes import Postcodes

_LISTED = 20


@dataclass(frozen=True, slots=True)
class Report:
    """A comparison with the postcodes it was measured over, and what areas are called."""

    force_id: str
    today: tuple[Area, ...]
    then: tuple[Area, ...]
    mended: tuple[Mended, ...]
    named: tuple[str, ...]
    comparison: Comparison
    postcodes: Sequence[str]
    """Those asked for, retired ones among them: the directory does not say which."""

    @classmethod
    def of(
        cls,
        force_id: str,
        today: Sequence[Area],
        then: Sequence[Area],
        postcodes: Postcodes,
        *,
        mended: Sequence[Mended] = (),
        named: Sequence[str] = (),
        step: Step = no_step,
    ) -> Report:
        """Compare areas over every postcode that either would route.

        :raises NoAreas, DuplicateArea:
        """
        step("finding postcodes", 0, 1)
        ground = shapely.union_all([area.geometry for area in (*today, *then)]).buffer(NEAREST_WITHIN_M)
        texts, eastings, northings = postcodes.inside(ground)
        step("finding postcodes", 1, 1)
        found = compare(today, then, (eastings, northings), step)
        return cls(force_id, tuple(today), tuple(then), tuple(mended), tuple(named), found, texts)

    @property
    def to_another_team(self) -> int:
        """How many postcodes would go to another team, or to none: more than the areas matters who comes."""
        was = {area.area_id: area.team_id for area in self.today}
        becomes = {area.area_id: area.team_id for area in self.then}
        moved = self.comparison.moved
        return sum(one.places for one in moved if was.get(one.was or "") != becomes.get(one.becomes or ""))

    def as_json(self) -> dict[str, Any]:
        """The whole of it, for programs."""
        found = self.comparison
        return {
            "force_id": self.force_id,
            "areas_today": len(self.today),
            "areas_then": len(self.then),
            "read_by": list(self.named),
            "mended": [
                {"area_id": one.area_id, "reason": one.reason, "change_m2": round(one.change_m2)} for one in self.mended
            ],
            "areas_gone": list(found.areas_gone),
            "areas_new": list(found.areas_new),
            "areas_renamed": [
                {"area_id": one.code, "was": one.was, "becomes": one.becomes} for one in found.areas_renamed
            ],
            "teams_gone": list(found.teams_gone),
            "teams_new": list(found.teams_new),
            "teams_renamed": [
                {"team_id": one.code, "was": one.was, "becomes": one.becomes} for one in found.teams_renamed
            ],
            "gaps": [{**_ground(one), "beside": list(one.beside), "was": list(one.was)} for one in found.gaps],
            "overlaps": [{**_ground(one), "wins": one.wins, "loses": one.loses} for one in found.overlaps],
            "postcodes": found.places,
            "postcodes_to_the_nearest": found.nearest,
            "postcodes_elsewhere": found.routed_elsewhere,
            "postcodes_to_another_team": self.to_another_team,
            "elsewhere": [
                {"was": one.was, "becomes": one.becomes, "postcodes": one.places, "examples": self._examples(one)}
                for one in found.moved
            ],
        }

    def as_text(self) -> str:
        """The same for people: counts first, then the largest of each."""
        found = self.comparison
        was, becomes = _names(self.today), _names(self.then)
        lines = [f"{self.force_id}: {len(self.today)} areas today, {len(self.then)} then"]
        lines += [f"  {sentence}" for sentence in self.named]
        lines += _list(
            "shapes that had to be mended",
            [f"{one.area_id}: {one.reason}, {one.change_m2:,.0f} m² differ" for one in self.mended],
        )
        lines += _list("areas gone", [f"{code} {was[code]}" for code in found.areas_gone])
        lines += _list("areas new", [f"{code} {becomes[code]}" for code in found.areas_new])
        lines += _list("areas renamed", [f"{one.code}: {one.was} → {one.becomes}" for one in found.areas_renamed])
        lines += _list("teams gone (their open walks stay theirs until handed over)", found.teams_gone)
        lines += _list("teams new (they need officers)", found.teams_new)
        lines += _list("teams renamed", [f"{one.code}: {one.was} → {one.becomes}" for one in found.teams_renamed])
        lines += _list(
            "gaps: ground of nobody",
            [
                f"{_size(one.square_metres)} at {_degrees(one.middle)}, beside {', '.join(one.beside) or 'nothing'}"
                + (f", until now {', '.join(one.was)}" if one.was else "")
                for one in found.gaps
            ],
        )
        lines += _list(
            "overlaps: ground of two, which goes to the first",
            [
                f"{_size(one.square_metres)} at {_degrees(one.middle)}: {one.wins} before {one.loses}"
                for one in found.overlaps
            ],
        )
        lines.append(
            f"{found.places:,} postcodes, retired ones among them: {found.nearest:,} lie in no area and go to the"
            f" nearest within {NEAREST_WITHIN_M:.0f} m"
        )
        if self.today:
            lines += _list(
                f"{found.routed_elsewhere:,} of them in another area, {self.to_another_team:,} with another team",
                [
                    f"{one.places:,} from {_of(one.was, was)} to {_of(one.becomes, becomes)}:"
                    f" {', '.join(self._examples(one))}"
                    for one in found.moved
                ],
                counted=False,
            )
        return "\n".join(lines)

    def _examples(self, moved: Moved) -> list[str]:
        return [self.postcodes[row] for row in moved.examples]


def _names(areas: Sequence[Area]) -> Mapping[str, str]:
    return {area.area_id: area.name for area in areas}


def _of(code: str | None, names: Mapping[str, str]) -> str:
    return f"{code} {names[code]}" if code else "nobody (triage)"


def _list(title: str, lines: Sequence[str], *, counted: bool = True) -> list[str]:
    if not lines:
        return [] if counted else [title]
    left = len(lines) - _LISTED
    shown = [f"  {line}" for line in lines[:_LISTED]]
    return [f"{title}: {len(lines)}" if counted else title, *shown, *([f"  and {left} more"] if left > 0 else [])]


def _ground(one: Gap | Overlap) -> dict[str, Any]:
    longitude, latitude = one.middle.to_wgs84()
    return {
        "square_metres": round(one.square_metres),
        "latitude": round(latitude, 5),
        "longitude": round(longitude, 5),
    }


def _degrees(point: GridPoint) -> str:
    longitude, latitude = point.to_wgs84()
    return f"{latitude:.5f}, {longitude:.5f}"


def _size(square_metres: float) -> str:
    return f"{square_metres / 1e6:,.2f} km²" if square_metres >= 100_000 else f"{square_metres:,.0f} m²"
