"""Fields of payloads: which are readings, times, words for states, or bookkeeping of the sender."""
