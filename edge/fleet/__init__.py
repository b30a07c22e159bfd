"""The fleet: cells whose state outlives their process, independent of the stream-processing engine.

`host.py` runs cells, `store.py` defines the store's interface, `plan.py` creates cells from a configuration. None of
them depends on an engine; the adapter to one is a separate file.
"""
