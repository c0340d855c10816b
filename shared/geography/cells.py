"""Which shapes a place may lie in, by the cell of a grid it lies in: for many places at once, without a tree."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from shared.geography.grid import Metres

Shapes = NDArray[np.object_]
Positions = NDArray[np.intp]

# So many take a tenth of a second to make, and are half a kilometre wide for a force of a hundred by eighty.
_MOST: Final = 40_000
_NARROWEST_M: Final = 250.0


class Cells:
    """Shapes by the cells they touch. A cell that lies in a shape as a whole needs no asking."""

    def __init__(self, shapes: Shapes, width_m: float | None = None) -> None:
        """`shapes` valid, prepared and not empty, in EPSG:27700; cells so wide, or as their extent wants."""
        self._shapes = shapes
        west, south, east, north = (float(edge) for edge in shapely.total_bounds(shapes))
        self._width = width_m or max(_NARROWEST_M, math.sqrt((east - west) * (north - south) / _MOST))
        self._west, self._south = west, south
        self._columns = int((east - west) // self._width) + 1
        self._rows = int((north - south) // self._width) + 1
        cells, touched, whole = self._touched()
        order = np.lexsort((touched, cells))
        self._held = touched[order]
        self._whole = whole[order]
        many = np.bincount(cells, minlength=self._columns * self._rows)
        # One cell more, which holds nothing: places outside of all lie in it.
        self._many = np.append(many, 0)
        self._first = np.append(np.cumsum(many) - many, 0)

    def covering(self, eastings: Metres, northings: Metres) -> tuple[Positions, Positions]:
        """Every pair of a place and a shape that covers it, by place, then by shape; NaN lies nowhere."""
        cells = self._cells(eastings, northings)
        many = self._many[cells]
        rows = np.repeat(np.arange(len(cells)), many)
        # Within its place's run: the first of its cell, and so many further.
        at = np.arange(len(rows)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(self._first[cells], many)
        candidates = self._held[at]
        hit = self._whole[at]
        asked = np.flatnonzero(~hit)
        # Of a point, what it intersects is what covers it.
        hit[asked] = shapely.intersects_xy(
            self._shapes[candidates[asked]], eastings[rows[asked]], northings[rows[asked]]
        )
        return rows[hit], candidates[hit]

    def _cells(self, eastings: Metres, northings: Metres) -> Positions:
        with np.errstate(invalid="ignore"):
            column = np.floor((eastings - self._west) / self._width)
            row = np.floor((northings - self._south) / self._width)
            # Written so that NaN, which no comparison holds for, lies nowhere.
            inside = (column >= 0) & (column < self._columns) & (row >= 0) & (row < self._rows)
            cells = np.where(inside, row * self._columns + column, self._columns * self._rows)
        return cells.astype(np.intp)

    def _touched(self) -> tuple[Positions, Positions, NDArray[np.bool_]]:
        """Every pair of a cell and a shape that touches it, and whether the cell lies in the shape as a whole."""
        found: list[tuple[Any, Any, Any]] = []
        for position, shape in enumerate(self._shapes):
            west, south, east, north = shape.bounds
            columns = np.arange(*self._span(west - self._west, east - self._west, self._columns))
            rows = np.arange(*self._span(south - self._south, north - self._south, self._rows))
            column, row = (axis.ravel() for axis in np.meshgrid(columns, rows))
            left, bottom = self._west + column * self._width, self._south + row * self._width
            # Wider by a hair than the cells, so that rounding puts no place beside the box of its cell.
            hair = self._width * 1e-9
            boxes = shapely.box(left - hair, bottom - hair, left + self._width + hair, bottom + self._width + hair)
            touches = shapely.intersects(shape, boxes)
            found.append(
                (
                    (row * self._columns + column)[touches],
                    np.full(np.count_nonzero(touches), position),
                    shapely.covers(shape, boxes[touches]),
                )
            )
        cells, touched, whole = (np.concatenate(parts) for parts in zip(*found, strict=True))
        return cells.astype(np.intp), touched.astype(np.intp), whole.astype(np.bool_)

    def _span(self, least: float, most: float, of: int) -> tuple[int, int]:
        first, last = int(least // self._width), int(most // self._width)
        return max(0, first - 1), min(of, last + 2)
