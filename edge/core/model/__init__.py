"""The data that is processed: messages, batches, sensors, rounds, topics. Imports nothing else of the core."""
