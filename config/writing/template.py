"""The initial configuration file of a new installation."""

from __future__ import annotations

from importlib.resources import files

from config.writing.toml_text import toml_text

GATEWAY = "gateway"
HOST = "127.0.0.1"
PORT = 1883
TOPIC = "#"
STORE = "edgewarden.db"


def template(gateway: str = GATEWAY, host: str = HOST, port: int = PORT, topic: str = TOPIC, store: str = STORE) -> str:
    """The commented configuration file, with some values filled in.

    Args:
        gateway: Name of the gateway.
        host: Name or address of the broker.
        port: Its TCP port.
        topic: Topic filter of the first input.
        store: The store's file.

    Returns:
        TOML. It contains the given values, even if `parse()` then refuses them.
    """
    text = files("config.writing").joinpath("edgewarden.toml").read_text("utf-8")
    for key, shown, value in (
        ("name", GATEWAY, gateway),
        ("host", HOST, host),
        ("topic", TOPIC, topic),
        ("path", STORE, store),
    ):
        if value != shown:
            text = text.replace(f'\n{key} = "{shown}"', f"\n{key} = {toml_text(value)}", 1)
    return text.replace(f"\nport = {PORT}\n", f"\nport = {port}\n", 1)
