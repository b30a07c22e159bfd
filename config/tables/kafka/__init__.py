"""Tables about Apache Kafka: where readings come from, and where they are forwarded to."""
