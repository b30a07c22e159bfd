"""Discovery: proposes inputs for the topics of a broker.

collecting.py    collects messages, bounded
bookkeeping.py   fields that describe the sender instead of the plant
reading.py       what an input with certain keys finds in a payload
formats.py       the input keys that read a topic without a convention
time_fields.py   the time of readings in a field with an unusual name
undecoded.py     values in a form that no input reads
joining.py       few filters for many topics that are read with the same keys
proposing.py     inputs for all messages, conventions first
outcome.py       the result of these inputs: sensors, ignored fields, refusals and their reasons
"""
