"""The interface to the service's loop: questions that it answers with copies in its turn, and news from it."""
