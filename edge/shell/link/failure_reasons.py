"""Failed connection attempts: the reason, and the configuration key or the side to check.

Sources: the reason codes of MQTT 5.0, section 3.2.2.2, which paho also gives for the return codes of MQTT 3.1.1;
OpenSSL's reasons as Python's `ssl` names them.
"""

from __future__ import annotations

import errno
import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode

UNSUPPORTED_VERSION = 0x84
BAD_IDENTIFIER, BAD_PASSWORD, NOT_AUTHORISED, BANNED, BAD_METHOD = 0x85, 0x86, 0x87, 0x8A, 0x8C

_REFUSED = {
    BAD_IDENTIFIER: "see client_id",
    BAD_PASSWORD: "see username and the password",
    NOT_AUTHORISED: "see username and the password, and the broker's access list",
    BANNED: "the broker has banned this client; its log says why",
    BAD_METHOD: "the broker requires another kind of authentication",
}

_TLS = {
    "WRONG_VERSION_NUMBER": "this port doesn't use TLS: see port and [tls]",
    "HTTP_REQUEST": "this port doesn't use TLS: see port and [tls]",
    "TLSV13_ALERT_CERTIFICATE_REQUIRED": "the broker requires a client certificate: see tls.certificate_file",
    "TLSV1_ALERT_UNKNOWN_CA": "the broker doesn't trust our certificate: see tls.certificate_file",
}

_SYSTEM = {
    errno.ECONNREFUSED: "nothing listens there: is the broker running, and is the port right?",
    errno.ECONNRESET: "the broker closes the connection: is TLS used on one side only?",
    errno.EHOSTUNREACH: "is the network up, and the address right?",
    errno.ENETUNREACH: "is the network up?",
    errno.ETIMEDOUT: "nothing answers there: a firewall, or a wrong address",
}


def why_refused(reason: ReasonCode) -> str:
    """Why a broker refuses the connection, and where to look."""
    return _joined(str(reason), _REFUSED.get(reason.value, ""))


def why_not_understood(version: str, *, closed: bool) -> str:
    """Why no permitted version was accepted; `closed` if the broker closed the connection without an answer."""
    if not closed:
        return f"the broker doesn't support MQTT {version}: see version"
    return "the broker closes the connection without an answer: see port, [tls] and version, and the broker's log"


def why_unreachable(error: OSError | ValueError) -> str:
    """Why the connection fails, and where to look; without error numbers and source positions of other programs."""
    if isinstance(error, ssl.SSLError):
        return _why_no_tls(error)
    if isinstance(error, socket.gaierror):
        return _joined(error.strerror or str(error), "see host, and this machine's name server")
    if isinstance(error, TimeoutError):
        return _joined("timed out", _SYSTEM[errno.ETIMEDOUT])
    if isinstance(error, OSError) and error.strerror:
        if error.filename is not None:
            return f"{error.filename}: {error.strerror}"
        return _joined(error.strerror, _SYSTEM.get(error.errno or 0, ""))
    return str(error)


def _why_no_tls(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        words = f"the broker's certificate is not accepted: {error.verify_message.rstrip('.')}"
        is_of_another_host = "mismatch" in error.verify_message
        return _joined(words, "see host" if is_of_another_host else "see tls.ca_file, and this machine's clock")
    reason = error.reason or str(error)
    return _joined(f"TLS: {reason.lower().replace('_', ' ')}", _TLS.get(reason, ""))


def _joined(words: str, advice: str) -> str:
    return f"{words}: {advice}" if advice else words
