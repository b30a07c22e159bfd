"""The table `[homeassistant]`."""

from __future__ import annotations

import pytest

from config.loading import parse
from config.problems import ConfigurationError
from config.tables.homeassistant import HomeAssistantTable


def table(lines: str) -> HomeAssistantTable:
    found = parse(f'[[input]]\ntopic = "#"\n[homeassistant]\n{lines}\n').configuration.homeassistant
    assert found is not None
    return found


def test_without_the_table_nothing_is_published_for_home_assistant_and_an_empty_table_is_enough() -> None:
    assert parse('[[input]]\ntopic = "#"\n').configuration.homeassistant is None
    assert (table("").enabled, table("").hears) == (True, "homeassistant/status")


def test_the_birth_topic_follows_the_prefix_unless_it_is_set() -> None:
    assert table('prefix = "ha"').hears == "ha/status"
    assert table('prefix = "ha"\nbirth_topic = "hass/here"').hears == "hass/here"


@pytest.mark.parametrize(
    ("lines", "key", "words"),
    [
        ('prefix = "ha/#"', "prefix", "wildcard"),
        ('prefix = ""', "prefix", "must not be empty"),
        ('birth_topic = "a/+"', "birth_topic", "wildcard"),
        ("sensors = []", "sensors", "must not be empty"),
        ("most_sensors = -1", "most_sensors", "0"),
        ('url = "gateway.local"', "url", "http://"),
        ('url = "http://me:secret@gateway.local"', "url", "must not contain a user"),
        ('names = "x"', "names", "there is no such key"),
    ],
)
def test_mistakes_are_reported_with_their_key(lines: str, key: str, words: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        table(lines)
    text = str(raised.value)
    assert f"homeassistant.{key}" in text
    assert words in text
    assert "secret" not in text
