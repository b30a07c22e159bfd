"""Sinks: receivers of events besides the broker; each reads the outbox with its own cursor and at its own pace.

base       what a kind of sink has to do
options    what the configuration says of each kind
kinds      makes one of its options
progress   what a runner hands to the loop
runner     the thread that reads the events and hands them to one sink
backoff    how long to wait after a failure
cloud_event  attributes of an event, for sinks that send them outside its payload
failing    why a receiver can't be reached, in words
webhook    HTTP
kafka      Apache Kafka, with confluent-kafka
rabbitmq   RabbitMQ, with pika
mqtt       another MQTT broker
"""
