from __future__ import annotations

from datetime import date
from pathlib import Path

import jsonschema
import pytest

from config import Configuration, parse, presets
from config.tables.passwords import PasswordError, password_of
from detectors import DETECTORS
from detectors.parameters import parameters_of
from edge.commands.support.configuration_schema import configuration_json_schema

INPUT = '[[input]]\ntopic = "plant/+/+"\n'


def configuration_of(text: str = "") -> Configuration:
    return parse(INPUT + text).configuration


def test_an_input_is_sufficient() -> None:
    configuration = configuration_of()
    assert configuration.gateway.topic_base == "edgewarden/gateway"
    assert configuration.inbound.client_id == "edgewarden-gateway"
    assert configuration.outbound is None
    assert configuration.store.path == Path("edgewarden.db")
    assert [each.name for each in configuration.profiles] == ["**"]


def test_client_ids_differ_by_gateway_and_link_unless_they_are_set() -> None:
    configuration = configuration_of('[gateway]\nname = "g7"\n[upstream]\nhost = "cloud"\n')
    assert configuration.inbound.client_id == "edgewarden-g7"
    assert configuration.outbound is not None
    assert configuration.outbound.client_id == "edgewarden-g7-upstream"
    assert configuration_of('[broker]\nclient_id = "mine"\n').inbound.client_id == "mine"


def test_the_first_matching_rule_applies_and_the_last_one_matches_everything() -> None:
    rules = '[[rule]]\nsensors = "a/**"\nunit = "C"\n[[rule]]\nsensors = "a/b"\nunit = "K"\n'
    configuration = configuration_of(rules)
    assert configuration.rule_for("a/b").index == 0
    assert configuration.rule_for("a/b").unit == "C"
    assert configuration.rule_for("c").index == 2
    assert configuration.rule_for("c").name == "**"


def test_a_rule_overrides_its_preset_key_by_key() -> None:
    text = """[[rule]]
sensors = "a"
detectors.limits.high = 80
detectors.seasonal.enabled = false
"""
    configuration = configuration_of(text)
    shipped = {each.name for each in configuration.rule_for("other").detectors}
    changed = {each.name: each for each in configuration.rule_for("a").detectors}
    assert changed.keys() == shipped - {"seasonal"} | {"limits"}
    assert changed["limits"].high == 80.0  # type: ignore[attr-defined]
    assert list(changed) == [name for name in DETECTORS if name in changed]


def test_sensors_can_be_excluded_from_detection() -> None:
    off = "".join(f"detectors.{name}.enabled = false\n" for name in DETECTORS)
    assert configuration_of(f'[[rule]]\nsensors = "a"\n{off}').rule_for("a").detectors == ()


def test_equal_rules_give_equal_detectors_with_equal_hashes() -> None:
    text = "".join(f'[[rule]]\nsensors = "{name}"\ndetectors.limits.high = 1\n' for name in "ab")
    one, other, _ = configuration_of(text).profiles
    assert one.detectors == other.detectors
    assert hash((one.detectors, one.incidents)) == hash((other.detectors, other.incidents))


def test_incident_settings_of_a_rule_change_only_the_keys_they_name() -> None:
    text = """[incidents]
clear_after = 9
threshold = 7
[[rule]]
sensors = "a"
incidents.update_s = 5
[[rule]]
sensors = "b"
incidents.false_alarms_per_sensor_per_day = 2
"""
    configuration = configuration_of(text)
    assert configuration.rule_for("a").incidents.clear_after == 9
    assert configuration.rule_for("a").incidents.update_s == 5
    assert configuration.rule_for("a").incidents.threshold == 7
    assert configuration.rule_for("b").incidents.threshold is None


def test_the_digest_depends_on_the_settings_that_influence_events_and_on_nothing_else() -> None:
    digest = configuration_of().digest()
    assert len(digest) == 64
    assert digest == configuration_of().digest()
    for text in (
        '[broker]\nhost = "other"',
        '[log]\nlevel = "debug"',
        '[store]\npath = "x"',
        "[limits]\nreceive_bytes = 65536",
    ):
        assert configuration_of(text).digest() == digest
    for text in (
        '[gateway]\nname = "other"',
        "[incidents]\nclear_after = 6",
        '[[rule]]\nsensors = "a"\nunit = "K"',
        '[[rule]]\nsensors = "a"\ndetectors.limits.high = 1',
        "[limits]\nsensors = 5",
        '[[input]]\ntopic = "b"',
    ):
        assert configuration_of(text).digest() != digest


WRITTEN = """
[limits]
future_s = 30
[incidents]
clear_ratio = 1
[[maintenance]]
name = "night"
sensors = "a/**"
from = 2026-01-02T03:04:05Z
to = 2026-01-02T04:04:05.5+01:00
[[rule]]
sensors = "a/**"
weight = 2
detectors.limits.high = 80
detectors.ewma.enabled = true
incidents.update_s = 60
[[device]]
sensors = ["b/*"]
labels = { hall = "3" }
"""


def test_the_digest_of_what_is_written_stays_the_same_in_new_versions() -> None:
    configuration = configuration_of(WRITTEN)
    written = "91d966e5b824666dd1083279c969fc8e55ff61e58172a54984165b989df2bbd0"
    assert configuration.digests() == f"{configuration.digest()}:{written}"
    assert configuration.inputs_digest() == "eb393aacdd8d29a7a0ba07c703152452600f85b16c1f7e2dd44348548a339343"


def test_a_table_knows_which_of_its_keys_were_written_also_after_a_change() -> None:
    configuration = configuration_of(WRITTEN)
    assert configuration.limits.given == {"future_s"}
    assert configuration.rules[0].incidents.given == {"update_s"}
    assert configuration.replaced(gateway=configuration.gateway.replaced(name="g7")).limits.given == {"future_s"}


def test_tables_are_equal_if_their_values_are_however_they_were_written() -> None:
    assert configuration_of("[limits]\nfuture_s = 60\n") == configuration_of()
    assert configuration_of("[limits]\nfuture_s = 61\n") != configuration_of()


def test_a_configuration_is_immutable() -> None:
    with pytest.raises(AttributeError, match="immutable"):
        configuration_of().gateway.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize("day", ['"2020-02-03"', "2020-02-03"])
def test_a_day_may_be_written_with_or_without_quotes(day: str) -> None:
    limits = configuration_of(f"[limits]\nearliest = {day}\n").limits
    assert limits.earliest == date(2020, 2, 3)
    assert limits.earliest_time == 1_580_688_000.0


@pytest.mark.parametrize("name", sorted(DETECTORS))
def test_each_parameter_of_a_detector_can_be_set_with_its_default_and_range(name: str) -> None:
    model = configuration_json_schema()["$defs"][DETECTORS[name].__name__]
    for parameter in parameters_of(DETECTORS[name]):
        described = model["properties"][parameter.name]
        assert described["description"] == parameter.doc
        assert described.get("unit", "") == parameter.unit
        if parameter.default == parameter.default:
            assert described["default"] == parameter.default
            value = str(parameter.default).lower() if parameter.kind is not str else f'"{parameter.default}"'
            assert configuration_of(f'[[rule]]\nsensors = "a"\ndetectors.{name}.{parameter.name} = {value}\n')


def test_presets_use_known_detectors_with_default_parameters_except_for_their_size() -> None:
    assert list(presets()) == ["counter", "default", "limits_only", "on_change"]
    for name, preset in presets().items():
        assert preset.description
        for detector in preset.detectors.given:
            assert getattr(preset.detectors, detector).given <= {"size"}, f"{name} changes {detector}"


def test_the_default_preset_catches_every_kind_of_fault_that_can_be_learned() -> None:
    detectors = configuration_of().rule_for("x").detectors
    learned = (each for name, each in DETECTORS.items() if name != "limits")
    assert set().union(*(each.catches for each in detectors)) == set().union(*(each.catches for each in learned))


def test_a_sensor_that_sends_only_changes_may_be_silent_and_constant() -> None:
    rule = configuration_of('[[rule]]\nsensors = "a"\npreset = "on_change"\n').rule_for("a")
    assert not {"missing", "flatline"} & {each.kind for each in rule.detectors}


def test_the_json_schema_describes_configurations() -> None:
    schema = configuration_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"input": [{"topic": "a"}]})
    assert not validator.is_valid({"input": []})
    assert not validator.is_valid({"input": [{"topic": "a", "qos": 3}]})
    assert not validator.is_valid({"input": [{"topic": "a"}], "broker": {"hots": "x"}})


def test_a_password_is_read_from_its_file_without_the_newline(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("geheim ß \r\n", "utf-8", newline="")
    text = f'{INPUT}[broker]\nusername = "me"\npassword_file = "secret"\n'
    broker = parse(text, folder=tmp_path).configuration.broker
    assert password_of(broker) == "geheim ß "
    (tmp_path / "secret").unlink()
    with pytest.raises(PasswordError, match="No such file"):
        password_of(broker)
    (tmp_path / "secret").write_bytes(b"\xff")
    with pytest.raises(PasswordError, match="not UTF-8"):
        password_of(broker)


def test_a_password_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = configuration_of('[broker]\nusername = "me"\npassword_env = "OUR_SECRET"\n').broker
    monkeypatch.setenv("OUR_SECRET", "geheim")
    assert password_of(broker) == "geheim"
    monkeypatch.delenv("OUR_SECRET")
    with pytest.raises(PasswordError, match="OUR_SECRET isn't set"):
        password_of(broker)
    assert password_of(configuration_of().broker) is None
