"""The receiving half of a link: from bytes on a socket to messages in the receive queue."""
