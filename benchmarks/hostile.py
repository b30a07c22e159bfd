"""The memory and time that hostile senders can cost: `python benchmarks/hostile.py`.

Memory: resident MiB of a core before and after floods of long keys, long topics, and payloads that never repeat. Time:
payloads designed to be slow, of 32 KiB and of four times that size; a linear decoder takes about four times as long.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from processes import resident_mib

from config.loading import parse
from edge.core.intake.decoders import FieldsDecoder
from edge.core.model.readings.messages import Message, Refused
from edge.core.pipeline import Pipeline
from edge.shell.service.assembly.parts import make_pipeline

CONFIGURATION = '[[input]]\ntopic = "#"\n'
SMALL = 2**15
GROWTH = 4


def long_keys() -> Iterator[Message]:
    """12,000 refused messages, each with one unique key of 16,000 characters."""
    for number in range(12_000):
        yield Message("a/b", json.dumps({f"{number}{'k' * 16_000}": "x"}).encode(), 1.7e9 + number)


def very_long_keys() -> Iterator[Message]:
    """The same with keys of 60,000 characters."""
    for number in range(12_000):
        yield Message("a/b", json.dumps({f"{number}{'k' * 60_000}": "x"}).encode(), 1.7e9 + number)


def long_topics() -> Iterator[Message]:
    """Messages on 60,000 topics of 512 bytes."""
    for number in range(60_000):
        yield Message(f"{number:06}/{'t' * 505}", b'{"a": "x"}', 1.7e9 + number)


def many_shapes() -> Iterator[Message]:
    """60,000 payloads with ten keys each, all different."""
    for number in range(60_000):
        fields = {f"{number}-{each}": "x" for each in range(10)}
        yield Message("a/b", json.dumps(fields).encode(), 1.7e9 + number)


def many_keys(size: int) -> bytes:
    """One object with as many keys as fit."""
    return json.dumps({f"k{each}": each for each in range(size // 14)}).encode()


def nested(size: int) -> bytes:
    """Nested lists."""
    return b"[" * (size // 2) + b"]" * (size // 2)


def many_objects(size: int) -> bytes:
    """Small objects, each with different keys."""
    return json.dumps([{f"k{each}": 1} for each in range(size // 14)]).encode()


def escapes(size: int) -> bytes:
    """A text full of escapes, and an invalid number, which causes a second parse."""
    return b'{"a": "' + b'\\"' * (size // 2) + b'", "b": NaN}'


def digits(size: int) -> bytes:
    """A number with many digits."""
    return b'{"a": 1' + b"0" * size + b"}"


def quotes(size: int) -> bytes:
    """Unterminated strings."""
    return b'{"a": NaN, ' + b'"\\' * (size // 2)


def slashes(size: int) -> bytes:
    """A key full of separators."""
    return b'{"' + b"/" * size + b'": 1}'


def bad_times(size: int) -> bytes:
    """Objects with unreadable times."""
    return json.dumps([{"ts": f"not a time {each}", "value": 1} for each in range(size // 40)]).encode()


FLOODS: tuple[Callable[[], Iterator[Message]], ...] = (long_keys, very_long_keys, long_topics, many_shapes)
PAYLOADS = (many_keys, nested, many_objects, escapes, digits, quotes, slashes, bad_times)


def flood(pipeline: Pipeline, messages: Iterator[Message]) -> None:
    """Process messages, a hundred per step."""
    step: list[Message] = []
    for message in messages:
        step.append(message)
        if len(step) == 100:
            pipeline.process(step)
            step = []
    pipeline.process(step)


def seconds(payload: bytes) -> float:
    """Seconds to decode a payload, the best of five runs."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        with suppress(Refused):
            FieldsDecoder().decode(payload)
        best = min(best, time.process_time() - began)
    return best


def main() -> int:
    """Measure, and return 1 if memory grew by more than 64 MiB, or time by more than three times the growth in size."""
    failed = False
    print(f"{'flood':18}{'before MiB':>12}{'after MiB':>12}")
    for each in FLOODS:
        pid = os.fork()
        if pid == 0:
            pipeline = make_pipeline(parse(CONFIGURATION).configuration)
            before = resident_mib(os.getpid())
            flood(pipeline, each())
            gc.collect()
            after = resident_mib(os.getpid())
            print(f"{each.__name__:18}{before:12.0f}{after:12.0f}", flush=True)
            os._exit(after - before > 64)
        failed |= os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0
    print(f"{'payload':18}{'32 KiB, ms':>12}{'128 KiB, ms':>12}{'ratio':>8}")
    for make in PAYLOADS:
        small, large = seconds(make(SMALL)), seconds(make(GROWTH * SMALL))
        print(f"{make.__name__:18}{1e3 * small:12.2f}{1e3 * large:12.2f}{large / small:8.1f}")
        failed |= large > 0.005 and large / small > 3 * GROWTH
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
