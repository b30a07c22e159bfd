"""Batches of events as AWS services pass them to a Lambda function."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from config.loading import parse
from edge.core.model.readings.messages import Message
from edge.shell.service.assembly.parts import make_pipeline


def events_of_a_plant() -> list[bytes]:
    """The events of a sensor that exceeds its limit four times, as published by the service."""
    text = '[[input]]\ntopic = "a"\nformat = "number"\n[[rule]]\nsensors = "**"\n[rule.detectors.limits]\nhigh = 50.0\n'
    pipeline = make_pipeline(parse(text, "test").configuration)
    found = []
    for second in range(120):
        value = b"99" if second % 30 == 20 else b"1"
        found += pipeline.process([Message("a", value, 1_700_000_000.0 + 10 * second)]).events
    return [each.payload for each in found]


EVENTS = events_of_a_plant()
IDS = [json.loads(each)["id"] for each in EVENTS]


def encoded(payload: bytes) -> str:
    return base64.b64encode(payload).decode()


def kinesis(payloads: list[bytes], shard: str = "shardId-000000000000") -> dict[str, Any]:
    return {
        "Records": [
            {
                "kinesis": {
                    "kinesisSchemaVersion": "1.0",
                    "partitionKey": "plant7",
                    "sequenceNumber": str(number),
                    "data": encoded(payload),
                    "approximateArrivalTimestamp": 1_700_000_000.5,
                },
                "eventSource": "aws:kinesis",
                "eventVersion": "1.0",
                "eventID": f"{shard}:{number}",
                "eventName": "aws:kinesis:record",
                "invokeIdentityArn": "arn:aws:iam::123456789012:role/r",
                "awsRegion": "eu-central-1",
                "eventSourceARN": "arn:aws:kinesis:eu-central-1:123456789012:stream/s",
            }
            for number, payload in enumerate(payloads)
        ]
    }


def sqs(payloads: list[bytes]) -> dict[str, Any]:
    return {
        "Records": [
            {
                "messageId": str(number),
                "receiptHandle": "h",
                "body": payload.decode("utf-8", "replace"),
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1", "SenderId": "s",
                               "ApproximateFirstReceiveTimestamp": "1"},
                "messageAttributes": {},
                "md5OfBody": "x",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:q",
                "awsRegion": "eu-central-1",
            }
            for number, payload in enumerate(payloads)
        ]
    }  # fmt: skip


def kafka(payloads: list[bytes], source: str = "aws:kafka", headers: list[dict[str, list[int]]] | None = None) -> Any:
    records = [
        {
            "topic": "events",
            "partition": 0,
            "offset": number,
            "timestamp": 1_700_000_000_000,
            "timestampType": "CREATE_TIME",
            "key": encoded(b"plant/a"),
            "value": encoded(payload),
            "headers": headers or [],
        }
        for number, payload in enumerate(payloads)
    ]
    return {"eventSource": source, "bootstrapServers": "b:9092", "records": {"events-0": records}}


def rabbitmq(payloads: list[bytes]) -> dict[str, Any]:
    messages = [
        {"basicProperties": {"contentType": "application/cloudevents+json", "headers": {}, "deliveryMode": 2,
                             "messageId": str(number)}, "redelivered": False, "data": encoded(payload)}
        for number, payload in enumerate(payloads)
    ]  # fmt: skip
    return {"eventSource": "aws:rmq", "eventSourceArn": "arn:aws:mq:x", "rmqMessagesByQueue": {"events::/": messages}}


def activemq(payloads: list[bytes]) -> dict[str, Any]:
    messages = [{"messageID": str(number), "data": encoded(payload)} for number, payload in enumerate(payloads)]
    return {"eventSource": "aws:mq", "eventSourceArn": "arn:aws:mq:x", "messages": messages}


BATCHES: dict[str, Callable[[list[bytes]], dict[str, Any]]] = {
    "kinesis": kinesis,
    "sqs": sqs,
    "kafka": kafka,
    "rabbitmq": rabbitmq,
    "activemq": activemq,
}
