"""Which readings are taken, by their times: order, repetitions, clocks that are wrong."""
