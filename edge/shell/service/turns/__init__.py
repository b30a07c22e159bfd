"""The turns of the loop: how long each takes, and what is committed together."""
