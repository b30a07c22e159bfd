"""Documents such as JSON, CBOR and MessagePack: read safely, and walked through."""
