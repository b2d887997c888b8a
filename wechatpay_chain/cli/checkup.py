"""What can be said of a configuration without sending anything.

Each option is looked at by itself, so that one mistake does not hide another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from .. import _key_options as keys
from .. import crypto
from .._calls import check_base_url
from .._key_options import Given
from .._network_options import check_proxies, check_verify
from .._options import BASE_URL, NAMES
from .._secret import Secret
from .._uri import suggest
from ..crypto.load import certified_key
from ..errors import ConfigurationError, WeChatPayError
from .evidence import certificates, file_of, owner_of
from .findings import Finding, of_error

T = TypeVar("T")

#: Days before the end of a certificate from which the doctor speaks of it.
SOON = 30
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Identity(NamedTuple):
    """Who signs, as far as it could be read."""

    mchid: str | None
    serial: str | None
    private_key: RSAPrivateKey | None


class Checkup:
    """Looks at the options one by one; *now* is Unix seconds."""

    def __init__(self, options: Secret[dict[str, Any]], now: float) -> None:
        self._options = options
        self._now = now
        self._given = _given(options)
        self.findings: list[Finding] = []

    def run(self) -> list[Finding]:
        """All that was found."""
        self._names()
        who = self._identity()
        self._trust(who)
        self._secrets()
        self._network()
        if who.private_key is not None:
            for name, certificate in certificates(self._options, who.mchid):
                self._certificate(name, certificate, who)
        return self.findings

    def _has(self, name: str) -> bool:
        return self._options.reveal().get(name) not in (None, "")

    def _try(self, name: str, look: Callable[[], T], right: str = "") -> T | None:
        """What *look* makes of an option; notes a mistake, and what is right."""
        try:
            found = look()
        except ConfigurationError as error:
            self.findings.append(of_error(error, f"{name}_wrong"))
            return None
        if right:
            self.findings.append(Finding(name, "right", right))
        return found

    def _note(self, name: str, found: str, mend: str, *, sure: bool = True) -> None:
        state: Any = "wrong" if sure else "unsure"
        self.findings.append(Finding(name, state, found, mend))

    def _names(self) -> None:
        for name in self._options.reveal():
            if name not in NAMES:
                self._note(
                    "option_unknown",
                    f"{name!r:.64} is no option{suggest(name, NAMES)}",
                    "correct its name, or take it away",
                )

    # Who the merchant is.

    def _identity(self) -> Identity:
        for name in ("mchid", "serial", "private_key"):
            if not self._has(name):
                self._note("option_missing", f"{name} is not given", f"add {name}")
        given, mchid, key, beside = self._given, None, None, None
        if self._has("mchid"):
            mchid = self._try("mchid", lambda: keys.check_mchid(given), "digits")
        if self._has("private_key"):
            both = self._try(
                "private_key",
                lambda: keys.check_private_key(given, mchid or ""),
                "an RSA private key",
            )
            key, beside = both or (None, None)
            self._permissions()
        serial = None
        if self._has("serial"):
            serial = self._try(
                "serial", lambda: keys.check_serial(given, beside), "hexadecimal"
            )
        return Identity(mchid, serial, key)

    def _permissions(self) -> None:
        path = file_of(self._options, "private_key")
        if path is None or os.name != "posix":
            return
        with suppress(OSError):
            if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
                self._note(
                    "private_key_open",
                    f"{path} can be read by other users of this machine",
                    f"chmod 600 {path}",
                    sure=False,
                )

    def _certificate(self, name: str, one: x509.Certificate, who: Identity) -> None:
        found = len(self.findings)
        serial = crypto.serial_text(one.serial_number)
        assert who.private_key is not None
        with suppress(ConfigurationError):
            if certified_key(one, name) != who.private_key.public_key():
                self._note(
                    "certificate_of_another_key",
                    f"{name}: the certificate {serial} is not of this private key",
                    "take apiclient_cert.pem and apiclient_key.pem of one download",
                )
                return
        owner = owner_of(one)
        if who.mchid and owner and owner != who.mchid:
            self._note(
                "key_of_another_merchant",
                f"{name}: the certificate is of merchant {owner}, mchid is {who.mchid}",
                "give the key and certificate of this merchant, or its mchid",
            )
        if who.serial and crypto.normal_serial(who.serial) != serial:
            self._note(
                "serial_of_another_certificate",
                f"serial is {who.serial}, {name} has the certificate {serial}",
                f"give serial = {serial}",
            )
        self._term(
            "certificate", f"{name}: the merchant API certificate",
            one.not_valid_after_utc,
            "renew it in the merchant console (商户平台), and give its new serial",
        )  # fmt: skip
        if len(self.findings) == found:
            self.findings.append(
                Finding("certificate", "right", f"{serial}, of this key")
            )

    def _term(self, name: str, what: str, until: datetime, mend: str) -> None:
        left = (until.timestamp() - self._now) / 86400
        day = until.astimezone(timezone.utc).date()
        if left < 0:
            self._note(f"{name}_expired", f"{what} has expired on {day}", mend)
        elif left < SOON:
            self._note(
                f"{name}_expires_soon", f"{what} expires on {day}", mend, sure=False
            )

    # Whose word counts, and the other keys.

    def _trust(self, who: Identity) -> None:
        given, ring = self._given, crypto.KeyRing()
        if self._has("certs") and who.private_key is not None:
            serial, key = who.serial or "0", who.private_key
            found = self._try(
                "certs", lambda: keys.check_keys(given, serial, key, lambda: self._now)
            )
            if found is None:
                return
            ring = found
        for name in ring:
            self._key_of_wechat(name, ring)
        if not len(ring) and not self._has("apiv3_key"):
            with suppress(WeChatPayError):
                self._try("certs", lambda: keys.check_trust(ring, None))
        elif not self._has("apiv3_key"):
            self._note(
                "apiv3_key_missing",
                "apiv3_key is not given: notifications and certificates do not open",
                "set it in the merchant console (商户平台), and give it",
                sure=False,
            )

    def _key_of_wechat(self, name: str, ring: crypto.KeyRing) -> None:
        key = ring.find(name)
        assert key is not None
        if key.until is not None:
            self._term(
                "certs", f"the platform certificate {name}", key.until,
                "wxpay crt downloads those of today",
            )  # fmt: skip
            return
        if not name.startswith(crypto.PUBLIC_KEY_ID):
            self._note(
                "certs_id_malformed",
                f"{name:.64} is filed with a bare public key, and is no public key id",
                "file it under its id in the console, PUB_KEY_ID_...",
            )
        else:
            self.findings.append(Finding("certs", "right", f"public key {name}"))

    def _secrets(self) -> None:
        for name, title in (("apiv3_key", "APIv3 key"), ("secret", "APIv2 key")):
            if self._has(name):
                self._try(
                    name,
                    lambda name=name, title=title: keys.check_symmetric(  # type: ignore[misc]
                        self._given, name, f"the {title}"
                    ),
                    "32 bytes",
                )
        given = self._options.reveal()
        if self._has("secret") and given.get("secret") == given.get("apiv3_key"):
            self._note(
                "secret_is_apiv3_key",
                "secret and apiv3_key are the same",
                "secret is the APIv2 key (API密钥), apiv3_key the APIv3 key: give each "
                "its own",
                sure=False,
            )
        if self._has("merchant"):
            self._try(
                "merchant",
                lambda: keys.check_merchant(self._given, str(given.get("mchid"))),
                "a certificate and its key",
            )

    def _network(self) -> None:
        given = self._given
        url: str = given.get("base_url", BASE_URL)
        if self._try("base_url", lambda: check_base_url(url)) is not None:
            parts = urlsplit(url)
            if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
                self._note(
                    "base_url_plain_http",
                    f"{url} is plain HTTP: anybody on the way reads and changes it",
                    "give https://",
                )
        self._try("proxies", lambda: check_proxies(given))
        self._try("verify", lambda: check_verify(given))


def _given(options: Secret[dict[str, Any]]) -> Given:
    """The options as the client's own checks take them, complete or not."""
    made = Given.__new__(Given)
    made._options = options
    return made
