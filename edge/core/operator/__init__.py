"""Operator commands: acknowledge, shelve, declare normal, maintenance.

commands -> shelves (what is in effect) -> suppression (its effect on the engine and its incident changes)
"""
