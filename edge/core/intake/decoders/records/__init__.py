"""The records of SenML, line protocol and Sparkplug B."""
