"""Recording the data of a run for a report, in bounded memory."""
