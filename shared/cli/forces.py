"""What each force has chosen, and the links of its campaigns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.cli.terminal import console, errors, forces_folder

app = typer.Typer()
policy = typer.Typer(no_args_is_help=True, help="What each force has chosen.")
app.add_typer(policy, name="policy")


@policy.command("check")
def check_policies(
    folder: Annotated[Path | None, typer.Argument(help="Where the forces' folders are.", show_default=False)] = None,
) -> None:
    """Read every force's files as the services do when they start; exit 1 with what is wrong, by file and field."""
    from shared.policies import Policies, PolicyFault

    folder = folder or forces_folder()
    try:
        policies = Policies.read(folder)
    except PolicyFault as fault:
        errors.print(str(fault), style="red", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from None
    # What a service alone understands it reads itself.
    wrong = [
        subprocess.run([sys.executable, "-m", module, str(folder)], check=False).returncode
        for module in ("services.assignment.registers", "services.intake.messages.words")
    ]
    if any(wrong):
        raise typer.Exit(1)
    for force_id in policies.forces:
        chosen = policies[force_id]
        where = ", ".join(chosen.hosts) or f"/{force_id}/"
        told = f"{force_id}: version {chosen.version}, {chosen.name}, {', '.join(chosen.languages)}, at {where}"
        console.print(told, highlight=False, soft_wrap=True)


@app.command("campaign-links")
def write_campaign_links(
    force: Annotated[str, typer.Argument(help="The force, as its folder is called.")],
    folder: Annotated[Path, typer.Option(help="Where the QR codes go.")] = Path("campaign-links"),
    url: Annotated[
        str, typer.Option(envvar="WALKANDTALK_INTAKE_URL", help="The public address of the form’s service.")
    ] = "http://localhost:8001",
) -> None:
    """Each campaign of a force with its own link, and a QR code of it as SVG and PNG."""
    from shared.campaigns import campaign_links
    from shared.policies import Policies
    from shared.web.hosts import with_name

    policies = Policies.read(forces_folder())
    if force not in policies:
        errors.print(f"There is no force {force}; there are {', '.join(policies.forces)}.", style="red")
        raise typer.Exit(2)
    policy = policies[force]
    home = with_name(url, policy.hosts[0]) if policy.hosts else url.rstrip("/")
    links = campaign_links(policy, f"{home}/{force}/")
    for link in links:
        files = link.write(folder)
        console.print(f"{link.name}\n  {link.url}", highlight=False, soft_wrap=True)
        console.print(f"  {', '.join(map(str, files))}", highlight=False, soft_wrap=True)
    if not links:
        console.print(f"{policy.name} has no campaigns in its policy")
