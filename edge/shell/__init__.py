"""The shell: sockets, files, threads and clocks around the core.

`service.py` is the loop that joins them; read it first.
"""
