"""What the tables have in common: what a table is, its validation, and kinds of texts."""
