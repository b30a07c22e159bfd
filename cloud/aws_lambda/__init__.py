"""AWS Lambda: passes events of gateways, from any AWS service, to your function.

    sources       which service invoked us, and the records that it brings
    event         a record's bytes as an event
    once          which events were handled before
    handler       all of it: the entry point, and what is answered

Needs the extra `aws`. See docs/howto/aws-lambda.md.
"""
