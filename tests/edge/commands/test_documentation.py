"""docs/reference/commands.md lists every command and option and nothing else; the README lists every command."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from edge.commands import main

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "reference" / "commands.md").read_text("utf-8")
README = (ROOT / "README.md").read_text("utf-8")
CHAPTERS = {
    match[1]: match[2]
    for match in re.finditer(r"^## `edgewarden ([a-z-]+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
CONTEXT = click.Context(main)


def leaves(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for inner in command.list_commands(CONTEXT):
            found = command.get_command(CONTEXT, inner)
            assert found is not None
            yield from leaves(f"{name} {inner}", found)
    else:
        yield name, command


def found(name: str) -> click.Command:
    command = main.get_command(CONTEXT, name)
    assert command is not None
    return command


NAMES = main.list_commands(CONTEXT)


def test_the_page_has_a_chapter_for_every_command_and_nothing_else() -> None:
    assert CHAPTERS.keys() == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_page_documents_every_option_like_the_command(name: str) -> None:
    written = re.findall(r"^\| (`-.*?) \| (.*) \|$", CHAPTERS[name], re.MULTILINE)
    told = [
        (
            ", ".join(f"`{each}`" for each in (*option.opts, *option.secondary_opts)),
            re.sub(" +", " ", option.help or ""),
        )
        for _, leaf in leaves(name, found(name))
        for option in leaf.params
        if isinstance(option, click.Option)
    ]
    assert sorted(written) == sorted((spelled, text.replace("|", "\\|")) for spelled, text in told)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"demo", "run", "benchmark"}))
def test_the_page_shows_the_output_of_a_command(name: str) -> None:
    assert f"$ edgewarden {name}" in CHAPTERS[name]


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_lists_every_command(name: str) -> None:
    table = README.partition("| command | what it does |")[2].partition("\n\n")[0]
    assert re.search(rf"`(edgewarden )?{name}\b", table)


@pytest.mark.parametrize("name", NAMES)
def test_the_help_of_a_command_keeps_its_layout(name: str) -> None:
    for path, leaf in leaves(name, found(name)):
        shown = leaf.get_help(click.Context(leaf, info_name=path))
        assert r"\b" not in shown
        assert "\b" not in shown


@pytest.mark.parametrize(
    "group", [main, *(command for name in NAMES if isinstance(command := found(name), click.Group))]
)
def test_the_description_of_each_command_in_a_list_is_complete(group: click.Group) -> None:
    assert "..." not in group.get_help(click.Context(group)).partition("Commands:")[2]
