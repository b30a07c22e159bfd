"""Activity: what an operator sees of a running service, derived from commits and counters.

inputs      which inputs have heard something, how much and when
refusals    what was refused, by reason, with the latest example
incidents   incidents as they are raised and end
sensors     how many sensors were found, when their number has settled
well_being  what is wrong, in words
figures     the numbers of the health topic, and their names as metrics
activity    all of them together, as the service's loop calls them

They write the log with a bounded number and length of lines, never a line per reading. None of them reads a clock or
starts a thread: time is an argument, in seconds of a monotonic clock unless it is called an epoch.
"""

from edge.shell.activity.activity import Activity

__all__ = ["Activity"]
