"""The operator's word: acknowledge, shelve, "this is normal", maintenance.

words -> desk (what stands) -> watch (what it does to the engine and its findings)
"""
