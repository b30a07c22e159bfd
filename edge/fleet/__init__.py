"""The fleet: cells that outlive the process they run in, over whatever an engine keeps state in.

`host.py` runs cells, `store.py` says what it needs of a store, `plan.py` reads what cells are from a configuration.
None of these knows an engine; an adapter to one is a file of its own.
"""
