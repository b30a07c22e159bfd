"""The operator's word: acknowledge, shelve, "this is normal", maintenance.

commands -> shelves (what stands) -> suppression (what it does to the engine and its incident changes)
"""
