"""The page with the real command, a real broker, and an HTTP client."""

from __future__ import annotations

import json
import re
import signal
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urljoin

import pytest
from page_client import PageClient, page_host
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from running import Consumer, RunningService, configuration, wait_until

from edge.page.access.passwords import write_password
from edge.shell.activity.figures import FIGURES, NO_FIGURES
from edge.shell.broker.embedded import EmbeddedBroker

pytestmark = pytest.mark.long

MakeService = Callable[[str], RunningService]
SENSOR = "plant/pump/temp"
BEGAN = time.time() - 3600
IPV6 = Path("/proc/net/if_inet6").exists()
HOSTILE = "plant/<img src=x onerror=alert(1)>\"'\u202e"


def reading(index: int, value: float) -> str:
    return json.dumps({"ts": BEGAN + 10 * index, "value": value})


NORMAL = [reading(index, 20 + index % 5 / 10) for index in range(200)]


@pytest.fixture
def service(make_service: MakeService, own_mosquitto: EmbeddedBroker, consumer: Consumer) -> RunningService:
    made = make_service(configuration(own_mosquitto.port, page="port = 0")).start()
    wait_until(lambda: (consumer.latest("/status") or {}).get("state") == "online", what="the service's start")
    return made


@pytest.fixture
def page(service: RunningService) -> PageClient:
    return PageClient(page_host(service))


def spike(consumer: Consumer, sensor: str = SENSOR) -> None:
    consumer.publish_all(sensor, [*NORMAL, reading(200, 99.0)])


def open_incidents(page: PageClient) -> list[dict[str, object]]:
    return page.get("/api/incidents").json["rows"]


@pytest.mark.long
def test_an_incident_appears_on_an_open_page_and_in_the_list_with_its_sentence(
    page: PageClient, consumer: Consumer
) -> None:
    with page.stream() as stream:
        stream.wait("hello")
        spike(consumer)
        told = stream.wait("incidents", lambda data: bool(data["rows"]))
    assert told["open"] == 1
    row = open_incidents(page)[0]
    assert row["sensor"] == SENSOR
    assert str(row["sentence"]).startswith(SENSOR)
    assert row["recent"][-1][1] == 99.0


@pytest.mark.long
def test_a_button_acts_like_the_command_and_its_result_is_published(page: PageClient, consumer: Consumer) -> None:
    spike(consumer)
    row = wait_until(lambda: open_incidents(page), what="the incident")[0]
    sentence = row["sentence"]
    answer = page.say("acknowledge", incident=row["incident"], by="ada")
    assert (answer.status, answer.json["ok"], answer.json["incidents"]) == (200, True, [row["incident"]])
    seen = wait_until(lambda: [each for each in consumer.events() if each["data"]["acknowledged"]], what="the event")
    event = seen[0]
    assert (event["data"]["transition"], event["data"]["by"]) == ("acknowledged", "ada")
    wait_until(
        lambda: (consumer.latest("/result") or {}).get("command") == "acknowledge", what="the answer on its topic"
    )
    shown = open_incidents(page)[0]
    assert (shown["acknowledged"], shown["sentence"]) == (True, sentence)


@pytest.mark.long
def test_the_effect_of_a_button_survives_a_kill(page: PageClient, service: RunningService, consumer: Consumer) -> None:
    spike(consumer)
    row = wait_until(lambda: open_incidents(page), what="the incident")[0]
    assert page.say("shelve", sensor=SENSOR, until="8h").json["ok"]
    assert page.say("acknowledge", incident=row["incident"]).json["ok"]
    service.end(signal.SIGKILL)
    service.log.unlink()
    service.start()
    again = PageClient(page_host(service))
    wait_until(lambda: again.get("/api/incidents").status == 200, what="the restart")
    found = open_incidents(again)[0]
    assert (found["acknowledged"], found["shelved"]) == (True, True)
    assert [each["sensor"] for each in again.get("/api/shelved").json["shelved"]] == [SENSOR]


def test_a_refused_command_gives_the_reason(page: PageClient) -> None:
    answer = page.say("acknowledge", incident="nobody")
    assert (answer.status, answer.json["reason"]) == (409, "no_open_incident")
    assert page.say("format_disk").status == 400
    assert page.post("/api/command", {"command": "shelve"}).status == 400


def test_commands_over_mqtt_are_ignored_where_only_the_page_may_give_them(page: PageClient, consumer: Consumer) -> None:
    spike(consumer)
    wait_until(lambda: open_incidents(page), what="the incident")
    consumer.publish("edgewarden/gw/command/acknowledge", json.dumps({"sensor": "**"}))
    assert page.say("shelve", sensor="nobody", until="1h").json["ok"]
    assert "acknowledged" not in open_incidents(page)[0]


@pytest.mark.skipif(not IPV6, reason="no IPv6 on this machine")
def test_over_ipv6_it_is_the_same_page(make_service: MakeService, own_mosquitto: EmbeddedBroker) -> None:
    service = make_service(configuration(own_mosquitto.port, page='port = 0\nbind = "::1"')).start()
    page = PageClient(page_host(service))
    assert page.host.startswith("[::1]:")
    assert page.get("/api/incidents").json["rows"] == []
    assert page.say("acknowledge", incident="nobody").status == 409
    assert page.post("/api/command", {}, Origin="http://[::2]").status == 403


def test_cross_origin_posts_are_refused(page: PageClient) -> None:
    said = {"command": "shelve", "said": {"sensor": "**", "until": "8h"}}
    assert page.post("/api/command", said, Origin="http://evil.example").status == 403
    assert page.post("/api/command", said, Origin="null").status == 403
    assert page.post("/api/command", said, Content_Type="text/plain").status == 403
    assert page.ask("POST", "/api/command", json.dumps(said).encode(), Content_Type="application/json").status == 403
    assert page.get("/api/shelved").json["shelved"] == []


def test_a_foreign_host_name_that_points_here_gets_nothing(page: PageClient) -> None:
    assert page.get("/api/incidents", Host="evil.example").status == 403
    assert page.get("/", Host="localhost:80").status == 200


def test_a_body_that_is_too_large_is_refused(page: PageClient) -> None:
    assert page.post("/api/command", {"command": "shelve", "said": {"comment": "x" * 9000}}).status == 403


def test_every_answer_forbids_foreign_scripts_and_caching(page: PageClient) -> None:
    for path in ("/", "/api/incidents", "/assets/app.js", "/nothing"):
        headers = page.get(path).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self';"), path
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] in {"no-store", "no-cache"}


def test_a_browser_that_has_a_file_in_its_cache_does_not_get_it_again(page: PageClient) -> None:
    first = page.get("/assets/page.css")
    assert (first.status, first.headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert page.get("/assets/page.css", If_None_Match=first.headers["etag"]).status == 304
    for odd in ("..%2fapp.py", "views", "views/", "views/../dom.js", "views/nothing.js", "//etc/passwd"):
        assert page.get(f"/assets/{odd}").status == 404, odd


def test_every_file_that_the_page_requests_exists(page: PageClient) -> None:
    paths = re.findall(r'(?:href|src)="(assets/[^"]+)"', page.get("/").body.decode())
    assert "assets/views/incidents.js" in paths
    for path in paths:
        found = page.get(f"/{path}")
        assert (found.status, found.headers["content-type"].partition("/")[0]) != (404, "application"), path
        for script in re.findall(r'from "(\.\.?/[^"]+)"', found.body.decode()):
            assert page.get(urljoin(f"/{path}", script)).status == 200, (path, script)


@pytest.mark.long
def test_the_page_of_a_sensor_has_its_facts_its_past_and_new_readings(page: PageClient, consumer: Consumer) -> None:
    spike(consumer)
    wait_until(lambda: open_incidents(page), what="the incident")
    found = page.get(f"/api/sensor?name={SENSOR}").json
    assert (found["value"], found["readings"], found["learned"]) == (99.0, 201, "fixed")
    assert [each["ended"] for each in found["past"]] == [None]
    first = page.get(f"/api/series?name={SENSOR}&hours=24").json
    assert (first["readings"], len(first["plot"]["runs"][0]["t"]), first["more"]) == (201, 201, True)
    assert len(first["plot"]["runs"][0]["incidents"]) == 1
    scored = page.get(f"/api/series?name={SENSOR}&hours=24&scored=1").json
    assert scored["plot"]["runs"][0]["score"][-1] > 6
    assert scored["plot"]["runs"][0]["upper"][-2] < 99
    with page.stream(SENSOR) as stream:
        stream.wait("hello")
        consumer.publish(SENSOR, reading(201, 20.0))
        told = stream.wait("readings")
    assert (told["sensor"], told["rows"][0][1]) == (SENSOR, 20.0)
    assert page.get("/api/sensor?name=nobody").status == 404


def test_sensors_are_found_by_name_and_state(page: PageClient, consumer: Consumer) -> None:
    spike(consumer)
    consumer.publish("plant/other/temp", reading(0, 1.0))
    wait_until(lambda: page.get("/api/sensors").json["found"] == 2, what="both sensors")
    assert [each["state"] for each in page.get("/api/sensors?order=state").json["rows"]] == ["open", "ok"]
    assert [each["sensor"] for each in page.get("/api/sensors?find=OTHER").json["rows"]] == ["plant/other/temp"]
    assert page.get("/api/sensors?state=open").json["found"] == 1
    assert page.get("/api/sensors?state=odd").status == 400


def test_history_is_searched_by_words_kinds_and_times(page: PageClient, consumer: Consumer) -> None:
    spike(consumer)
    row = wait_until(lambda: open_incidents(page), what="the incident")[0]
    found = page.get("/api/history?find=PUMP").json["rows"]
    assert [each["incident"] for each in found] == [row["incident"]]
    for query in ("find=nothing", "kind=missing", f"until={1000 * BEGAN:.0f}", f"before={found[0]['sequence']}"):
        assert page.get(f"/api/history?{query}").json["rows"] == [], query
    assert page.get("/api/history?since=yesterday").status == 400


@pytest.mark.long
def test_refused_input_is_shown_with_its_reason(page: PageClient, consumer: Consumer) -> None:
    consumer.publish("plant/odd", "{")
    letter = wait_until(lambda: page.get("/api/refused").json["letters"], what="the dead letter")[0]
    found = wait_until(lambda: [each for each in page.get("/api/refused").json["reasons"] if "topic" in each])[0]
    assert (found["reason"], found["topic"]) == ("malformed", "plant/odd")
    assert (letter["beginning"], letter["size"]) == ("{", 1)


@pytest.mark.long
def test_a_page_is_notified_of_a_restart_and_of_its_end(page: PageClient, service: RunningService) -> None:
    with page.stream() as stream:
        stream.wait("hello")
        assert service.end() == 0
        wait_until(lambda: stream.ended, what="the stream's end")


@pytest.mark.long
def test_another_configuration_keeps_the_page_at_its_address(
    page: PageClient, service: RunningService, consumer: Consumer
) -> None:
    with page.stream(SENSOR) as stream:
        stream.wait("hello")
        text = service.path.read_text().replace("clear_after = 3", "clear_after = 4").replace("port = 0", "port = 1")
        service.path.write_text(text)
        assert service.process is not None
        service.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "reloaded changed=true" in service.log.read_text(), what="the reload")
        assert "not_changed key=page" in service.log.read_text()
        consumer.publish_all(SENSOR, NORMAL[:3])
        assert stream.wait("readings")["sensor"] == SENSOR
    assert page.get("/api/sensors").json["found"] == 1


def test_a_port_in_use_is_a_configuration_error(
    page: PageClient, make_service: MakeService, own_mosquitto: EmbeddedBroker, service: RunningService
) -> None:
    other = RunningService(service.folder.parent / service.folder.name, "")
    other.path = service.folder / "other.toml"
    port = page.host.rpartition(":")[2]
    other.path.write_text(configuration(own_mosquitto.port, page=f"port = {port}", store='path = "other.db"'))
    other.log = service.folder / "other.log"
    assert other.start().process is not None
    assert other.process is not None
    assert other.process.wait(60) == 2
    assert "page.port: 127.0.0.1:" in other.log.read_text()
    assert not (service.folder / "other.db").exists()


@pytest.mark.long
def test_the_metrics_equal_the_figures_of_the_health_topic(page: PageClient, consumer: Consumer) -> None:
    spike(consumer)
    health = wait_until(lambda: (found := consumer.latest("/health")) and found["readings_taken"] == 201 and found)
    answer = page.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    found = {each.name: each for each in text_string_to_metric_families(answer.body.decode())}
    figures = [each for each in FIGURES if each.key != "input_lag"]  # which only Kafka tells
    assert health.keys() == {each.key for each in figures} | NO_FIGURES
    for figure in figures:
        family = found[f"edgewarden_{figure.name}"]
        assert (family.type, family.documentation) == (figure.kind, figure.help)
        ending = "_total" if figure.kind == "counter" else ""
        assert {each.name for each in family.samples} <= {f"edgewarden_{figure.name}{ending}"}
    assert found["edgewarden_readings_taken"].samples[0].value == 201
    assert found["edgewarden_connected"].samples[0].labels == {"carries": "readings and events"}
    assert SENSOR not in answer.body.decode()


def test_a_container_health_check_gets_the_health_of_the_service(
    page: PageClient, own_mosquitto: EmbeddedBroker, consumer: Consumer
) -> None:
    wait_until(lambda: page.get("/health").status == 200, what="being well")
    assert page.get("/health").json == {"well": True}
    own_mosquitto.stop()
    wait_until(lambda: page.get("/health").status == 503, what="being unwell")
    assert page.get("/health/live").status == 200
    assert any("not connected" in each for each in page.get("/api/status").json["problems"])


@pytest.fixture
def locked(make_service: MakeService, own_mosquitto: EmbeddedBroker, tmp_path: Path) -> PageClient:
    """The page of a service with passwords for both roles."""
    write_password(tmp_path / "passwords", "operator", "correct horse")
    write_password(tmp_path / "passwords", "viewer", "battery staple")
    table = 'port = 0\nbind = "0.0.0.0"\npassword_file = "passwords"'
    host = page_host(make_service(configuration(own_mosquitto.port, page=table)).start())
    return PageClient(f"127.0.0.1:{host.rpartition(':')[2]}")


def test_with_a_password_nothing_is_shown_before_the_log_in(locked: PageClient) -> None:
    for path in (
        "incidents",
        "sensors",
        "sensor?name=a",
        "series?name=a",
        "history",
        "refused",
        "status",
        "shelved",
        "stream",
    ):
        assert locked.get(f"/api/{path}").status == 401, path
    assert locked.say("shelve", sensor="**", until="1h").status == 401
    assert locked.get("/metrics").status == 401
    assert locked.get("/api/session").json == {"role": None, "passwords": True, "gateway": ""}
    assert locked.get("/health").status in {200, 503}


def test_the_viewer_may_look_and_the_operator_may_act(locked: PageClient) -> None:
    assert locked.post("/api/login", {"password": "battery staple"}).json == {"role": "viewer"}
    assert locked.get("/api/incidents").status == 200
    assert locked.say("shelve", sensor="a", until="1h").status == 403
    answer = locked.post("/api/login", {"password": "correct horse"})
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert wait_until(lambda: locked.say("shelve", sensor="a", until="1h").status == 200)
    assert locked.post("/api/logout", {}).status == 200
    assert locked.get("/api/incidents").status == 401


def test_guessing_is_slowed_down(locked: PageClient) -> None:
    answers = [locked.post("/api/login", {"password": f"guess {number}"}) for number in range(6)]
    assert [each.status for each in answers] == [403] * 5 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 61
    assert locked.post("/api/login", {"password": "correct horse"}).status == 429


def test_a_collector_logs_in_with_basic_authentication(locked: PageClient) -> None:
    def basic(name: str, password: str) -> str:
        return f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"

    assert locked.get("/metrics", Authorization=basic("viewer", "battery staple")).status == 200
    assert locked.get("/metrics", Authorization=basic("operator", "battery staple")).status == 401
    assert locked.get("/metrics", Authorization="Basic ???").status == 401
    assert locked.get("/api/incidents", Authorization=basic("viewer", "battery staple")).status == 401
