"""What walks the line: messages, batches, sensors, rounds, topics. It imports nothing else of the core."""
