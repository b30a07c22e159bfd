"""Access: log-in, sessions, and security headers."""
