"""One download of the platform certificates: the request, and what its answer holds.

Protocol section 7. When to download is decided in :mod:`.certificates`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timezone
from typing import Any, NamedTuple

from cryptography import x509

from .. import crypto
from .._flow import Flow, fetch
from .._messages import Headers, Request, Response
from .._secret import Secret
from .._shapes import mapping, sequence
from ..crypto.load import certified_key
from ..errors import (
    ConfigurationError,
    DecryptionError,
    InvalidSignature,
    TransportError,
)
from . import json_body
from .checking import check


class Limits(NamedTuple):
    """The most time that a download takes of the call that needs it, in seconds."""

    connect: float
    read: float
    deadline: float
    #: The layers that it does not go through.
    without: frozenset[str]


#: A download that a call cannot do without: with it the call itself is repeated.
FIRST = Limits(5.0, 10.0, 15.0, frozenset({"verify", "retry"}))
#: The same for a layer outside of ``retry``: nobody else would repeat it.
OUTER = Limits(5.0, 10.0, 15.0, frozenset({"verify"}))
#: One beside a call. Nobody else would repeat it, and the next comes a minute later.
LATER = Limits(3.0, 5.0, 8.0, frozenset({"verify"}))


class Need(NamedTuple):
    """Why a call wants certificates, and how much time it has for them."""

    request: Request
    #: Seconds that are left of the call.
    left: Callable[[], float]
    #: Whether to ask for them. Asked again by who leads: all may be well by then.
    due: Callable[[], bool]
    #: Whether those at hand will do, be they from a store.
    met: Callable[[], bool]
    limits: Limits
    #: Whether to wait for another who is downloading.
    patient: bool = True

    @property
    def patience(self) -> float | None:
        """Seconds to wait for another; half of what is left is for its own download.

        >>> need = Need(Request("GET", ""), lambda: 20.0, bool, bool, FIRST)
        >>> need.patience
        10.0
        """
        if not self.patient:
            return None
        return max(0.0, min(self.limits.deadline, self.left() / 2))


def download(need: Need) -> Flow[Response]:
    """The answer of ``/v3/certificates`` on behalf of a call, not yet verified."""
    request, limits = need.request, need.limits
    deadline = max(min(limits.deadline, need.left()), 0.001)
    connect, read = request.timeout
    query = request.replace(
        method="GET",
        url=_base(request) + "/v3/certificates",
        base_url=_base(request),
        headers=Headers(),
        body=b"",
        signing_body=None,
        payload=None,
        template="v3/certificates",
        stream=False,
        timeout=(
            min(connect, limits.connect, deadline),
            min(read, limits.read, deadline),
        ),
        deadline=deadline,
        attempt=1,
    )
    # Unverified, as the key to verify with is what it delivers; see check_answer.
    return (yield from fetch(query, without=limits.without))


def _base(request: Request) -> str:
    """Where certificates are: not on a host that the catalogue has for one endpoint."""
    operation, base = request.operation, request.base_url
    if operation is not None and base == operation.plan.home:
        return operation.plan.usual_home
    return base


def with_rest(request: Request, left: float) -> Request:
    """*request* with the seconds that are left; ``TransportError`` where none is."""
    if request.deadline is None:
        return request
    if left <= 0:
        raise TransportError(
            "no time was left to send this: the download of platform certificates "
            "took it all",
            request=request.sent(),
            outcome="not_sent",
        )
    connect, read = request.timeout
    return request.replace(deadline=left, timeout=(min(connect, left), min(read, left)))


def open_sealed(body: bytes, apiv3_key: Secret[bytes]) -> list[crypto.WeChatKey]:
    """The certificates in an answer of ``/v3/certificates``; there may be none.

    Raises ``ConfigurationError`` where one does not open.
    """
    return [_key_of(one) for one in open_certificates(body, apiv3_key)]


def open_certificates(body: bytes, apiv3_key: Secret[bytes]) -> list[x509.Certificate]:
    """The same, as certificates."""
    return [_certificate(entry, apiv3_key) for entry in _entries(body)]


def living(found: list[crypto.WeChatKey], now: float) -> list[crypto.WeChatKey]:
    """Those that have not expired. Raises ``ConfigurationError`` where none is left."""
    alive = [key for key in found if now < key.expiry]
    if not alive:
        raise ConfigurationError(
            "every certificate of /v3/certificates has expired: check the clock of "
            "this machine"
        )
    return alive


def check_answer(
    response: Response,
    found: list[crypto.WeChatKey],
    keys: crypto.KeyRing,
    now: float,
) -> None:
    """Verify a download with what it delivered, or with a key that is at hand."""
    serial = response.headers.get("Wechatpay-Serial", "")
    delivered = crypto.KeyRing({key.serial: key for key in found})
    key = delivered.find(serial) or keys.find(serial)
    if key is None or now >= key.expiry:
        return  # AES-GCM has proven that the sender knows the APIv3 key
    try:
        check(
            response.headers, response.content, crypto.KeyRing({key.serial: key}), now
        )
    except InvalidSignature as error:
        raise InvalidSignature(
            f"/v3/certificates is signed by none of the keys it delivers: {error}",
            serial=serial,
        ) from error


def _entries(body: bytes) -> Sequence[Any]:
    try:
        # Not response.data: the user may have taken the layer decode out.
        data = mapping(json_body.load(body))
    except ValueError:
        data = None
    entries = sequence((data or {}).get("data"))
    if entries is None:
        raise ConfigurationError("/v3/certificates answered without a list 'data'")
    return entries


def _certificate(entry: Any, apiv3_key: Secret[bytes]) -> x509.Certificate:
    try:
        sealed = entry["encrypt_certificate"]
        pem = crypto.decrypt_gcm(
            sealed["ciphertext"],
            apiv3_key,
            sealed["nonce"],
            sealed.get("associated_data"),
        )
    except (KeyError, TypeError, AttributeError):
        raise ConfigurationError(
            "/v3/certificates answered an entry without encrypt_certificate"
        ) from None
    except DecryptionError as error:
        raise ConfigurationError(
            "the platform certificates do not open with apiv3_key: it is not the "
            "APIv3 key (APIv3密钥) of this merchant"
        ) from error
    certificate = crypto.load_public_key(pem, name="platform certificate").certificate
    if certificate is None:
        raise ConfigurationError("/v3/certificates delivered a key, not a certificate")
    return certificate


def _key_of(certificate: x509.Certificate) -> crypto.WeChatKey:
    return crypto.WeChatKey(
        crypto.serial_text(certificate.serial_number),
        certified_key(certificate, "platform certificate"),
        certificate.not_valid_before_utc.astimezone(timezone.utc),
        certificate.not_valid_after_utc.astimezone(timezone.utc),
    )
