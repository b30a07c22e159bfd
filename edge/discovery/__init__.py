"""Discovery: proposes inputs for the topics of a broker.

collecting.py    what was heard, bounded
formats.py       which keys of an input read a topic that follows no convention
proposing.py     inputs for all that was heard, conventions first
outcome.py       what these inputs make of it: sensors, what is left out, what is refused and why
"""
