"""Options shared by all commands: configuration and store, globs, choices, and options in any position."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from store_examples import event

from edge.commands import COMMANDS, main
from edge.commands.support.values import no_sensor
from edge.core.model.readings.messages import Batch
from edge.core.persistence.journal import Readings, pack
from edge.shell.store import SqliteStore

SENSORS = ("line1/pump", "line1/pump/vibration", "line2/fan", "line2/f\u200ban")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A store with an event of each sensor and of a gap, and a sensor without events."""
    monkeypatch.chdir(tmp_path)
    kept = SqliteStore(tmp_path / "edgewarden.db")
    names = [(name, "periodic", False) for name in (*SENSORS, "line3/quiet")]
    events = [
        event(number, severity=250 * number)._replace(sensor=name, message=f"{name} is at 9")
        for number, name in enumerate(SENSORS, 1)
    ]
    events.append(event(5, transition="gap")._replace(sensor="", kind="session_lost", message="readings are missing"))
    events.append(event(6, transition="cleared", severity=1)._replace(kind="missing"))
    kept.append(events, [], pack([Readings(Batch(), names)]), now=100.0)
    kept.confirm(range(1, 7), 200.0)
    kept.close()
    (tmp_path / "edgewarden.toml").write_text('[[input]]\ntopic = "plant/#"\n')
    return kept.path


def edgewarden(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments, catch_exceptions=False)


def found(*arguments: str) -> list[str]:
    result = edgewarden("events", *arguments)
    assert result.exit_code == 0, result.stderr
    return [line.partition("  spike")[2].strip() or line for line in result.stdout.splitlines()]


def test_a_glob_means_the_same_in_every_command(store: Path) -> None:
    assert found("--sensor", "line2/f*") == ["line2/fan is at 9", "line2/f\\u200ban is at 9"]
    assert len(found("--sensor", "line1/*")) == 2
    assert len(found("--sensor", "line1/**")) == 3
    assert found("line2/f*") == found("--sensor", "line2/f*")
    assert edgewarden("levels", "line1/*").exit_code == 0
    assert edgewarden("events", "--sensor", "[l]ine1/pump").exit_code == 1
    assert edgewarden("export", "--sensor", "line1/*").exit_code == 0


def test_a_name_copied_from_the_terminal_finds_its_sensor(store: Path) -> None:
    assert found("--sensor", "line2/f\\u200ban") == ["line2/f\\u200ban is at 9"]


@pytest.mark.parametrize(
    ("glob", "words"),
    [
        ("line1/pmup", "the nearest are line1/pump"),
        ("zzz/*", "5 are known, such as line1/pump; * matches one level"),
    ],
)
@pytest.mark.parametrize("command", ["events", "export"])
def test_a_glob_without_a_match_is_an_error_that_suggests_the_nearest(
    store: Path, command: str, glob: str, words: str
) -> None:
    result = edgewarden(command, "--sensor", glob)
    assert result.exit_code == 1
    assert words in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["acknowledge", "line1/pupm"],
        ["normal", "line1/pupm"],
        ["forget", "line1/pupm*"],
        ["mute", "line1/pupm*", "--until", "1h"],
        ["maintenance", "line1/pupm", "--name", "x", "--to", "1h"],
    ],
)
def test_a_command_about_an_unknown_sensor_is_not_sent(store: Path, command: list[str], free_port: int) -> None:
    text = f'[broker]\nport = {free_port}\n[commands]\nenabled = true\n[[input]]\ntopic = "plant/#"\n'
    (store.parent / "edgewarden.toml").write_text(text)
    refused = edgewarden("tell", "--timeout", "0.1", *command)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith(f"edgewarden: no sensor's name matches {command[1]!r}; the nearest are line1/pump")
    sent = edgewarden("tell", "--timeout", "0.1", *command, "--id", "7")
    assert sent.stderr.startswith("edgewarden: no connection to the broker")
    if command[0] in {"mute", "maintenance"}:
        sent = edgewarden("tell", "--timeout", "0.1", *command, "--future")
        assert sent.stderr.startswith("edgewarden: no connection to the broker")


def test_a_command_of_tell_is_offered_where_it_is_given_alone() -> None:
    assert "There is no command forget. Did you mean tell forget?" in edgewarden("forget", "x").stderr
    assert "Did you mean tell acknowledge?" in edgewarden("acknowlege", "x").stderr
    assert "Did you mean events?" in edgewarden("event").stderr


def test_earlier_events_are_mentioned(store: Path) -> None:
    assert edgewarden("events", "--last", "6").stderr == ""
    cut = edgewarden("events", "--last", "5")
    assert cut.stderr == "Only the latest 5 events; --all shows the earlier ones too.\n"
    assert len(cut.stdout.splitlines()) == 5


def test_a_sensor_without_events_is_not_an_error(store: Path) -> None:
    result = edgewarden("events", "--sensor", "line3/*")
    assert (result.exit_code, result.stderr) == (0, "Nothing was found.\n")


def test_an_unknown_sensor_in_an_empty_store_is_reported() -> None:
    assert no_sensor("a", []) == "no sensor's name matches 'a': no sensor is known yet"


@pytest.mark.parametrize("command", ["events", "export", "levels"])
def test_an_invalid_glob_is_a_usage_error(store: Path, command: str) -> None:
    result = edgewarden(command, "--sensor", "line1/+")
    assert result.exit_code == 2
    assert "write * for one level" in result.stderr


@pytest.mark.parametrize(("word", "count"), [("FATAL", 1), ("fatal", 1), ("error", 2), ("751", 1), ("INFO", 6)])
def test_severities_are_words_or_numbers(store: Path, word: str, count: int) -> None:
    assert len(found("--severity", word)) == count


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("--kind", "missing"),
        ("--kind", "silence"),
        ("--kind", "Missing"),
        ("--kind", "session_lost"),
        ("--transition", "CLEARED"),
    ],
)
def test_words_are_accepted_as_printed(store: Path, option: str, word: str) -> None:
    assert len(found(option, word)) == 1


@pytest.mark.parametrize(
    ("option", "word", "offered"),
    [
        ("--kind", "mising", "did you mean missing?"),
        ("--transition", "razed", "did you mean raised?"),
        ("--severity", "LOUD", "INFO, WARN, ERROR, FATAL"),
        ("--severity", "1001", "between 1 and 1000"),
    ],
)
def test_an_unknown_word_is_a_usage_error_that_lists_the_known_ones(
    store: Path, option: str, word: str, offered: str
) -> None:
    result = edgewarden("events", option, word)
    assert result.exit_code == 2
    assert offered in result.stderr


def test_an_event_as_json_has_the_same_content_without_hidden_characters(store: Path) -> None:
    text = '{"subject":"f\u202ean"}'
    kept = SqliteStore(store)
    kept.append([event(7)._replace(payload=text.encode())], [])
    kept.close()
    shown = edgewarden("events", "--json", "--last", "1").stdout
    assert shown == '{"subject":"f\\u202ean"}\n'
    assert json.loads(shown) == json.loads(text)


@pytest.mark.parametrize(
    "arguments",
    [
        ("events", "-c", "edgewarden.toml"),
        ("-c", "edgewarden.toml", "events"),
        ("--config=edgewarden.toml", "events"),
        ("--store", "edgewarden.db", "events", "--last", "10"),
        ("events", "--last", "10", "--store", "edgewarden.db"),
        ("check", "--config", "edgewarden.toml"),
        ("check", "edgewarden.toml"),
        ("export", "edgewarden.db"),
        ("export", "--store", "edgewarden.db"),
        ("replay", "--store", "edgewarden.db"),
        ("replay", "--journal", "edgewarden.db"),
    ],
)
def test_options_are_accepted_anywhere_and_in_old_spellings(store: Path, arguments: tuple[str, ...]) -> None:
    result = edgewarden(*arguments)
    assert result.exit_code == 0, result.stderr
    assert result.output


@pytest.mark.parametrize(
    "arguments", [("tell", "mute", "a", "--until", "2h"), ("tell", "normal", "a"), ("tell", "acknowledge", "a")]
)
@pytest.mark.parametrize("option", [("--config", "no.toml"), ("-c", "no.toml")])
def test_options_of_tell_are_accepted_before_and_after_its_words(
    store: Path, arguments: tuple[str, ...], option: tuple[str, str]
) -> None:
    group, word, *others = arguments
    for each in ((*option, group, word, *others), (group, *option, word, *others), (group, word, *others, *option)):
        result = edgewarden(*each)
        assert (result.exit_code, result.stderr[:7]) == (2, "no.toml")


def test_an_unknown_option_is_refused_before_the_command_too() -> None:
    result = edgewarden("--store", "x.db", "schema")
    assert result.exit_code == 2
    assert "No such option" in result.stderr


def test_a_configuration_given_twice_is_refused() -> None:
    assert edgewarden("check", "a.toml", "--config", "b.toml").exit_code == 2
    assert edgewarden("replay", "a.csv", "--store", "b.db").exit_code == 2


NEITHER = {"init", "detectors", "schema"}
"""Commands that don't read a configuration."""


def leaves(command: click.Command, context: click.Context) -> list[click.Command]:
    if not isinstance(command, click.Group):
        return [command]
    inner = [command.get_command(context, name) for name in command.list_commands(context)]
    return [leaf for each in inner if each is not None for leaf in leaves(each, context)]


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - NEITHER))
def test_every_command_that_reads_a_configuration_accepts_it_in_the_same_way(name: str) -> None:
    context = click.Context(main)
    command = main.get_command(context, name)
    assert command is not None
    for leaf in leaves(command, context):
        spellings = {spelling for parameter in leaf.params for spelling in parameter.opts}
        assert {"--config", "-c"} <= spellings or leaf.name in {"skab", "nab", "page-password", "heartbeat"}, leaf.name
