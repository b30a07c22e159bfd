"""The payload formats that an input may name."""

from __future__ import annotations

import sys
from typing import get_args, get_type_hints

import pytest
from configurations import faults_of

from config.loading import parse
from config.schema import LimitsTable
from config.tables.inputs import NEED_CBOR, Input
from edge.commands.explanation import inputs
from edge.commands.explanation.samples import sample_of
from edge.core.intake.decoders import DECODERS, SparkplugDecoder
from edge.core.intake.decoders.recognition.looks_like import FORMATS
from edge.shell.service.assembly.decoders import decoder_of


def input_of(keys: str) -> Input:
    sensor = "a/{field}" if "sparkplug" in keys else "{topic}"
    return parse(f'[[input]]\ntopic = "a"\nsensor = "{sensor}"\n{keys}\n', "test").configuration.inputs[0]


def test_every_decoder_can_be_configured_and_has_a_readable_name() -> None:
    assert (
        set(get_args(get_args(get_type_hints(Input, include_extras=True)["format"])[0]))
        == DECODERS.keys()
        == FORMATS.keys()
    )


@pytest.mark.parametrize("name", DECODERS)
def test_a_format_gives_its_decoder_with_the_options_of_its_input(name: str) -> None:
    given = input_of(f'format = "{name}"\nvalues = {{ ON = 1 }}')
    decoder = decoder_of(given, LimitsTable(readings_per_message=7, depth=3))
    assert type(decoder) is DECODERS[name]
    assert decoder.values == {"ON": 1.0}
    assert getattr(decoder, "readings", 7) == 7
    assert getattr(decoder, "depth", 3) == 3


@pytest.mark.parametrize("name", DECODERS)
def test_check_explains_every_format(name: str) -> None:
    given = input_of(f'format = "{name}"')
    assert inputs._input(given).startswith(f"a: {inputs._FORMATS[name]}")
    whole = "a/plant1/node1/device1/temperature"
    assert sample_of(given)[::2] == ("a", whole if name == "sparkplug" else "a")


@pytest.mark.parametrize("name", sorted(NEED_CBOR))
def test_a_format_whose_package_is_missing_explains_how_to_install_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cbor2", None)
    (fault,) = faults_of(f'[[input]]\ntopic = "a"\nsensor = "{{topic}}"\nformat = "{name}"\n')
    assert fault.key == "input[0].format"
    assert fault.message == f"needs a package for {name}: pip install 'edgewarden[cbor]'"
    assert input_of('format = "json"').format == "json"


def test_only_line_protocol_has_a_precision() -> None:
    assert decoder_of(input_of('format = "influx"\nprecision = "ms"'), LimitsTable()).precision == "ms"
    (fault,) = faults_of('[[input]]\ntopic = "a"\nprecision = "ms"\n')
    assert (fault.key, fault.message) == ("input[0].precision", 'has no effect without format = "influx"')


def test_a_precision_changes_the_meaning_of_readings_and_affects_no_other_input() -> None:
    assert "precision" not in input_of('format = "json"').decisive()
    assert input_of('format = "influx"\nprecision = "ms"').decisive()["precision"] == "ms"
    assert "qos" not in input_of('format = "influx"').decisive()


def test_only_sparkplug_has_requests_to_nodes() -> None:
    decoder = decoder_of(input_of('format = "sparkplug"\nrebirth = false\ngap_s = 2\nignore = ["a/**"]'), LimitsTable())
    assert isinstance(decoder, SparkplugDecoder)
    assert (decoder.rebirth, decoder.gap_s, decoder.ignored.fits("a/b")) == (False, 2.0, True)
    for key in ("rebirth = false", "gap_s = 2.0"):
        (fault,) = faults_of(f'[[input]]\ntopic = "a"\n{key}\n')
        assert fault.message == 'has no effect without format = "sparkplug"'


@pytest.mark.parametrize("sensor", ["{topic}/{field}", "{1}/{field}", "{payload.id}/{field}", "{1}"])
def test_a_template_that_would_separate_births_from_data_is_an_error(sensor: str) -> None:
    (fault,) = faults_of(f'[[input]]\ntopic = "spBv1.0/#"\nformat = "sparkplug"\nsensor = "{sensor}"\n')
    assert fault.key == "input[0].sensor"
    assert "{field} is the whole name" in fault.message


@pytest.mark.parametrize("name", ["number", "senml", "senml-cbor", "influx"])
@pytest.mark.parametrize("key", ['value_key = "v"', 'time_keys = ["t"]'])
def test_fields_can_be_selected_only_where_the_format_allows_it(name: str, key: str) -> None:
    (fault,) = faults_of(f'[[input]]\ntopic = "a"\nsensor = "{{topic}}"\nformat = "{name}"\n{key}\n')
    assert fault.message.startswith(f'has no effect with format = "{name}": ')
