from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from config.loading import load, parse
from config.tables.convention import Convention, conventions
from detectors import DETECTORS, DEVICE_DETECTORS
from detectors.parameters import parameters_of
from edge.commands import main
from edge.commands.explanation.samples import sample_of
from edge.core.model.notation.topics import Topics


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, **options: str) -> Result:
    return CliRunner(env={"COLUMNS": "90", **options}).invoke(main, list(arguments))


def running_text(result: Result) -> str:
    return " ".join(result.stdout.split())


def test_what_init_writes_passes_the_check(folder: Path) -> None:
    assert run("init").exit_code == 0
    checked = run("check")
    assert checked.exit_code == 0
    assert checked.stderr == ""
    assert load(folder / "edgewarden.toml").gateway.name == "gateway"


def test_init_fills_in_its_options(folder: Path) -> None:
    result = run("init", "our.toml", "--gateway", "plant7", "--host", "mqtt.local", "--topic", "plant/+/+")
    assert result.exit_code == 0
    assert "edgewarden check our.toml" in result.stdout
    configuration = load(folder / "our.toml")
    assert configuration.gateway.name == "plant7"
    assert configuration.broker.host == "mqtt.local"
    assert configuration.inputs[0].topic == "plant/+/+"


def test_init_overwrites_only_with_force(folder: Path) -> None:
    (folder / "edgewarden.toml").write_text("precious")
    refused = run("init")
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert (folder / "edgewarden.toml").read_text() == "precious"
    assert run("init", "--force").exit_code == 0
    assert load(folder / "edgewarden.toml")


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--gateway", "a b", "must be 1 to 64 letters"),
        ("--host", "", "must not be empty"),
        ("--host", "mqtt://broker:1884", "must be a name or an address: write host"),
        ("--port", "0", "must be at least 1"),
        ("--topic", "a/#/b", "may contain # only as its last level"),
    ],
)
def test_init_refuses_values_that_check_would_refuse(folder: Path, option: str, value: str, message: str) -> None:
    result = run("init", option, value)
    assert result.exit_code == 2
    assert f"Invalid value for {option}: {message}" in result.stderr
    assert list(folder.iterdir()) == []


def test_init_reports_why_it_can_not_write(folder: Path) -> None:
    result = run("init", "nowhere/edgewarden.toml")
    assert result.exit_code == 1
    assert "No such file or directory" in result.stderr
    assert run("init", str(folder), "--force").exit_code == 1


def test_check_prints_every_error_like_a_compiler_and_ends_with_2(folder: Path) -> None:
    (folder / "edgewarden.toml").write_text(
        '[[input]]\ntopic = "a"\nqos = 5\n[[rule]]\nsensors = "x"\ndetectors.ewmaa.x = 1\n'
    )
    result = run("check")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.splitlines() == [
        "edgewarden.toml:3: input[0].qos: must be 0 or 1, is 5",
        "edgewarden.toml:6: rule[0].detectors.ewmaa: there is no such detector; did you mean ewma?",
        "2 errors; nothing was started.",
    ]


def test_check_reports_a_missing_file(folder: Path) -> None:
    result = run("check")
    assert result.exit_code == 2
    assert result.stderr.startswith("edgewarden.toml: there is no such file; edgewarden init writes one")
    assert list(folder.iterdir()) == []


WHOLE = """\
[gateway]
name = "plant7"
[broker]
host = "::1"
username = "me"
password_env = "OUR_SECRET"
version = "5"
[broker.tls]
[upstream]
host = "cloud.example"
port = 8883
[[input]]
topic = "plant/+/+"
sensor = "{1}/{2}/{field}"
[[input]]
topic = "doors/#"
format = "number"
repetition = "on_change"
values = { ON = 1, OFF = 0 }
[[rule]]
sensors = "line1/*/temperature"
description = "bearings"
unit = "°C"
detectors.limits.high = 80
detectors.seasonal.enabled = false
[[rule]]
sensors = "ignored/**"
OFF
[[rule]]
sensors = "sharp"
incidents.threshold = 6
incidents.raise_after = 2
[store]
durability = "process"
events_days = 1
"""


@pytest.mark.parametrize(
    ("keys", "payload"), [("", "21.5"), ('decimal = ","', "21,5"), ('decimal = ","\nunits = true', "21,5 °C")]
)
def test_check_shows_a_number_that_the_input_reads(folder: Path, keys: str, payload: str) -> None:
    text = f'[[input]]\ntopic = "attic/temp"\nformat = "number"\n{keys}\n'
    (folder / "edgewarden.toml").write_text(text)
    assert f"attic/temp {payload} is sensor attic/temp" in running_text(run("check"))


def test_check_says_what_an_input_ignores_and_how_it_reads_texts(folder: Path) -> None:
    keys = 'units = true\nno_value = ["ERR", -127]\nignore = ["rssi"]\nignore_topics = ["air/debug"]'
    (folder / "edgewarden.toml").write_text(f'[[input]]\ntopic = "air/#"\n{keys}\n')
    said = running_text(run("check"))
    assert "for each number in it, perhaps followed by a unit. QoS 1." in said
    assert "No value: ERR, -127. Ignored fields: rssi. Ignored topics: air/debug." in said
    (folder / "edgewarden.toml").write_text(
        f'[[input]]\ntopic = "air/#"\nignore = {[f"f{each}" for each in range(20)]}\n'
    )
    assert "f6, f7 and 12 more." in running_text(run("check"))


def test_check_explains_everything(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUR_SECRET", "hunter2")
    off = "\n".join(f"detectors.{name}.enabled = false" for name in DETECTORS)
    (folder / "edgewarden.toml").write_text(WHOLE.replace("OFF\n[[", f"{off}\n[["))
    result = run("check")
    assert result.exit_code == 0
    text = running_text(result)
    for said in (
        "This gateway is called plant7.",
        "Readings come from [::1]:1883 over MQTT 5, encrypted, with the certificates of the system, as user",
        "Events go to cloud.example:8883 over MQTT 5, or 3.1.1 where it is refused, unencrypted",
        "Time: the field ts, time, timestamp or t, in UTC unless it has an offset, else the time of arrival.",
        "is sensor a/b/temperature",
        "ON counts as 1, OFF counts as 0.",
        "doors/a/b ON is sensor doors/a/b",
        "so neither silence nor a constant value is a fault",
        "line1/*/temperature (bearings, in °C): silence, limits,",
        "high 80",
        "ignored/**: not monitored, since all of its detectors are off.",
        "Surprise of 6 decades, by chance one reading in 1,000,000, in 2 readings in a row raises an",
        "every other sensor:",
        "once in 10 days",
        "6.9 with a reading a second",
        "Sensors of like names that move together are also compared with each other.",
        "edgewarden/plant7/anomaly/SENSOR",
        "for 1 day or up to 256 MiB",
        "a power cut may cost the last seconds",
    ):
        assert said in text
    assert "hunter2" not in result.output
    assert "8883 is usual" in result.stderr


def test_check_can_be_silent_except_for_warnings(folder: Path) -> None:
    (folder / "edgewarden.toml").write_text('[[input]]\ntopic = "+/#"\n')
    result = run("check", "--quiet")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr.startswith("edgewarden.toml:2: input[0].topic: also matches our own topics")


@pytest.mark.parametrize("columns", ["20", "60", "90", "300"])
@pytest.mark.usefixtures("folder")
def test_lines_fit_the_terminal(columns: str) -> None:
    run("init")
    for arguments in (["check"], ["detectors"], ["detectors", "ewma"]):
        lines = run(*arguments, COLUMNS=columns).stdout.splitlines()
        unbreakable = max(len(word) for line in lines for word in line.split()) + 40
        assert all(len(line) <= max(min(int(columns), 100), unbreakable) for line in lines)


@pytest.mark.usefixtures("folder")
def test_output_to_a_file_is_plain_and_a_terminal_gets_colors() -> None:
    run("init")
    assert "\x1b" not in run("check").output
    assert "\x1b" in CliRunner().invoke(main, ["check"], color=True).output


@pytest.mark.parametrize(
    ("text", "message", "sensor"),
    [
        ('topic = "a/+"', 'a/a {"temperature": 21.5}', "a/a/temperature"),
        ('topic = "#"\nsensor = "{1}/{field}"', 'a/b {"temperature": 21.5}', "a/b/temperature"),
        ('topic = "+/x/+"\nsensor = "{2}-{1}"\nformat = "number"', "a/x/b 21.5", "b-a"),
        ('topic = "t"\nformat = "number"', "t 21.5", "t"),
        ('topic = "t"\nvalue_key = "val"', 't {"val": 21.5}', "t"),
        (
            'topic = "t"\nsensor = "{payload.tags.room}/{field}"',
            't {"tags": {"room": "ROOM"}, "temperature": 21.5}',
            "ROOM/temperature",
        ),
        (
            'topic = "gw"\nitems = "data.list[*]"\nname = "{kind}"\nvalue_key = "v"',
            'gw {"data": {"list": [{"kind": "KIND", "v": 21.5}]}}',
            "gw/KIND",
        ),
        ('topic = "t"\nformat = "text"\ncolumns = ["time", "hum"]', "t 1700000000;21.5", "t/hum"),
        ('topic = "t"\nformat = "text"\ndecimal = ","', "t temperature=21,5", "t/temperature"),
        ('topic = "t"\nformat = "influx"', "t boiler,room=cellar temperature=21.5", "t/boiler/cellar/temperature"),
    ],
)
def test_the_example_is_on_the_configured_topic_and_is_read_as_configured(text: str, message: str, sensor: str) -> None:
    topic, payload, name, _ = sample_of(parse(f"[[input]]\n{text}\n").configuration.inputs[0])
    assert (f"{topic} {payload}", name) == (message, sensor)


def test_the_example_of_a_convention_is_on_the_configured_topic() -> None:
    text = '[[input]]\nconvention = "zigbee2mqtt"\ntopic = "z2m/kitchen"\nsensor = "{topic}/{field}"\n'
    topic, _, sensor, _ = sample_of(parse(text).configuration.inputs[0])
    assert (topic, str(sensor).startswith("z2m/kitchen/")) == ("z2m/kitchen", True)


@pytest.mark.parametrize("convention", conventions().values(), ids=lambda each: each.name)
def test_the_example_of_a_convention_is_one_of_its_own_messages(convention: Convention) -> None:
    topic, payload, sensor, more = sample_of(
        parse(f'[[input]]\nconvention = "{convention.name}"').configuration.inputs[0]
    )
    of_text = [each for each in convention.examples if not each.hexadecimal]
    if of_text:
        shown = next(each for each in of_text if (each.topic, each.payload) == (topic, payload))
        assert sensor in shown.sensors
        assert more == len(shown.sensors) - 1
    assert sensor


def test_detectors_lists_all_detectors_and_presets() -> None:
    text = running_text(run("detectors"))
    for name in (*DETECTORS, *DEVICE_DETECTORS, "limits_only", "on_change", "counter"):
        assert f" {name} " in f" {text} "


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_a_detector_is_explained_with_all_of_its_parameters(name: str) -> None:
    result = run("detectors", name)
    assert result.exit_code == 0
    text = running_text(result)
    for said in ("Blind to", "Parameters", f"[rule.detectors.{name}]"):
        assert said in text
    for parameter in parameters_of(DETECTORS[name]):
        assert f"{parameter.name} {' '.join(parameter.doc.split())}" in text
    assert ">>>" not in text


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_the_configuration_shown_can_be_used(name: str) -> None:
    _, _, shown = run("detectors", name).stdout.partition("In a configuration\n")
    assert parse(f'[[input]]\ntopic = "a"\n{shown}').configuration.rules[0].sensors == "**"


def test_detectors_are_available_as_json() -> None:
    described = json.loads(run("detectors", "--json").stdout)
    assert [each["name"] for each in described] == [*DETECTORS, *DEVICE_DETECTORS]
    (one,) = json.loads(run("detectors", "ewma", "--json").stdout)
    assert [each["name"] for each in one["parameters"]] == [each.name for each in parameters_of(DETECTORS["ewma"])]
    assert one["sections"]["Blind to"]


def test_an_unknown_detector_is_a_usage_error() -> None:
    result = run("detectors", "ewmaa")
    assert result.exit_code == 2
    assert "there is no detector ewmaa; did you mean ewma?" in result.stderr


@pytest.mark.parametrize("arguments", [[], ["events"], ["configuration"]])
def test_schemas_are_valid_json_schemas(arguments: list[str]) -> None:
    schema = json.loads(run("schema", *arguments).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert ("specversion" in schema["properties"]) is (arguments != ["configuration"])


def test_a_configuration_with_devices_is_explained(folder: Path) -> None:
    (folder / "edgewarden.toml").write_text(
        '[[input]]\ntopic = "#"\n'
        '[[device]]\nsensors = ["hall/**"]\ndescription = "halls"\n'
        '[[device]]\nname = "press"\nsensors = ["a", "b"]\nhold_s = 30\nincidents.raise_after = 3\n'
    )
    told = " ".join(run("check").stdout.split())
    assert "hall/** (halls): one device for each name without its last level, by correlation, shift." in told
    assert "a, b: one device, press/," in told
    assert "counts for 30 s" in told
    assert "three of its usual intervals" in told


@pytest.mark.parametrize("name", sorted(DEVICE_DETECTORS))
def test_a_detector_of_devices_is_explained_with_its_table(name: str) -> None:
    told = run("detectors", name).stdout
    _, _, shown = told.partition("In a configuration\n")
    assert parse(f'[[input]]\ntopic = "a"\n{shown}').configuration.devices[0].detectors == (name,)
    assert "[[device]]" in told
    assert f'detectors = ["{name}"]' in told
    assert "[[rule]]" not in told


OUR_TOPICS = [getattr(Topics("b"), name) for name, kind in vars(Topics).items() if isinstance(kind, property)]
"""All but the topics per sensor, and those of commands."""


def test_check_lists_every_topic_in_the_readme_and_every_input(folder: Path) -> None:
    readme = (Path(__file__).parents[3] / "README.md").read_text("utf-8")
    table = readme.partition("## What is published")[2].partition("\n## ")[0]
    topics = re.findall(r"^\| `([a-z]+)(?:/\{sensor\})?` \|", table, re.MULTILINE)
    ours = [topic.rpartition("/")[2] for topic in OUR_TOPICS]
    assert sorted(topics) == sorted([*ours, "anomaly", "state"])
    (folder / "edgewarden.toml").write_text('[[input]]\ntopic = "a/+"\n[[input]]\ntopic = "b/#"\n')
    shown = run("check").stdout
    for topic in topics:
        assert f"edgewarden/gateway/{topic}" in shown
    assert "- a/+: " in shown
    assert "- b/#: " in shown


def test_check_shows_the_command_topics_only_if_they_are_enabled(folder: Path) -> None:
    text = '[[input]]\ntopic = "a/+"\n'
    (folder / "edgewarden.toml").write_text(text)
    assert "commands.enabled is false" in running_text(run("check"))
    (folder / "edgewarden.toml").write_text(f"{text}[commands]\nenabled = true\n")
    assert "edgewarden/gateway/command/NAME" in running_text(run("check"))


def test_check_shows_what_home_assistant_and_a_phone_receive(folder: Path) -> None:
    pytest.importorskip("apprise")
    text = """
[[input]]
topic = "plant/#"
[homeassistant]
sensors = ["plant/**"]
[[sink]]
kind = "notify"
name = "phone"
address_env = "PHONE"
severity = 501
quiet = "22:00-07:00"
"""
    Path("edgewarden.toml").write_text(text)
    said = " ".join(run("check").output.split())
    assert "Home Assistant finds sensors that plant/** fits below homeassistant/, 1,000 at most" in said
    assert "is told again when it says online on homeassistant/status" in said
    assert "Notifications (phone) report incidents from severity 501 on of **" in said
    assert "22:00-07:00 (UTC) only from severity 751 on" in said
    Path("edgewarden.toml").write_text(text.replace("[homeassistant]", "[homeassistant]\nenabled = false"))
    assert "What Home Assistant was told below homeassistant/ is cleared." in " ".join(run("check").output.split())
