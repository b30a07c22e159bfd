"""A certificate authority for a test, and a server certificate signed by it, created with openssl."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple


class Certificates(NamedTuple):
    ca: Path
    certificate: Path
    key: Path


def available() -> bool:
    return shutil.which("openssl") is not None


def make(directory: Path, name: str = "localhost") -> Certificates:
    directory.mkdir(parents=True, exist_ok=True)
    ca, ca_key = directory / "ca.pem", directory / "ca.key"
    certificate, key, request = directory / "server.pem", directory / "server.key", directory / "server.csr"
    names = directory / "names"
    names.write_text(f"subjectAltName=DNS:{name}")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    usage = ("-addext", "keyUsage=critical,keyCertSign")
    lasting = ("-days", "2")
    subject = ("-subj", "/CN=test authority")
    _openssl("req", "-x509", *curve, *usage, *lasting, *subject, "-keyout", ca_key, "-out", ca)
    _openssl("req", *curve, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    signing = ("-CA", ca, "-CAkey", ca_key, "-CAcreateserial", "-extfile", names)
    _openssl("x509", "-req", *lasting, *signing, "-in", request, "-out", certificate)
    return Certificates(ca, certificate, key)


def _openssl(*arguments: str | Path) -> None:
    program = shutil.which("openssl")
    assert program is not None
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True)
