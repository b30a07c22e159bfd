"""Documents such as JSON, CBOR and MessagePack: safe parsing and traversal."""
