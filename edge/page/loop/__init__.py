"""What meets the service's loop: questions that it answers in its turn, as copies, and news from it."""
