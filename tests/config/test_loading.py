from __future__ import annotations

import pytest
from configurations import INPUT, faults_of
from hypothesis import given, settings
from hypothesis import strategies as st

from config.loading import parse
from config.problems import ConfigurationError, Problem

FAULTY = [
    ('port = "5"', "broker", "broker.port", 4, 'must be a whole number, is "5"'),
    ("port = 1883.0", "broker", "broker.port", 4, "must be a whole number, is 1883.0"),
    ("port = true", "broker", "broker.port", 4, "must be a whole number, is true"),
    ("port = 0", "broker", "broker.port", 4, "must be at least 1, is 0"),
    ("port = 65536", "broker", "broker.port", 4, "must be at most 65535, is 65536"),
    ("host = 5", "broker", "broker.host", 4, "must be a text in quotes, is 5"),
    ('host = ""', "broker", "broker.host", 4, "must not be empty"),
    ("embedded = 1", "broker", "broker.embedded", 4, "must be true or false, is 1"),
    (
        'host = "10.0.0.1"\nembedded = true',
        "broker",
        "broker.embedded",
        5,
        "needs a host of this machine such as 127.0.0.1, is 10.0.0.1",
    ),
    (
        'username = "me"\nembedded = true',
        "broker",
        "broker.embedded",
        5,
        "starts a broker without passwords and encryption: leave out username",
    ),
    ('version = "3.1"', "broker", "broker.version", 4, 'must be "auto", "3.1.1" or "5", is "3.1"'),
    ("version = 5", "broker", "broker.version", 4, 'must be "auto", "3.1.1" or "5", is 5'),
    ('password_file = "secret"', "broker", "broker.password_file", 4, "needs username too"),
    ('password_env = "SECRET"', "broker", "broker.password_env", 4, "needs username too"),
    (
        'username = "me"\npassword_file = "secret"\npassword_env = "SECRET"',
        "broker",
        "broker.password_env",
        6,
        "must not be given where password_file is",
    ),
    (
        'password = "hunter2"',
        "broker",
        "broker.password",
        4,
        "there is no such key; did you mean password_file?",
    ),
    ('key_file = "me.key"', "broker.tls", "broker.tls.key_file", 4, "needs certificate_file too"),
    (
        'certificate_file = "me.pem"',
        "broker.tls",
        "broker.tls",
        3,
        "must be given where certificate_file is",
    ),
    ("port = 1", "upstream", "upstream.host", 3, "must be given"),
    (
        'host = "a"\nembedded = true',
        "upstream",
        "upstream.embedded",
        5,
        "there is no such key",
    ),
    ('name = "a b"', "gateway", "gateway.name", 4, 'must be 1 to 64 letters, digits, - or _, is "a b"'),
    ('base = "a/#"', "gateway", "gateway.base", 4, "must not contain wildcards: the service publishes to it"),
    ('base = "/a"', "gateway", "gateway.base", 4, "must not have empty levels"),
    ('base = "$SYS/a"', "gateway", "gateway.base", 4, "must not begin with $"),
    ('base = "a/{name}"', "gateway", "gateway.base", 4, "may contain {gateway} and no other placeholder"),
    ("threshold = nan", "incidents", "incidents.threshold", 4, "must be"),
    ("clear_ratio = 0", "incidents", "incidents.clear_ratio", 4, "must be above 0, is 0"),
    (
        "false_alarms_per_sensor_per_day = inf",
        "incidents",
        "incidents.false_alarms_per_sensor_per_day",
        4,
        "must be a finite number, is inf",
    ),
    ("clear_after = 0", "incidents", "incidents.clear_after", 4, "must be at least 1, is 0"),
    ('level = "loud"', "log", "log.level", 4, 'must be "debug", "info", "warning" or "error", is "loud"'),
    ("earliest = 5", "limits", "limits.earliest", 4, "must be a day such as 2000-01-01, is 5"),
    ('earliest = "May"', "limits", "limits.earliest", 4, 'must be a day such as 2000-01-01, is "May"'),
    ("sensor = 5", "limits", "limits.sensor", 4, "there is no such key; did you mean sensors?"),
    ('path = ""', "store", "store.path", 4, "must be the path of a file"),
    ("path = 5", "store", "store.path", 4, "must be a text in quotes, is 5"),
    ('durability = "full"', "store", "store.durability", 4, 'must be "power" or "process", is "full"'),
]


@pytest.mark.parametrize(("text", "table", "key", "line", "message"), FAULTY)
def test_an_error_in_a_table_names_its_key_and_line(text: str, table: str, key: str, line: int, message: str) -> None:
    (fault,) = faults_of(f"{INPUT}[{table}]\n{text}\n")
    assert fault.line == line
    assert fault.key == key or (key == "broker.tls" and fault.key == "broker.tls.key_file")
    assert message in fault.message


def test_a_key_that_looks_like_a_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(f'{INPUT}[broker]\npassword = "hunter2"\n')
    assert "hunter2" not in str(caught.value)


INPUTS = [
    ('topic = "a/#/b"', "input[0].topic", 'may contain # only as its last level, is "a/#/b"'),
    ('topic = "a/b#"', "input[0].topic", 'may contain # only as its last level, is "a/b#"'),
    ('topic = "a+/b"', "input[0].topic", 'may contain + only as a whole level, is "a+/b"'),
    ('topic = ""', "input[0].topic", "must not be empty"),
    ('topic = "$share/g/a"', "input[0].topic", "must not begin with $"),
    ('topic = "a"\nsensor = "{1}"', "input[0].sensor", "asks for {1}, but the topic a has no wildcard"),
    ('topic = "a/+"\nsensor = "{2}"', "input[0].sensor", "asks for {2}, but the topic a/+ has one wildcard"),
    (
        'topic = "+/+/#"\nsensor = "{4}"',
        "input[0].sensor",
        "asks for {4}, but the topic +/+/# has 3 wildcards",
    ),
    ('topic = "+"\nsensor = "{0}"', "input[0].sensor", "knows no placeholder {0}"),
    ('topic = "+"\nsensor = "{device}"', "input[0].sensor", "knows no placeholder {device}"),
    ('topic = "+"\nsensor = "{1"', "input[0].sensor", "has a brace without its partner"),
    ('topic = "+"\nsensor = "a/+"', "input[0].sensor", "must not contain wildcards"),
    ('topic = "+"\nsensor = "{1}/"', "input[0].sensor", "must not have empty levels"),
    (
        'topic = "+"\nformat = "number"\nsensor = "{field}"',
        "input[0].sensor",
        "there is no {field} in a plain number",
    ),
    ('topic = "+"\nformat = "number"\nsensor = "{field}/{1}"', "input[0].sensor", "there is no {field}"),
    ('topic = "+"\nsensor = ""', "input[0].sensor", "must not be empty"),
    ('topic = "a"\nqos = 2', "input[0].qos", "must be 0 or 1, is 2"),
    ('topic = "a"\nzone = "Mars/North"', "input[0].zone", "isn't a time zone known to this machine"),
    ('topic = "a"\nzone = "../etc/passwd"', "input[0].zone", "isn't a time zone"),
    ('topic = "a"\nvalues = { ON = "1" }', "input[0].values.ON", 'must be a number, is "1"'),
    ('topic = "a"\nvalues = 5', "input[0].values", "must be a table, is 5"),
    ('topic = "a"\nignore = [""]', "input[0].ignore[0]", "must not be empty"),
    ('topic = "a"\nignore_topics = ["b/#"]', "input[0].ignore_topics[0]", "write * for one level"),
    ('topic = "a"\nitems = "values[0]"', "input[0].items", "must be [*]"),
    ('topic = "a"\nname = "{id}"', "input[0].name", "has no effect without items"),
    ('topic = "a"\nitems = "[*]"\nname = "x"', "input[0].name", "must hold a field"),
    ('topic = "a"\ntime_format = ["%Q"]', "input[0].time_format[0]", "isn't a time notation"),
    ('topic = "a"\nformat = "senml"\nunits = true', "input[0].units", "has no effect with format"),
    ('topic = "a"\nformat = "influx"\nsensor = "{payload.id}"', "input[0].sensor", "asks for {payload.id}"),
    ('topic = "a"\ndecimal = ";"', "input[0].decimal", "must be"),
    ('topic = "a"\ntime_keys = "t"', "input[0].time_keys", 'must be a list: write ["t"]'),
    ('topic = "a"\nno_value = -127', "input[0].no_value", "must be a list: write [-127]"),
    ('topic = "a"\nignore = {}', "input[0].ignore", "must be a list"),
    ('topic = "a"\ntime_keys = [1]', "input[0].time_keys[0]", "must be a text in quotes, is 1"),
    (
        'topic = "a"\nrepetition = "never"',
        "input[0].repetition",
        'must be "periodic", "on_change" or "full_repeat"',
    ),
    ('topic = "a"\nconvention = []', "input[0].convention", "must be a text in quotes, is a list"),
    ('topic = "a"\nno_value = [true]', "input[0].no_value[0]", "must be a number, is true"),
    ('topic = "a"\nno_value = [nan]', "input[0].no_value[0]", "must be a finite number, is nan"),
    (f'topic = "a"\ntime_format = {["%H"] * 11}', "input[0].time_format", "must have at most 10 elements, has 11"),
    (
        'topic = "a"\nformat = "number"\nvalue_key = "v"',
        "input[0].value_key",
        'has no effect with format = "number"',
    ),
]


@pytest.mark.parametrize(("text", "key", "message"), INPUTS)
def test_an_error_in_an_input_names_its_last_line(text: str, key: str, message: str) -> None:
    (fault,) = faults_of(f"[[input]]\n{text}\n")
    assert (fault.key, fault.line) == (key, 1 + len(text.splitlines()))
    assert message in fault.message


RULES = [
    ('sensors = "a/+"', "rule[0].sensors", 4, "is a glob on sensor names: write *"),
    ('sensors = ""', "rule[0].sensors", 4, "must not be empty; ** matches every sensor"),
    ('sensors = "***"', "rule[0].sensors", 4, "not ***"),
    ('unit = "x"', "rule[0].sensors", 3, "must be given"),
    ('sensors = "a"\npreset = "defualt"', "rule[0].preset", 5, "isn't a preset; did you mean default?"),
    (
        'sensors = "a"\npreset = "x"',
        "rule[0].preset",
        5,
        "isn't a preset; known are counter, default, limits_only, on_change",
    ),
    (
        'sensors = "a"\ndetectors.ewmaa.x = 1',
        "rule[0].detectors.ewmaa",
        5,
        "no such detector; did you mean ewma?",
    ),
    ('sensors = "a"\ndetectors.ewma = 5', "rule[0].detectors.ewma", 5, "must be a table, is 5"),
    ('sensors = "a"\ndetectors.limits.hihg = 5', "rule[0].detectors.limits.hihg", 5, "did you mean high?"),
    (
        'sensors = "a"\n[rule.detectors.limits]\nhigh = "5"',
        "rule[0].detectors.limits.high",
        6,
        "must be a number",
    ),
    (
        'sensors = "a"\n[rule.detectors.limits]\nhigh = nan',
        "rule[0].detectors.limits.high",
        6,
        "must be a finite",
    ),
    (
        'sensors = "a"\n[rule.detectors.limits]\nlow = 5\nhigh = 4',
        "rule[0].detectors.limits.high",
        7,
        "must be above low, which is 5; is 4",
    ),
    ('sensors = "a"\npeers = "b"', "rule[0].peers", 5, "must be a list"),
    ('sensors = "a"\npeers = 1', "rule[0].peers", 5, "must be true or false, is 1"),
    ('sensors = "a"\npeers = ["b", "c/+"]', "rule[0].peers[1]", 5, "write * for one level"),
    ('sensors = "a"\nlabels = { a = 1 }', "rule[0].labels.a", 5, "must be a text in quotes, is 1"),
    (
        'sensors = "a"\n[rule.incidents]\nclear_after = 0',
        "rule[0].incidents.clear_after",
        6,
        "must be at least 1",
    ),
]


@pytest.mark.parametrize(("text", "key", "line", "message"), RULES)
def test_an_error_in_a_rule_names_its_key_and_line(text: str, key: str, line: int, message: str) -> None:
    (fault,) = faults_of(f"{INPUT}[[rule]]\n{text}\n")
    assert (fault.key, fault.line) == (key, line)
    assert message in fault.message


WHOLE = [
    ("", "input", 1, "is missing: at least one [[input]] must define what to read"),
    ("input = []", "input", 1, "must not be empty: at least one [[input]]"),
    ('[input]\ntopic = "a"', "input", 1, "must be written with two brackets: [[input]]"),
    (f"{INPUT}[rule]\nsensors = 'a'", "rule", 3, "must be written with two brackets: [[rule]]"),
    (f"{INPUT}[forward]\nkind = 'kafka'", "forward", 3, "must be written with two brackets: [[forward]]"),
    (f"{INPUT}[[device]]\nsensors = ['+']", "device[0].sensors[0]", 4, "is a glob on sensor names"),
    (
        f"{INPUT}[[maintenance]]\nname = 'a'\nsensors = 'a'\nto = 'May'",
        "maintenance[0].to",
        6,
        'must be a time such as 2000-01-01T06:00:00, is "May"',
    ),
    (
        f"{INPUT}[[maintenance]]\nname = 'a'\nsensors = 'a'",
        "maintenance[0].to",
        3,
        "must be given if every isn't, and must not be given together with it",
    ),
    (f"{INPUT}[[broker]]\nport = 1", "broker", 3, "must be a table, is a list"),
    (f"broker = 5\n{INPUT}", "broker", 1, "must be a table, is 5"),
    (f"page = true\n{INPUT}", "page", 1, "must be a table, is true: an empty one is {}"),
    (f"[mqtt]\nhost = 'a'\n{INPUT}", "mqtt", 1, "there is no such key; did you mean broker?"),
    (f"{INPUT}[brokre]\nport = 1", "brokre", 3, "there is no such key; did you mean broker?"),
    (f"{INPUT}{INPUT}", "input[1].topic", 4, "stands in input[0] already"),
    (f'{INPUT}"a.b" = 1\n', 'input[0]."a.b"', 3, "there is no such key; known are"),
]


@pytest.mark.parametrize(("text", "key", "line", "message"), WHOLE)
def test_an_error_of_the_whole_file_names_its_key_and_line(text: str, key: str, line: int, message: str) -> None:
    (fault,) = faults_of(text)
    assert (fault.key, fault.line) == (key, line)
    assert message in fault.message


SYNTAX = [
    ("[gateway\nname = 1", 1),
    ("a = 1\nb = \nc = 3", 2),
    ('a = 1\nb = "never closed\n', 2),
    ("a = 1\nb = [1,\n", 2),
    ("a = '''\n\n", 2),
]


@pytest.mark.parametrize(("text", "line"), SYNTAX)
def test_a_syntax_error_names_its_line(text: str, line: int) -> None:
    (fault,) = faults_of(text)
    assert fault.key == ""
    assert fault.line == line
    assert fault.message.startswith("is not TOML: ")
    assert "(at " not in fault.message


@pytest.mark.parametrize(
    ("value", "correction"),
    [
        ("0,1", " the decimal separator is a point"),
        ("-3,5  # a comment", " the decimal separator is a point"),
        ("True", " it is written true"),
        ("plant/a", " a text is in quotes"),
        ("hunter2", " a text is in quotes"),  # nothing is repeated, as it may be a secret
        ('"C:\\data\\plant.db"', " a text with backslashes is in single quotes"),
        ("[1,", ""),
        ("", ""),
    ],
)
def test_a_usual_mistake_is_corrected(value: str, correction: str) -> None:
    (fault,) = faults_of(f"[gateway]\nname = {value}\n")
    assert fault.line == 2
    assert fault.message.partition(";")[2] == correction


def test_endlessly_nested_arrays_are_refused() -> None:
    (fault,) = faults_of("a = " + "[" * 20_000)
    assert "nested too deeply" in fault.message


def test_all_errors_are_reported_at_once_in_the_order_of_the_file() -> None:
    text = """\
[broker]
port = "1883"
[[input]]
topic = "a"
qos = 7
[[input]]
topic = "a"
[[rule]]
sensors = "x"
preset = "nothing"
[rule.detectors.limits]
high = "hot"
[log]
level = 3
"""
    assert [(each.line, each.key) for each in faults_of(text)] == [
        (2, "broker.port"),
        (5, "input[0].qos"),
        (7, "input[1].topic"),
        (10, "rule[0].preset"),
        (12, "rule[0].detectors.limits.high"),
        (14, "log.level"),
    ]


def test_an_error_looks_like_that_of_a_compiler() -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse(f"{INPUT}[broker]\nport = 0\n", "edgewarden.toml")
    assert str(caught.value) == "edgewarden.toml:4: broker.port: must be at least 1, is 0"


KEYS = st.sampled_from(
    [
        "input",
        "rule",
        "broker",
        "tls",
        "detectors",
        "ewma",
        "memory",
        "values",
        "topic",
        "sensors",
        "port",
        "store",
        "incidents",
        "enabled",
        "labels",
        "path",
        "limits",
        "earliest",
    ]
)
LEAVES = st.none() | st.booleans() | st.integers(-5, 70_000) | st.floats() | st.sampled_from(["", "a", "#", "{", "**"])
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_any_file_gives_a_configuration_or_a_list_of_problems(data: dict[str, object]) -> None:
    text = "".join(f"{key} = {toml(each)}\n" for key, each in data.items())
    problems = problems_in(text)
    assert problems is None or (problems and all(each.message for each in problems))


def problems_in(text: str) -> tuple[Problem, ...] | None:
    try:
        parse(text)
    except ConfigurationError as error:
        return error.problems
    return None


def toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}" = {toml(each)}' for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(each) for each in value) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else "0" if value is None else repr(value)


@pytest.mark.parametrize("text", ["no_value = [nan]", "no_value = [inf]", 'no_value = ["a"]', "no_value = 5"])
def test_an_error_value_of_a_rule_is_a_finite_number(text: str) -> None:
    (fault,) = faults_of(f'{INPUT}[[rule]]\nsensors = "a"\n{text}\n')
    assert fault.key.startswith("rule[0].no_value")


def test_error_values_may_be_numbers_in_any_format_and_texts_in_formats_with_texts() -> None:
    table = '[[input]]\ntopic = "a"\nformat = "influx"\n'
    assert parse(f"{table}no_value = [-200, 85]\n").configuration.inputs[0].no_value == (-200.0, 85.0)
    (fault,) = faults_of(f'{table}no_value = ["off"]\n')
    assert fault.key == "input[0].no_value"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("[page]\n\n[page]\n", 3, "the table [page] is there a second time: put its keys below the first one"),
        ("[a.b]\n[a.b]\n", 2, "the table [a.b] is there a second time: put its keys below the first one"),
        ("[broker]\nport = 1\nport = 2\n", 3, "this key or table is there a second time: leave one of them out"),
    ],
)
def test_a_table_or_key_that_is_there_twice_is_named(text: str, line: int, words: str) -> None:
    assert [(each.line, each.message) for each in faults_of(text)] == [(line, words)]
