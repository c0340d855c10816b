"""A force's areas as lines for a map in a browser: simplified together, so that neighbours still meet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from shared.geography.boundaries import Area
from shared.geography.grid import GridPoint, many_to_wgs84

# Which area a point is in is asked of the true shapes; these lines only help her find her way.
TOLERANCE_M: Final = 40.0


def outlines(areas: Sequence[Area], tolerance_m: float = TOLERANCE_M) -> dict[str, Any]:
    """A GeoJSON FeatureCollection in longitude and latitude; each area's `name`, and where it is written (`at`)."""
    simple = shapely.coverage_simplify(np.asarray([area.geometry for area in areas], dtype=object), tolerance_m)
    return {
        "type": "FeatureCollection",
        "features": [_feature(area, shape) for area, shape in zip(areas, simple.tolist(), strict=True)],
    }


def _feature(area: Area, shape: BaseGeometry) -> dict[str, Any]:
    largest = max(shapely.get_parts(area.geometry).tolist(), key=lambda part: float(part.area))
    middle = shapely.maximum_inscribed_circle(largest, tolerance=TOLERANCE_M).coords[0]
    longitude, latitude = GridPoint(*middle).to_wgs84()
    return {
        "type": "Feature",
        "properties": {"name": area.name, "at": [round(latitude, 4), round(longitude, 4)]},
        "geometry": json.loads(shapely.to_geojson(shapely.transform(shape, _degrees))),
    }


def _degrees(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
    # Four decimals are some ten metres.
    return np.column_stack(many_to_wgs84(coordinates[:, 0], coordinates[:, 1])).round(4)
