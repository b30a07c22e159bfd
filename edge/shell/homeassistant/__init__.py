"""Home Assistant: sensors and the gateway in its MQTT discovery."""
