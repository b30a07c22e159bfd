"""The screen of `edgewarden top`.

picture         the data to show: incidents, sensors, health, read from a store and its status file
reading_table   last values and sparklines of all sensors, kept up to date from the end of the journal
cells           texts in columns of a terminal: width, truncation, sparklines
layout          the lines of a picture and a selection, for a terminal size
selection       keys and their effects: selection, filter, questions
command_sender  commands to the service, in a separate thread
terminal        raw mode, keys as bytes, resizing; writes the lines that have changed
"""
