"""`edgewarden page-password`: sets a password for the page."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("page-password")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--role", type=click.Choice(["operator", "viewer"]), default="operator", help="The role; by default operator."
)
def page_password(path: Path, role: str) -> None:
    """Set the password of a role in the file at PATH, which page.password_file refers to.

    The password is asked for twice, or read from standard input if that isn't a terminal. The other role's entry is
    kept. A running service uses the new password at once, and logs out everyone with that role.
    """
    from config.tables.passwords import PasswordError  # noqa: PLC0415 - loaded when the command runs
    from edge.page.access.passwords import LONGEST, ROLES, SHORTEST, write_password  # noqa: PLC0415

    if sys.stdin.isatty():
        password = click.prompt(f"Password of the {role}", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not SHORTEST <= len(password) <= LONGEST:
        click.echo(f"edgewarden: a password has {SHORTEST} to {LONGEST:,} characters", err=True)
        sys.exit(2)
    try:
        write_password(path, next(each for each in ROLES if each == role), password)
    except PasswordError as error:
        click.echo(f"edgewarden: {error}", err=True)
        sys.exit(1)
    click.echo(f"{path} has the password of the {role}; only its owner may read it.")
    click.echo("It must belong to the user that runs the service.")
