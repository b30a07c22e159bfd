"""The link to Apache Kafka: consumes readings from topics, and acknowledges them by committing offsets.

`kafka_link.py` implements the service's interface, `consuming.py` wraps the client, `ledger.py` records the assigned
partitions and their positions, `merging.py` orders the records of several partitions by time, `records.py` converts
them to messages, and `cluster.py` contains the connection's options. `no_broker.py` takes the place of the MQTT broker
for a service without one.
"""
