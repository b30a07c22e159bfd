"""Sinks: receivers of events besides the broker; each reads the outbox with its own cursor and at its own pace.

base         the interface of a kind of sink
options      the configured options of each kind
kinds        creates a sink from its options
delivery     the thread of a sink: events in, outcomes to the loop, pauses after failures
cloud_event  attributes of an event, for sinks that send them outside its payload
forwarding   readings of the journal, forwarded to Kafka
notice       messages to people about events
webhook      HTTP
kafka        Apache Kafka, with confluent-kafka
rabbitmq     RabbitMQ, with pika
mqtt         another MQTT broker
notify       notification services, with Apprise
"""
