"""The link to Apache Kafka: readings in from topics, with offsets as acknowledgements.

`kafka_link.py` is what the service sees, `consuming.py` its client and what the broker says to it, `ledger.py` which
partitions are ours and how far each was read and stored, `merging.py` puts the records of partitions in order of time,
`records.py` makes messages of them, and `cluster.py` says how a cluster is reached. `no_broker.py` stands for the
MQTT broker of a service that has none.
"""
