from __future__ import annotations

import pytest

from config.gateway_topics import GatewayTopics


@pytest.mark.parametrize(
    ("base", "topic", "is_one"),
    [
        ("edgewarden/{gateway}", "edgewarden/gw2/health", True),
        ("edgewarden/{gateway}", "edgewarden/gw2/anomaly/line1/pump", True),
        ("edgewarden/{gateway}", "edgewarden/gw2/anomaly", False),
        ("edgewarden/{gateway}", "edgewarden/gw2/temperature", False),
        ("edgewarden/{gateway}", "edgewarden/a b/health", False),
        ("edgewarden/{gateway}", "edgewarden/x/gw2/health", False),
        ("site/{gateway}/watch", "site/gw2/watch/state/pump", True),
        ("site/{gateway}/watch", "site/gw2/health", False),
        ("site/{gateway}/watch", "edgewarden/gw2/health", True),
        ("site/gw-{gateway}", "site/gw-2/open", True),
        ("site/gw-{gateway}", "site/pump/open", False),
        ("site/gw/watch", "site/gw2/watch/open", True),
        ("site/fixed", "site/other/open", False),
        ("{gateway}", "gw2/status", True),
        ("a.b/{gateway}", "axb/gw2/status", False),
    ],
)
def test_topics_of_gateways_are_recognised(base: str, topic: str, is_one: bool) -> None:
    assert GatewayTopics(base, "gw").has(topic) == is_one


@pytest.mark.parametrize(
    ("wanted", "asks"),
    [
        ("#", False),
        ("+/+/health", False),
        ("+/gw2/health", False),
        ("edgewarden/#", False),
        ("edgewarden/+/#", False),
        ("edgewarden/+/+", False),
        ("edgewarden/gw2/#", True),
        ("edgewarden/gw2/+", True),
        ("edgewarden/+/health", True),
        ("edgewarden/+/anomaly/#", True),
        ("edgewarden/gw2/health", True),
        ("edgewarden/gw2", False),
    ],
)
def test_a_filter_requests_them_only_by_name(wanted: str, asks: bool) -> None:
    topics = GatewayTopics("edgewarden/{gateway}", "gw")
    assert topics.asks(wanted.split("/")) == asks
    assert topics.asks(wanted.split("/"), "edgewarden/gw2/health") == asks


def test_the_home_assistant_messages_of_gateways_are_gateway_topics_and_never_requested_by_a_filter() -> None:
    topics = GatewayTopics("edgewarden/{gateway}", "gw", "ha/here")
    told = "ha/here/device/edgewarden_gw2_pump_temp_0123456789ab/config"
    assert topics.has(told)
    assert not topics.asks(told.split("/"), told)
    assert not topics.has("ha/here/device/zigbee_lamp/config")
    assert not topics.has("homeassistant/device/edgewarden_gw2/config")
