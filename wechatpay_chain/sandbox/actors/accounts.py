"""Whose gateway it is: what a client or a test has to know of its residents."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from ..signatures.keys import pair
from ..signatures.registry import Registry
from ..signatures.signing import WeChatKeys
from ..state.guard import Guard
from ..world import Merchant, World


class Accounts:
    """Merchants, services and keys of one gateway."""

    lock: Guard
    world: World
    #: The merchant whose credentials :attr:`credentials` are.
    merchant: Merchant
    _registry: Registry
    _wechat: WeChatKeys
    _appids: tuple[str, ...]
    _sub_mchids: tuple[str, ...]

    @property
    def mchid(self) -> str:
        """The merchant number: direct merchant and partner in one."""
        return self.merchant.mchid

    @property
    def appid(self) -> str:
        """The merchant's appid."""
        return self._appids[0]

    @property
    def sub_mchid(self) -> str:
        """The sub-merchant (子商户) that the merchant acts for as a partner."""
        return self._sub_mchids[0]

    @property
    def service_id(self) -> str:
        """A need-confirm (需确认) service."""
        return self._service(needs_confirm=True)

    @property
    def no_confirm_service_id(self) -> str:
        """A no-confirm (免确认) service."""
        return self._service(needs_confirm=False)

    def _service(self, *, needs_confirm: bool) -> str:
        for service in self.world.services.values():
            if service.needs_confirm is needs_confirm:
                return service.service_id
        raise LookupError(f"this gateway has no service, needs_confirm={needs_confirm}")

    @property
    def public_key_id(self) -> str:
        """The id of the WeChat Pay public key."""
        return self._wechat.public_key_id

    @property
    def certificate_serial(self) -> str:
        """The serial of the platform certificate that signs."""
        return self._wechat.certificate_serial

    @property
    def public_key(self) -> RSAPublicKey:
        """The WeChat Pay public key (微信支付公钥)."""
        return self._wechat.public_key.public_key()

    @property
    def certificates(self) -> dict[str, x509.Certificate]:
        """The platform certificates (平台证书) by serial; the last one signs."""
        return {one.serial: one.certificate for one in self._wechat.platforms}

    @property
    def credentials(self) -> dict[str, Any]:
        """The merchant's, in the names of the client's options.

        One set does for direct and for partner calls. In certificate mode there are no
        ``certs``: the client downloads them.
        """
        return self._registry.credentials(self.merchant)

    def enrol(self, mchid: str, *, sub_mchids: Iterable[str] = ()) -> dict[str, Any]:
        """Add another merchant, with a key of its own; its credentials.

        >>> gateway = Gateway(seed=1)
        >>> other = gateway.client(**gateway.enrol("1900000002"))
        """
        with self.lock:
            key = pair(f"merchant {mchid}")
            merchant = self._registry.enter(mchid, key, tuple(sub_mchids))
        return self._registry.credentials(merchant)

    def rotate_certificate(self) -> str:
        """Issue another platform certificate (平台证书); its serial.

        It signs from now on. The earlier ones stay listed for download.
        """
        with self.lock:
            return self._registry.rotate().serial
