"""amqtt as a separate process: `python amqtt_process.py HOST PORT`.

Only suitable for a first try. Whatever the session, amqtt keeps no messages for a disconnected client, doesn't
redeliver unacknowledged messages, and loses everything when it stops. (For clients that aren't anonymous it would keep
messages, but then others were seen to receive them too.)
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys

from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType

KEEPALIVE_GRACE_S = 60
"""Added to a client's keepalive: amqtt ends a connection after one keepalive, MQTT specifies one and a half."""


async def serve(host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    configuration = BrokerConfig(
        listeners={"default": ListenerConfig(type=ListenerType.TCP, bind=f"{host}:{port}")},
        timeout_disconnect_delay=KEEPALIVE_GRACE_S,
        plugins={"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    )
    broker = Broker(configuration)
    ended = asyncio.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, ended.set)
    await broker.start()
    await ended.wait()
    await broker.shutdown()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
