"""Discovery: proposes inputs for the topics of a broker.

collecting.py        collects messages, bounded
fields/              which fields are readings, times, words for states, or bookkeeping of the sender
reading.py           what an input with certain keys finds in a payload
formats.py           the input keys that read a topic without a convention
rows.py              columns for numbers in a row
numbered_topics.py   topics with a level that numbers messages
joining.py           few filters for many topics that are read with the same keys
proposing.py         inputs for all messages, conventions first
outcome.py           the result of these inputs: sensors, ignored fields, refusals and their reasons
"""
