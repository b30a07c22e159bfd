"""Activity: the operator's view of a running service, derived from commits and counters.

inputs       the inputs that have received messages, how many and when
refusals     refused input by reason, with the latest example
senders      shared topics, and topics whose times are behind their arrival
incidents    incidents as they are raised and end
sensors      the number of sensors found, once it has settled
problems     problems that delay events or readings
well_being   the problems of a service, in words
status       the topics `status` and `health`
status_file  connections, traffic and refusals, in a file next to the store
figures      the numbers of the health topic, and their names as metrics
activity     all of them together, as called by the service's loop

They write the log with a bounded number and length of lines, never a line per reading. None of them reads a clock or
starts a thread: time is an argument, in seconds of a monotonic clock unless it is called an epoch.
"""

from edge.shell.activity.activity import Activity
from edge.shell.activity.senders.shared_topics import SharedTopic

__all__ = ["Activity", "SharedTopic"]
