"""The live page in a browser: the state of the running service, updated as it changes, and buttons for commands.

server      a thread with an event loop and a server, from the service's start to its end; its addresses
loop        questions to the service's loop, and news from it; the only access to the service
store       the store, read in separate threads, and a sensor's past, computed in a separate process
access      log-in: passwords, cookies, limits on attempts; Host, Origin, and security headers
views       incidents, sensors and history as JSON
live        open pages, each with a bounded queue, and their buttons, which send commands like those over MQTT
monitoring  `/metrics` and `/health`
static      HTML, style and scripts, all served from here

Nothing runs here unless a page is open. Imported by `edgewarden run` only, because it needs the extra `page`.
"""
