"""The live page in a browser: what the running service knows, as it happens, and buttons that answer it.

serving       a thread with an event loop and a server, from the service's start to its end
handover      questions to the service's loop, and news from it; the only way in
glances       what is looked at in the loop, as copies
observing     scored readings of the sensors that somebody looks at
app           addresses, and who may ask for what
protection    Host, Origin, and what browsers are told to forbid
sessions      log-in: passwords, cookies, how often one may try
looking       the views as JSON: incidents, sensors, history, refused, health
audience      pages that are open, each with a bounded queue; streaming sends it
commanding    the buttons, as commands like those over MQTT
reading       the store, in threads of its own
assets        HTML, style and scripts, without anything from elsewhere

Nothing here is asked unless somebody looks. Imported by `edgewarden run` only, as it needs the extra `page`.
"""
