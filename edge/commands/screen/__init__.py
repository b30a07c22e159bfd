"""The screen of `edgewarden top`.

picture        what is shown: incidents, sensors, health, read from a store and its status file
reading_table  last values and sparklines of all sensors, kept up to date from the end of the journal
cells          texts in columns of a terminal: width, cutting, sparklines
layout         a picture and what the user has chosen, as lines of a size
choosing       keys, and what they do: selection, filter, questions
acting         commands to the service, in a thread of its own
terminal       raw mode, keys as bytes, resize; writes the lines that have changed
"""
