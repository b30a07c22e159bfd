"""The shell: sockets, files, threads and clocks around the core.

`service/service.py` is the loop that connects them; read it first.

    system         clock, signals, systemd's socket, log lines
    files          readings from CSV files
    store          the SQLite file
    broker         the embedded broker
    link           the connection to an MQTT broker or Apache Kafka
    publishing     the outbox to the broker: events, retained topics, answers
    sinks          receivers of events besides the broker
    homeassistant  discovery messages for Home Assistant
    activity       the operator's view: log lines, status file, health
    service        the loop, and how it starts, reloads and resumes from its store
"""
