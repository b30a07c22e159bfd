"""The core: from bytes to events, without sockets, files, threads or a clock.

    messages -> intake -> scoring -> incidents -> events

`pipeline.py` is the whole sequence in one place; read it first. `engine.py` takes a batch of readings through scoring
and incidents. Each folder is a stage:

    model        the data that is processed: messages, batches, sensors, rounds, topics, counters
    intake       bytes to readings: routes, decoders, redeliveries, reordering, admission
    scoring      readings to scores and levels: profiles, sensor statistics, alarm levels, devices
    incidents    scores to incidents to events: state machine, tracker, sentences, gaps
    operator     commands, shelves, maintenance windows
    persistence  stored state: journal, snapshots, replay, relearning
    cells        this pipeline for the sensors of some devices, for processes that share a plant
"""
