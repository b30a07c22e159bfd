"""Receivers of sinks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from http_receivers import WebhookReceiver


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    """A web server that records what it gets."""
    made = WebhookReceiver()
    made.start()
    yield made
    made.close()
