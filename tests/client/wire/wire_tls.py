"""A certificate authority for the tests: servers on loopback, and a merchant."""

from __future__ import annotations

import ipaddress
import ssl
import warnings
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)


class Authority:
    """Issues certificates; *folder* holds its own, and those of servers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name(
            [x509.NameAttribute(x509.NameOID.COMMON_NAME, f"tests {folder.name}")]
        )
        self._certificate = self._issue(self._name, self._key.public_key(), True)
        #: What a client is given as ``verify``.
        self.bundle = folder / "bundle.pem"
        self.bundle.write_bytes(self._certificate.public_bytes(Encoding.PEM))
        self._server = self._server_files()

    def server(self, *, client: int = ssl.CERT_NONE) -> ssl.SSLContext:
        """The context of a server; *client* tells whether it asks who calls."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server)
        context.load_verify_locations(self.bundle)
        context.verify_mode = ssl.VerifyMode(client)
        return context

    def old_server(self) -> ssl.SSLContext:
        """The context of a server that knows nothing later than TLS 1.1."""
        context = self.server()
        return outdated(context)

    def certificate_for(self, public_key: Any) -> bytes:
        """A client certificate, as PEM."""
        name = x509.Name(
            [x509.NameAttribute(x509.NameOID.COMMON_NAME, "merchant 1900007291")]
        )
        return self._issue(name, public_key).public_bytes(Encoding.PEM)

    def _server_files(self) -> Path:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
        pem = self._issue(name, key.public_key()).public_bytes(Encoding.PEM)
        path = self._folder / "server.pem"
        path.write_bytes(
            pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return path

    def _issue(
        self, name: x509.Name, public_key: Any, is_authority: bool = False
    ) -> x509.Certificate:
        now = datetime.now(timezone.utc)
        hosts = [
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
            x509.DNSName("localhost"),
        ]
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
            .add_extension(
                x509.BasicConstraints(ca=is_authority, path_length=None), critical=True
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(
                    self._key.public_key()
                ),
                critical=False,
            )
        )
        if is_authority:
            usage = x509.KeyUsage(
                digital_signature=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=True,
                crl_sign=True,
                encipher_only=False,
                decipher_only=False,
            )
            builder = builder.add_extension(usage, critical=True)
        else:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(hosts), critical=False
            )
        return builder.sign(self._key, hashes.SHA256())


def outdated(context: ssl.SSLContext) -> ssl.SSLContext:
    """*context*, made to speak TLS 1.1 and no other version."""
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context
