"""The boundaries of a force: what new ones would change, taking them, and going back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from shared.cli.terminal import console, errors, every_force, forces_folder

if TYPE_CHECKING:
    from shared.geography.files import Step
    from shared.geography.report import Report

app = typer.Typer()
areas = typer.Typer(no_args_is_help=True, help="The neighbourhood boundaries of a force, by version.")
app.add_typer(areas, name="areas")

Force = Annotated[str, typer.Argument(help="The force, as its folder is called.")]
Files = Annotated[
    list[Path],
    typer.Argument(
        help="GeoJSON, TopoJSON, KML, GeoPackage or a shapefile in a ZIP; or a folder with a KML or an answer of "
        "data.police.uk’s boundary call for each neighbourhood.",
        exists=True,
    ),
]
Code = Annotated[str | None, typer.Option(help="The property that holds each area’s code.")]
Name = Annotated[str | None, typer.Option(help="The property that holds its name.")]
Team = Annotated[str | None, typer.Option(help="The property that holds its team’s id; without it, a team of its own.")]
TeamName = Annotated[str | None, typer.Option(help="The property that holds the team’s name.")]
AsJson = Annotated[bool, typer.Option("--json", help="The report as JSON.")]
PostcodesIn = Annotated[
    Path,
    typer.Option(envvar="WALKANDTALK_POSTCODES_DIR", help="Where the store of postcodes is, or is to be built."),
]
BUILT_IN = Path(".walkandtalk/data")


@areas.command("check")
def check_areas(
    force: Force,
    files: Files,
    code: Code = None,
    name: Name = None,
    team: Team = None,
    team_name: TeamName = None,
    as_json: AsJson = False,
    postcodes: PostcodesIn = BUILT_IN,
) -> None:
    """What these boundaries would change: gaps, overlaps, areas and teams that go or come, postcodes routed elsewhere.

    Nothing is changed. Exit 1 where a file cannot be used, with its name and the feature.
    """
    with _refusals():
        _tell(_report(_folder(force), files, (code, name, team, team_name), "new", postcodes), as_json)


@areas.command("take")
def take_areas(
    force: Force,
    files: Files,
    version: Annotated[
        str | None, typer.Option("--as", help="What to call this version; by default today’s date.")
    ] = None,
    code: Code = None,
    name: Name = None,
    team: Team = None,
    team_name: TeamName = None,
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    postcodes: PostcodesIn = BUILT_IN,
) -> None:
    """Make these boundaries the version in force, after the same report. What was in force is kept."""
    from shared.geography import versions

    with _refusals():
        folder = _folder(force)
        called = version or f"{datetime.now(UTC):%Y-%m-%d}"
        report = _report(folder, files, (code, name, team, team_name), called, postcodes)
        _tell(report, as_json)
        if not yes:
            typer.confirm("Take these boundaries?", abort=True, err=True)
        versions.take(folder, report.then, called)
    _taken(force, called)


@areas.command("versions")
def list_versions(force: Force) -> None:
    """The versions kept, and which is in force."""
    from shared.geography import versions

    with _refusals():
        found = versions.versions(_folder(force))
    for one in found:
        console.print(
            f"{one.name}: {one.areas} areas{', in force' if one.in_force else ''}", highlight=False, soft_wrap=True
        )
    if not found:
        console.print(f"{force} has no boundaries: a coordinator chooses the team of each request", soft_wrap=True)


@areas.command("back")
def go_back(
    force: Force,
    version: Annotated[str, typer.Argument(help="One of those that `walkandtalk areas versions` lists.")],
    as_json: AsJson = False,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    postcodes: PostcodesIn = BUILT_IN,
) -> None:
    """Make a version that is kept the one in force again, after the same report."""
    from shared.geography import versions
    from shared.geography.postcodes import Postcodes
    from shared.geography.report import Report

    with _refusals():
        folder = _folder(force)
        then = versions.kept(folder, version)
        with _progress() as step:
            today = versions.in_force(folder)
            report = Report.of(force, today, then, Postcodes.open(postcodes), step=step)
        _tell(report, as_json)
        if not yes:
            typer.confirm("Take these boundaries?", abort=True, err=True)
        versions.back(folder, version)
    _taken(force, version)


def _taken(force: str, version: str) -> None:
    errors.print(
        f"{force}: {version} is in force for every service from its next start. Walks routed before keep their team.",
        highlight=False,
        soft_wrap=True,
    )


def _folder(force: str) -> Path:
    forces = every_force()
    if force not in forces:
        errors.print(f"There is no force {force}; there are {', '.join(forces)}.", style="red")
        raise typer.Exit(2)
    return forces_folder() / force


def _report(folder: Path, files: list[Path], named: tuple[str | None, ...], version: str, postcodes: Path) -> Report:
    from shared.geography.files import Named, read_boundaries
    from shared.geography.postcodes import Postcodes
    from shared.geography.report import Report
    from shared.geography.versions import in_force

    with _progress() as step:
        read = read_boundaries(files, Named(*named), force_id=folder.name, boundary_version=version, step=step)
        return Report.of(
            folder.name,
            in_force(folder),
            read.boundaries.areas,
            Postcodes.open(postcodes),
            mended=read.boundaries.mended,
            named=read.named,
            step=step,
        )


def _tell(report: Report, as_json: bool) -> None:
    text = json.dumps(report.as_json(), ensure_ascii=False, indent=2) if as_json else report.as_text()
    console.print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _refusals() -> Iterator[None]:
    from shared.contracts.refusals import Refusal

    try:
        yield
    except Refusal as refusal:
        errors.print(refusal.message, style="red", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(1) from None


@contextmanager
def _progress() -> Iterator[Step]:
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=errors,
        transient=True,
    ) as bars:
        task = bars.add_task("", total=None)

        def step(told: str, done: int, of: int) -> None:
            bars.update(task, description=told, completed=done, total=of)

        yield step
