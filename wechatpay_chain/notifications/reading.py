"""``client.notifications``: parse what was posted, with the keys of a client."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import crypto
from .._flow import Entry
from ..errors import (
    ConfigurationError,
    DecodeError,
    DecryptionError,
    InvalidSignature,
    NotificationError,
    SignatureError,
    UnknownSerial,
    WeChatPayError,
)
from ..middleware.checking import Subject, check
from . import v2, v3
from .downloading import Download
from .message import Message
from .notification import Notification, Version

if TYPE_CHECKING:
    from .._parts import Parts
    from ..middleware.certificates import Certificates

_NOTIFICATION = Subject(
    "notification",
    "anybody can post to a notify_url",
    "answer with an error, and WeChat Pay sends it again",
    None,
)


class Notifications:
    """Reads notifications (回调通知) of one merchant."""

    def __init__(self, parts: Parts, closed: Callable[[], bool]) -> None:
        self._parts = parts
        self._closed = closed

    def parse(self, headers: object, body: bytes | str) -> Notification:
        """Verify, decrypt and parse one notification, of APIv3 or APIv2.

        *headers*: a mapping of any kind and case, a list of pairs, or a whole WSGI
        environ. *body*: the bytes as they came; a body that was parsed and dumped again
        is another one. Where platform certificates are used, one may be downloaded.

        Raises ``NotificationError``, whose ``status_code`` is what to answer with, and
        whose ``__cause__`` is the error met.
        """
        message = Message(headers, body)
        del headers, body  # a traceback can show local variables, and these name users
        try:
            download = self._check(message)
            if download is not None:
                driver = self._parts.connections.sync
                driver.run(self._entries(download), download.request)
                self._verify_late(message, download)
            return self._read(message)
        except WeChatPayError as error:
            raise _refusal(error, message) from error

    async def parse_async(self, headers: object, body: bytes | str) -> Notification:
        """Await the same; see :meth:`parse`."""
        message = Message(headers, body)
        del headers, body
        try:
            download = self._check(message)
            if download is not None:
                driver = self._parts.connections.awaited
                await driver.run(self._entries(download), download.request)
                self._verify_late(message, download)
            return self._read(message)
        except WeChatPayError as error:
            raise _refusal(error, message) from error

    def _check(self, message: Message) -> Download | None:
        """Whether it is WeChat Pay's. What is to be downloaded first, if anything is.

        All that needs no download is checked before one is thought of: anybody can
        post to us.
        """
        if message.is_xml:
            return None  # its sign is inside
        certificates = self._parts.certificates
        try:
            self._verify(message)
        except SignatureError as error:
            if message.strange:
                text = f"{message.strange}: not a header of WeChat Pay's"
                raise InvalidSignature(text) from None
            if not isinstance(error, UnknownSerial):
                raise
            serial = message.headers["Wechatpay-Serial"]
            if certificates is None or serial.startswith(crypto.PUBLIC_KEY_ID):
                raise  # no download brings it
            return self._download(certificates, serial)
        if certificates is not None and certificates.old:
            return self._download(certificates, None)
        return None

    def _verify(self, message: Message) -> None:
        settings = self._parts.settings
        now = settings.clock()
        check(message.headers, message.body, settings.keys, now, _NOTIFICATION)

    def _verify_late(self, message: Message, download: Download) -> None:
        """Verify what waited for its key.

        What was verified before a renewal stays so: the new set may lack the old key.
        """
        if download.serial is not None:
            self._verify(message)

    def _download(self, certificates: Certificates, serial: str | None) -> Download:
        return Download(certificates, serial, self._parts.settings.base_url)

    def _entries(self, download: Download) -> tuple[Entry, ...]:
        if self._closed():
            raise ConfigurationError("this client is closed; build a new one")
        return (Entry(download.name, download), *self._parts.stack.entries)

    def _read(self, message: Message) -> Notification:
        settings = self._parts.settings
        if message.is_xml:
            return v2.read(message, settings.mchid, settings.secret, settings.apiv3_key)
        return v3.read(message, settings.mchid, settings.apiv3_key)

    def __repr__(self) -> str:
        return f"<Notifications of merchant {self._parts.settings.mchid}>"


def _refusal(error: WeChatPayError, message: Message) -> NotificationError:
    """What is met, with the status to answer with."""
    status = 500  # our own configuration, or a download that failed
    if error.request is None:
        error.outcome = None  # no operation of ours is in doubt
        if isinstance(error, SignatureError):
            status = 401
        elif isinstance(error, (DecodeError, DecryptionError)):
            status = 400
    version: Version = "v2" if message.is_xml else "v3"
    return NotificationError(str(error), status_code=status, version=version)
