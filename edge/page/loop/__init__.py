"""The interface to the service's loop: questions, which it answers with copies in its turn, and news."""
