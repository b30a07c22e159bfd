"""The table `[[sink]]`: which keys belong to which kind, and what is refused before anything is opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.loading import parse
from config.problems import ConfigurationError
from config.tables.passwords import PasswordError, secret_of, token_of
from config.tables.sinks import OF_KIND, REQUIRED, SinkTable
from edge.core.model.notation.topics import Topics
from edge.shell.options import ServiceOptions
from edge.shell.service.assembly.sinks import sinks_of

INPUT = '[[input]]\ntopic = "#"\n'
WEBHOOK = 'kind = "webhook"\nurl = "https://h/x"\n'


def sinks(*tables: str) -> tuple[SinkTable, ...]:
    return parse(INPUT + "".join(f"[[sink]]\n{each}\n" for each in tables)).configuration.sinks


def problems(*tables: str, folder: Path | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as error:
        parse(INPUT + "".join(f"[[sink]]\n{each}\n" for each in tables), folder=folder)
    return [f"{each.key}: {each.message}" for each in error.value.problems]


def test_a_sink_needs_few_keys() -> None:
    (sink,) = sinks(WEBHOOK)
    assert (sink.title, sink.begin, sink.sensors, sink.severity) == ("webhook", "now", ("**",), 1)


@pytest.mark.parametrize("kind", sorted(OF_KIND))
def test_keys_required_by_a_kind_are_listed_and_reported_if_missing(kind: str) -> None:
    assert set(REQUIRED[kind]) <= OF_KIND[kind]
    assert problems(f'kind = "{kind}"') == [
        f'sink[0].{key}: must be given for kind = "{kind}"' for key in REQUIRED[kind]
    ]


def test_two_sinks_need_two_names() -> None:
    assert problems(WEBHOOK, WEBHOOK) == ['sink[1].name: must differ from that of sink[0], is "webhook"']
    assert [each.title for each in sinks(WEBHOOK, f'{WEBHOOK}name = "other"')] == ["webhook", "other"]


def test_a_single_bracket_is_reported() -> None:
    with pytest.raises(ConfigurationError, match=r"must be written with two brackets: \[\[sink\]\]"):
        parse(f"{INPUT}[sink]\n{WEBHOOK}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "h",
        "ftp://h",
        "http://",
        "http:///x",
        "http://h:0",
        "http://h:99999",
        "http://h/ü",
        "http://h/a b",
        "http://h#x",
    ],
)
def test_a_url_must_be_valid(url: str) -> None:
    (problem,) = problems(f'kind = "webhook"\nurl = "{url}"')
    assert problem.startswith("sink[0].url: must")


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    (problem,) = problems('kind = "webhook"\nurl = "https://us:hunter2@h/x"')
    assert "write username" in problem
    assert "hunter2" not in problem


def test_a_secret_comes_from_one_place_only(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("x")
    (problem,) = problems(f'{WEBHOOK}token_file = "s"\ntoken_env = "T"', folder=tmp_path)
    assert problem == "sink[0].token_env: must not be given where token_file is"
    (problem,) = problems(f'{WEBHOOK}username = "us"\ntoken_env = "T"')
    assert problem == "sink[0].token_env: must not be given where username is"
    (problem,) = problems(f'{WEBHOOK}password_env = "T"')
    assert problem == "sink[0].password_env: needs username too"


def test_secrets_are_read_from_files_variables_and_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "s").write_text("from a file\n")
    (tmp_path / "edgewarden.sink").write_text("from systemd")
    monkeypatch.setenv("T", "from a variable")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    text = f'{INPUT}[[sink]]\n{WEBHOOK}token_env = "T"\nsecret_file = "s"\n'
    (sink,) = parse(text, folder=tmp_path).configuration.sinks
    assert (token_of(sink), secret_of(sink)) == ("from a variable", "from a file")
    (sink,) = sinks(f'{WEBHOOK}secret_credential = "edgewarden.sink"')
    assert (token_of(sink), secret_of(sink)) == (None, "from systemd")
    monkeypatch.delenv("T")
    with pytest.raises(PasswordError, match="variable T isn't set"):
        sinks_of(parse(text, folder=tmp_path).configuration, ServiceOptions(Topics("base")))


def test_plain_text_over_the_network_gives_a_warning() -> None:
    table = '[[sink]]\nkind = "webhook"\nurl = "http://{}/x"\n'
    (doubt,) = parse(INPUT + table.format("example.com")).doubts
    assert (doubt.key, doubt.message) == (
        "sink[0].url",
        "events cross the network in plain text; https:// encrypts them",
    )
    assert parse(INPUT + table.format("127.0.0.1:8080")).doubts == ()


def test_sinks_change_no_event() -> None:
    plain, with_sink = parse(INPUT).configuration, parse(f"{INPUT}[[sink]]\n{WEBHOOK}").configuration
    assert plain.digest() == with_sink.digest()


NOTIFY = 'kind = "notify"\naddress_env = "PHONE"\n'


def test_the_notification_address_is_in_a_file_a_variable_or_a_credential() -> None:
    pytest.importorskip("apprise")
    (sink,) = sinks(NOTIFY)
    assert (sink.quiet, sink.quiet_window(), sink.interval_s) == (None, None, 60)
    (problem,) = problems('kind = "notify"\naddress = "ntfy://hunter2"')
    assert "address" in problem
    (problem,) = problems(f'{NOTIFY}address_credential = "x"')
    assert problem == "sink[0].address_credential: must not be given where address_env is"
    assert problems(f'{NOTIFY}username = "ada"') == ['sink[0].username: does not apply to kind = "notify"']


@pytest.mark.parametrize(
    ("quiet", "every"),
    [
        ("22:00-07:00", "daily 22:00-07:00"),
        ("Mon-Fri 22:00-06:00", "Mon-Fri 22:00-06:00"),
        (" 00:00-24:00 ", "daily 00:00-24:00"),
    ],
)
def test_quiet_hours_apply_every_day_or_on_some_days(quiet: str, every: str) -> None:
    pytest.importorskip("apprise")
    (sink,) = sinks(f'{NOTIFY}quiet = "{quiet}"\nzone = "Europe/Berlin"')
    window = sink.quiet_window()
    assert window is not None
    assert (window.every, window.zone) == (every, "Europe/Berlin")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('quiet = "at night"', "sink[0].quiet: isn't a time of day or week"),
        ('quiet = "22-7"', "sink[0].quiet: isn't a time of day or week"),
        ('zone = "Mars/Base"', "sink[0].zone: isn't a time zone"),
        ("group_s = 30", "sink[0].group_s: must be"),
        ('quiet = "22:00-07:00"\nseverity = 800', "sink[0].quiet_severity: must be above severity, which is 800"),
    ],
)
def test_mistakes_in_notifications_are_reported(line: str, problem: str) -> None:
    pytest.importorskip("apprise")
    (told,) = problems(f"{NOTIFY}{line}")
    assert told.startswith(problem)


def test_of_a_sink_of_no_kind_only_the_kind_is_an_error() -> None:
    with pytest.raises(ConfigurationError) as refused:
        parse('[[input]]\ntopic = "a"\n[[sink]]\nkind = "slack"\nurl = "https://x"\n')
    assert [each.key for each in refused.value.problems] == ["sink[0].kind"]
