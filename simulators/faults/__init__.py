"""Labelled faults: what each changes, when it comes, and the truth about it."""
