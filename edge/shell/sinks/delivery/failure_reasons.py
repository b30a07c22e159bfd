"""Why a receiver is unreachable, in words, and which key of its table to check."""

from __future__ import annotations

import errno
import socket
import ssl

_SYSTEM = {
    errno.ECONNREFUSED: "nothing listens there: is the receiver running, and is the port right?",
    errno.ECONNRESET: "the receiver closes the connection: is TLS used on one side only?",
    errno.EPIPE: "the receiver closes the connection",
    errno.EHOSTUNREACH: "is the network up, and the address right?",
    errno.ENETUNREACH: "is the network up?",
}


def why_unreachable(error: OSError | ValueError) -> str:
    """Why a connection fails, or why it ended."""
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"the receiver's certificate is not accepted: {error.verify_message.rstrip('.')}"
        return f"{words}: see tls.ca_file, the host's name and this machine's clock"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).lower().replace('_', ' ')}: see port and tls"
    if isinstance(error, socket.gaierror):
        return f"{error.strerror or error}: see the host's name, and this machine's name server"
    if isinstance(error, TimeoutError):
        return "no answer in time: a firewall, a wrong address, or the receiver hangs"
    return _of_the_system(error) if isinstance(error, OSError) else str(error) or type(error).__name__


def _of_the_system(error: OSError) -> str:
    words = error.strerror or str(error) or type(error).__name__
    if error.filename is not None:
        return f"{error.filename}: {words}"
    advice = _SYSTEM.get(error.errno or 0, "")
    return f"{words}: {advice}" if advice else words
