"""The turns of the loop: their duration, and what is committed together."""
