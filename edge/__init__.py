"""Edgewarden: sensor readings in over MQTT, incidents out as events.

    bytes -> decode -> batch -> detectors -> incidents -> events -> COMMIT -> publish -> ack -> confirm
             '-------------------- core ----------------------'  '------------- shell -------------'

`edge.core` is pure: no socket, no file, no thread, and no clock but the readings' own, so that the same
messages give the same events, live or replayed, however they were batched. `edge.shell` does what the core
must not: MQTT links, the store, an embedded broker, the loop that joins them. `edge.commands` is the command
line, one file a command.

A step's events are committed before its messages are acknowledged, and stay in the store until the broker has accepted
them; their ids follow from the input, so repetitions are recognised. Nothing is lost and nothing counts twice, whenever
the process, the network or the power fails.

Imports point one way: `edge` uses `detectors` and `config`; neither knows of `edge`.
"""
