"""The function as AWS runs it: AWS's own runtime client, a local Runtime API, DynamoDB, and Powertools' models.

`make verify` installs what these tests need; without it they are skipped.
"""

from __future__ import annotations

import http.server
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lambda_batches import EVENTS, IDS, activemq, kafka, kinesis, rabbitmq, sqs

from cloud.aws_lambda.once import KEPT_S, Claim, InDynamoDB

for needed in ("aws_lambda_powertools", "awslambdaric", "boto3", "cfnlint", "moto"):
    pytest.importorskip(needed)

import boto3  # noqa: E402 - there from here on
from aws_lambda_powertools.utilities.parser.models import (  # noqa: E402
    KafkaMskEventModel,
    KafkaSelfManagedEventModel,
    KinesisDataStreamModel,
    SqsModel,
)
from cfnlint import lint_file  # noqa: E402
from moto import mock_aws  # noqa: E402

ROOT = Path(__file__).parents[3]
TEMPLATE = ROOT / "cloud" / "aws_lambda" / "template.yaml"
APP = """
import json
def on_event(event):
    with open("seen.jsonl", "a") as seen:
        seen.write(json.dumps([type(event).__name__, event.id, event.data.message]) + "\\n")
"""


class RuntimeApi:
    """Lambda's Runtime API: hands out invocations and receives their answers.

    Source: AWS Lambda Developer Guide, "Using the Lambda runtime API".
    """

    def __init__(self) -> None:
        self.invocations: queue.Queue[Any] = queue.Queue()
        self.answers: queue.Queue[tuple[str, Any]] = queue.Queue()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                body = json.dumps(api.invocations.get()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Lambda-Runtime-Aws-Request-Id", "request")
                self.send_header("Lambda-Runtime-Deadline-Ms", "4102444800000")
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:eu-central-1:1:function:f")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                api.answers.put((self.path.rpartition("/")[2], json.loads(body)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def invoke(self, invocation: Any) -> tuple[str, Any]:
        """Whether the function answered with `response` or `error`, and the answer."""
        self.invocations.put(invocation)
        return self.answers.get(timeout=60)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RuntimeApi]:
    """A function running under AWS's runtime client, in its own folder."""
    (tmp_path / "app.py").write_text(APP)
    api = RuntimeApi()
    environment = {
        **os.environ,
        "AWS_LAMBDA_RUNTIME_API": api.address,
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "1",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_LOG_GROUP_NAME": "g",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "EDGEWARDEN_FUNCTION": "app:on_event",
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
    }
    command = [sys.executable, "-m", "awslambdaric", "cloud.aws_lambda.handler.lambda_handler"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
    yield api
    process.kill()
    process.wait()
    api.server.shutdown()
    api.server.server_close()


def test_the_events_of_each_service_reach_the_function_under_the_aws_runtime(api: RuntimeApi, tmp_path: Path) -> None:
    cut = [EVENTS[:2], EVENTS[2:3], EVENTS[3:4], EVENTS[4:5], EVENTS[5:6]]
    made = (kinesis, kafka, sqs, rabbitmq, activemq)
    answers = [api.invoke(make(payloads)) for make, payloads in zip(made, cut, strict=True)]
    assert answers == [*[("response", {"batchItemFailures": []})] * 3, *[("response", {})] * 2]
    for payload in EVENTS[5:]:
        assert api.invoke(json.loads(payload)) == ("response", {})
    seen = [json.loads(line) for line in (tmp_path / "seen.jsonl").read_text().splitlines()]
    assert [each[1] for each in seen] == IDS
    assert {each[0] for each in seen} == {"IncidentEvent"}


def test_an_unknown_invocation_is_an_error_that_lists_the_known_ones(api: RuntimeApi) -> None:
    outcome, answer = api.invoke({"Records": [{"eventSource": "aws:s3"}]})
    assert outcome == "error"
    assert answer["errorType"] == "UnknownSourceError"
    assert "kinesis, sqs, kafka" in answer["errorMessage"]


def test_the_batches_of_these_tests_equal_those_of_the_services() -> None:
    KinesisDataStreamModel.model_validate(kinesis([b"{}"]))
    SqsModel.model_validate(sqs([b"{}"]))
    msk = kafka([b"{}"])
    KafkaMskEventModel.model_validate({**msk, "eventSourceArn": "arn:aws:kafka:x"})
    KafkaSelfManagedEventModel.model_validate({**msk, "eventSource": "SelfManagedKafka"})


def test_the_template_is_valid() -> None:
    assert [str(each) for each in lint_file(TEMPLATE)] == []


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A DynamoDB table."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with mock_aws():
        yield boto3.resource("dynamodb").create_table(
            TableName="handled",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        )


def test_two_functions_that_share_a_table_handle_an_event_once(table: Any) -> None:
    one, other = InDynamoDB(table), InDynamoDB(table)
    assert one.claim("e", 30.0) is Claim.OURS
    assert other.claim("e", 30.0) is Claim.BUSY
    one.done("e")
    assert other.claim("e", 30.0) is Claim.DONE


def test_a_claim_that_was_given_up_or_has_expired_can_be_taken(table: Any) -> None:
    now = [1_700_000_000.0]
    one, other = InDynamoDB(table, lambda: now[0]), InDynamoDB(table, lambda: now[0])
    assert one.claim("e", 30.0) is Claim.OURS
    one.release("e")
    assert other.claim("e", 30.0) is Claim.OURS
    now[0] += 29.0
    assert one.claim("e", 30.0) is Claim.BUSY
    now[0] += 2.0
    assert one.claim("e", 30.0) is Claim.OURS


def test_the_table_itself_forgets_handled_events_after_a_week(table: Any) -> None:
    once = InDynamoDB(table, lambda: 1_700_000_000.0)
    once.claim("e", 30.0)
    once.done("e")
    assert table.get_item(Key={"id": "e"})["Item"]["expires"] == 1_700_000_000 + KEPT_S
