"""The server that all contenders call: one nginx worker with one fixed, signed answer.

It costs almost nothing, so that what is measured is the client. It listens on free
ports of the loopback and lives as long as the ``with`` block.
"""

from __future__ import annotations

import datetime
import ipaddress
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from account import ANSWER, Account
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

#: Seconds in which nginx must listen.
PATIENCE = 10

CONFIGURATION = """
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_timeout 3600s;
    keepalive_requests 1000000000;
    default_type application/json;
    server {{
        listen 127.0.0.1:{http};
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {folder}/localhost.pem;
        ssl_certificate_key {folder}/localhost.key;
        ssl_protocols TLSv1.2 TLSv1.3;
        location / {{
            {headers}
            return 200 '{answer}';
        }}
    }}
}}
"""


class NoServer(Exception):
    """nginx is missing, did not start, or is gone."""


@dataclass(frozen=True)
class Server:
    """Where the answer is to be had, and what to trust."""

    http: str
    tls: str
    #: The self-made certificate of localhost, which is its own authority.
    ca: str
    version: str


@contextmanager
def serving(account: Account) -> Iterator[Server]:
    """Start nginx; end it when the block ends, however it ends."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise NoServer(
            "nginx is not installed; it serves the fixed answer that all clients are "
            "measured against (Debian and Ubuntu: apt-get install nginx-light)"
        )
    with TemporaryDirectory(prefix="wechatpay-benchmark-") as name:
        folder = Path(name)
        http, tls = _free_ports(2)
        _write(folder, account, http, tls)
        process = subprocess.Popen(
            [program, "-p", name, "-e", f"{name}/error.log", "-c", f"{name}/nginx.conf"]
        )
        try:
            _await(process, (http, tls), folder)
            yield Server(
                f"http://127.0.0.1:{http}",
                f"https://localhost:{tls}",
                str(folder / "localhost.pem"),
                _version(program),
            )
        except Exception as error:
            if process.poll() is None:
                raise
            raise NoServer("nginx was ended by somebody else; run it again") from error
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [sock.getsockname()[1] for sock in sockets]
    for sock in sockets:
        sock.close()
    return ports


def _write(folder: Path, account: Account, http: int, tls: int) -> None:
    certificate, key = _certificate()
    (folder / "localhost.pem").write_bytes(certificate)
    (folder / "localhost.key").touch(0o600)
    (folder / "localhost.key").write_bytes(key)
    headers = "\n            ".join(
        f'add_header {name} "{value}";'
        for name, value in account.answer_headers().items()
    )
    (folder / "nginx.conf").write_text(
        CONFIGURATION.format(
            folder=folder, http=http, tls=tls, headers=headers, answer=ANSWER.decode()
        )
    )


def _await(
    process: subprocess.Popen[bytes], ports: tuple[int, ...], folder: Path
) -> None:
    deadline = time.monotonic() + PATIENCE
    for port in ports:
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError as error:
                if process.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.02)
                    continue
                log = folder / "error.log"
                said = log.read_text().strip() if log.exists() else ""
                raise NoServer(f"nginx did not start: {said or error}") from error


def _version(program: str) -> str:
    told = subprocess.run([program, "-v"], capture_output=True, text=True, check=False)
    return told.stderr.strip().rpartition("/")[2]


def _certificate() -> tuple[bytes, bytes]:
    """A certificate for localhost that strict checks (Python 3.13) accept as a root."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(public)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_cert_sign=True, **usage), True
        )
        .add_extension(identifier, critical=False)
        .add_extension(issuer, critical=False)
        .sign(key, SHA256())
    )
    return (
        made.public_bytes(Encoding.PEM),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    )
