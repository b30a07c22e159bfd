"""The sentences that people read of incidents."""
