"""Recording what a report shows of a run, in bounded memory."""
