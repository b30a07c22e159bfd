"""Who may ask for what: log-in, sessions, and what browsers are told to forbid."""
