"""Well-being: the problems of a service in words, derived from its status file."""

from __future__ import annotations

from typing import Any

from edge.core.model.notation.quantities import counted, duration

STUCK_S = 60.0
"""Events that have waited longer than this with the broker connected are stuck."""

SETTLING_S = 60.0
"""Time after the start from which an input without messages is noted."""

MUCH = 10_000
"""Records that wait in Kafka to be read, beyond which it is worth a look."""


def problems_in(status: dict[str, Any], waiting_s: float | None) -> list[str]:
    """The problems, one sentence each; an empty list if the service is well.

    Args:
        status: The contents of its status file.
        waiting_s: How long the oldest event in its store has waited for delivery; None if none is waiting.
    """
    connections, health = status.get("connections", ()), status.get("health", {})
    problems = [
        f"not connected to {each['host']}:{each['port']} for {each['carries']}{_because(each)}"
        for each in _not_connected(status)
    ]
    if health.get("store_writable") is False:
        problems.append("the store can't be written")
    problems += [words for each in health.get("problems", ()) if (words := _in_words(each))]
    for each in connections:
        refused = each.get("refused_subscriptions") or {}
        problems += [f"the broker refuses the subscription to {topic}: {why}" for topic, why in refused.items()]
    can_get_out = any(each["connected"] for each in connections if "events" in each["carries"])
    if waiting_s is not None and waiting_s > STUCK_S and can_get_out:
        problems.append(f"events aren't delivered: the oldest has waited for {duration(waiting_s)}")
    return problems


def _notes_of_sinks(health: dict[str, Any]) -> list[str]:
    notes = []
    for name, each in health.get("sinks", {}).items():
        if each["set_aside"]:
            count = counted(each["set_aside"], "event")
            notes.append(f"the sink {name} has refused {count} for good since the start: {each['last_error']}")
        if each["lost"]:
            notes.append(f"limits have dropped {counted(each['lost'], 'event')} for the sink {name} since the start")
    return notes


def notes_on(status: dict[str, Any]) -> list[str]:
    """Notes: worth checking, but not necessarily a problem."""
    health = status.get("health", {})
    notes = []
    for each in status.get("connections", ()):
        if each.get("refused_publications"):
            count = counted(each["refused_publications"], "publication")
            notes.append(f"the broker has refused {count} since the start")
        if each.get("takeovers"):
            times = counted(each["takeovers"], "time")
            notes.append(f"another client with our client id has taken over the session {times} since the start")
    if health.get("uptime_s", 0.0) >= SETTLING_S and not _not_connected(status):
        notes += [
            f"nothing has arrived for the input {each['topic']}"
            for each in status.get("inputs", ())
            if not each["last"]
        ]
    if health.get("input_lag", 0) > MUCH:
        notes.append(f"{health['input_lag']:,} records wait in Kafka to be read")
    notes += [words for each in health.get("problems", ()) if (words := _lacking(each))]
    if health.get("dropped_qos0"):
        notes.append(f"{counted(health['dropped_qos0'], 'message')} of QoS 0 arrived too fast and were dropped")
    return notes + _shared_notes(status) + _behind_notes(status) + _notes_of_sinks(health) + _refused_notes(status)


def _shared_notes(status: dict[str, Any]) -> list[str]:
    """A sentence about the topics that several senders share, for each remedy that tells those apart."""
    shared = status.get("shared") or {"count": 0, "topics": []}
    by_remedy: dict[tuple[str, str], list[str]] = {}
    for each in shared["topics"]:
        by_remedy.setdefault((each["remedy"], each.get("unless_state", "")), []).append(each["topic"])
    notes = []
    for (remedy, state), topics in by_remedy.items():
        also = f" and {counted(len(topics) - 1, 'other topic')}" if topics[1:] else ""
        what = f"several senders share the topic {topics[0]}{also}, and their readings become the same sensors"
        what += f", unless {state} is a state" if state else ""
        notes.append(f"{what}: {remedy} of the input tells them apart")
    if (more := shared["count"] - len(shared["topics"])) > 0:
        notes.append(f"several senders share each of {counted(more, 'further topic')}")
    return notes


def _behind_notes(status: dict[str, Any]) -> list[str]:
    """A sentence about each topic whose times are behind their arrival, with what may be done about it."""
    behind = status.get("behind") or {"count": 0, "topics": []}
    notes = [
        f"the times of {each['topic']} are {duration(each['behind_s'])} behind their arrival, always by as much: "
        f"{each['remedy']}"
        for each in behind["topics"]
    ]
    if (more := behind["count"] - len(behind["topics"])) > 0:
        notes.append(f"so are those of {counted(more, 'further topic')}")
    return notes


def _not_connected(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [each for each in status.get("connections", ()) if not each["connected"]]


def _because(connection: dict[str, Any]) -> str:
    return f": {connection['trouble']}" if connection.get("trouble") else ""


def _in_words(problem: dict[str, Any]) -> str:
    """A sentence about a broker problem; refused subscriptions are listed with their connection."""
    kind = problem.get("problem")
    if kind == "publications_refused":
        also = f" and {problem['topics'] - 1} other topics" if problem["topics"] > 1 else ""
        return f"the broker refuses publications on {problem['topic']}{also}: {problem['reason']}"
    if kind == "delivery_unconfirmed":
        return "the broker acknowledges events, but our own status doesn't come back from it: see its access list"
    if kind in {"client_id_in_use", "gateway_name_in_use"}:
        return _of_another(problem)
    if kind == "broker_lacks" and problem["delays_events"]:
        return f"the broker has no {problem['what']}: {problem['effect']}"
    if kind == "sink_failing":
        return f"the sink {problem['sink']} gets no events: {problem['reason']}"
    return _of_the_clock(problem)


def _of_another(problem: dict[str, Any]) -> str:
    if problem["problem"] == "gateway_name_in_use":
        return f"another service, with the client id {problem['client_id']}, publishes as this gateway"
    uses = "uses" if problem.get("certain") else "may be using"
    return f"another client {uses} the id {problem['client_id']}"


def _lacking(problem: dict[str, Any]) -> str:
    """A sentence about what the broker lacks, unless that delays events."""
    if problem.get("problem") == "broker_lacks" and not problem["delays_events"]:
        return f"the broker has no {problem['what']}: {problem['effect']}"
    if problem.get("problem") == "subscription_weakened":
        return f"the broker sends {problem['filter']} with QoS 0 only: {problem['effect']}"
    return ""


def _of_the_clock(problem: dict[str, Any]) -> str:
    if problem.get("problem") == "clock_wrong":
        why = "it was never set" if problem["because"] == "unset" else "readings show that it is behind"
        return f"this machine's clock shows {problem['own']}, {why}; {problem['believed']} is used"
    if problem.get("problem") == "clock_doubted":
        return f"readings lie ahead of this machine's clock ({problem['own']}); {problem['held']} messages are held"
    return ""


def _refused_notes(status: dict[str, Any]) -> list[str]:
    health = status.get("health", {})
    refused = sum(each["count"] for each in status.get("refused", ()))
    taken = health.get("readings_taken", 0)
    if refused and refused >= taken:
        most = status["refused"][0]["reason"]
        return [f"more was refused ({refused:,}) than taken ({taken:,}), most of it as {most}"]
    return []
