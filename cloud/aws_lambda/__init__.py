"""AWS Lambda: passes events of gateways, from any AWS service, to your function, or detects anomalies in readings.

    sources     the service that invoked the function, and its records
    event       a record's bytes as an event
    once        the events that were handled before
    handler     the entry point for events, and its answer
    detecting   the entry point for readings
    cell_table  the state of cells in DynamoDB

Needs the extra `aws`. See docs/howto/aws-lambda.md.
"""
