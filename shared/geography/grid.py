"""Places on the British National Grid (EPSG:27700, metres), and the way to and from longitude and latitude."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from shared.contracts.refusals import Refusal

if TYPE_CHECKING:
    from pyproj import Transformer

Metres = NDArray[np.float64]
Degrees = NDArray[np.float64]

# The grid's own extent, and the box of longitudes and latitudes that holds it and Northern Ireland.
EASTINGS: Final = (0.0, 700_000.0)
NORTHINGS: Final = (0.0, 1_300_000.0)
LONGITUDES: Final = (-9.0, 2.1)
LATITUDES: Final = (49.7, 61.0)

# EPSG:1314, Ordnance Survey's seven parameters, spelt out so that every machine computes the same point: PROJ
# otherwise takes whichever grid shift file it happens to find. For 97 of 100 postcodes it differs from the directory's
# own longitudes and latitudes by at most 1.4 metres around Bristol and 2.6 in South London (the others moved between
# editions); an integration test measures it.
_OSGB36_TO_WGS84: Final = (
    "+proj=pipeline"
    " +step +inv +proj=tmerc +lat_0=49 +lon_0=-2 +k=0.9996012717 +x_0=400000 +y_0=-100000 +ellps=airy"
    " +step +proj=push +v_3"
    " +step +proj=cart +ellps=airy"
    " +step +proj=helmert +x=446.448 +y=-125.157 +z=542.06 +rx=0.15 +ry=0.247 +rz=0.842 +s=-20.489"
    " +convention=position_vector"
    " +step +inv +proj=cart +ellps=WGS84"
    " +step +proj=pop +v_3"
    " +step +proj=unitconvert +xy_in=rad +xy_out=deg"
)


class OutsideGreatBritain(Refusal):
    """That place is not in Great Britain. Check the longitude and latitude, or enter a postcode instead."""


@dataclass(frozen=True, slots=True)
class GridPoint:
    """A place in EPSG:27700: metres east and north of the grid's origin."""

    easting: float
    northing: float

    def to_wgs84(self) -> tuple[float, float]:
        """Longitude and latitude in degrees, in that order (as GeoJSON has them), good to a few metres."""
        longitude, latitude = _transformer().transform(self.easting, self.northing)
        return float(longitude), float(latitude)


def from_wgs84(*, longitude: float, latitude: float) -> GridPoint:
    """The grid point of a longitude and latitude in degrees, good to a few metres.

    By name only, because swapping the two is the usual mistake. Raises OutsideGreatBritain, also for NaN and for
    a latitude left blank or zero.
    """
    if not (LONGITUDES[0] <= longitude <= LONGITUDES[1] and LATITUDES[0] <= latitude <= LATITUDES[1]):
        raise OutsideGreatBritain
    easting, northing = _transformer().transform(longitude, latitude, direction="INVERSE")
    return GridPoint(float(easting), float(northing))


def many_from_wgs84(
    longitudes: Sequence[float] | Degrees, latitudes: Sequence[float] | Degrees
) -> tuple[Metres, Metres]:
    """Eastings and northings of many points at once; NaN where a point is not in Great Britain."""
    east, north = np.asarray(longitudes, dtype=np.float64), np.asarray(latitudes, dtype=np.float64)
    inside = (east >= LONGITUDES[0]) & (east <= LONGITUDES[1]) & (north >= LATITUDES[0]) & (north <= LATITUDES[1])
    eastings, northings = _transformer().transform(east, north, direction="INVERSE")
    return np.where(inside, eastings, np.nan), np.where(inside, northings, np.nan)


def many_to_wgs84(eastings: Metres, northings: Metres) -> tuple[Degrees, Degrees]:
    """Longitudes and latitudes of many grid points at once."""
    longitudes, latitudes = _transformer().transform(eastings, northings)
    return np.asarray(longitudes, dtype=np.float64), np.asarray(latitudes, dtype=np.float64)


@cache
def _transformer() -> Transformer:
    # pyproj takes 25 MB: a process that only looks postcodes up never pays for it.
    from pyproj import Transformer

    return Transformer.from_pipeline(_OSGB36_TO_WGS84)
