"""The core: from bytes to events, without a socket, a file, a thread or a clock.

    messages -> decoders -> admission -> rounds -> engine -> incidents -> events

`pipeline.py` is the whole line in one place; read it first.
"""
