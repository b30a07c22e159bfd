"""AWS Lambda: events of gateways, from whichever service brings them, handed to a function of yours.

    sources       which service invoked us, and the records that it brings
    event         a record's bytes as an event
    once          which events were handled before
    handler       all of it: the entry point, and what is answered

Needs the extra `aws`. See docs/howto/aws-lambda.md.
"""
