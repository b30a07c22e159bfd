"""Home Assistant: what it is told of sensors and of the gateway, by its MQTT discovery."""
