"""The versions of MQTT: which one to try, and what only MQTT 5 can say."""
