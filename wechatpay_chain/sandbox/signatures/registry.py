"""Who is known to a gateway: merchants with their keys, and WeChat Pay's own keys.

Also the names of the default world.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from ...errors import ConfigurationError
from ..world import Merchant, Service, World
from .keys import KeySet, certificate, pair
from .signing import MODES, Platform, WeChatKeys

#: The default world: obviously made up, and nobody's.
MCHID = "1900000001"
SUB_MCHID = "1900000109"
APPID = "wxd678efh567hg6787"
SERVICES = (
    Service("2002000000000558128851361561536"),
    Service("500001"),
    Service("2002000000000558128851361561537", needs_confirm=False),
)


class Resident(NamedTuple):
    """A merchant that was enrolled, with the key that its clients hold."""

    mchid: str
    key: RSAPrivateKey
    sub_mchids: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Resident {self.mchid}>"


class Identity(NamedTuple):
    """What a world is known by: with it, clients of an earlier process still work."""

    seed: int
    mode: str
    keys: KeySet
    #: The keys of platform certificates that were issued later.
    later: tuple[RSAPrivateKey, ...] = ()
    others: tuple[Resident, ...] = ()
    services: tuple[Service, ...] = ()

    def __repr__(self) -> str:
        return f"<Identity, seed {self.seed}, {self.mode}>"


def identified(
    saved: Identity | None, seed: int | None, mode: str | None, keys: KeySet | None
) -> Identity:
    """Who lives in a world: as it was *saved*, or as it is asked for.

    Raises ``ConfigurationError`` where the two differ.
    """
    if mode is not None and mode not in MODES:
        raise ValueError(f"mode: one of {', '.join(MODES)} expected, got {mode!r}")
    if seed is not None and type(seed) is not int:
        raise ValueError(f"seed: a whole number expected, got {seed!r:.64}")
    if saved is None:
        chosen = 1 if seed is None else seed
        return Identity(chosen, mode or MODES[0], keys or KeySet.shared())
    if keys is not None:
        raise ConfigurationError("keys: the state file has its own; leave them out")
    for name, given, held in (("seed", seed, saved.seed), ("mode", mode, saved.mode)):
        if given not in (None, held):
            raise ConfigurationError(
                f"{name}: the state file holds a world of {name} {held}, not {given}"
            )
    return saved


class Registry:
    """Makes merchants, and gives out their credentials."""

    def __init__(
        self, world: World, pairs: KeySet, mode: str, appids: tuple[str, ...]
    ) -> None:
        self._world = world
        self._mode = mode
        self._appids = frozenset(appids)
        self.wechat: WeChatKeys = WeChatKeys(
            world.ids.public_key_id(MCHID),
            pairs.public_key,
            self._platform("WeChat Pay", pairs.platform),
        )

    def rotate(self, key: RSAPrivateKey | None = None) -> Platform:
        """Another platform certificate, which signs from now on."""
        number = len(self.wechat.platforms) + 1
        key = key or pair(f"platform {number}")
        made = self._platform(f"WeChat Pay {number}", key)
        self.wechat.platforms.append(made)
        return made

    def renew(self) -> None:
        """Make the platform certificates valid around the present time."""
        self.wechat.platforms[:] = [
            one._replace(certificate=self._issue(one.serial, one.key))
            for one in self.wechat.platforms
        ]

    def restore(self, identity: Identity) -> None:
        """Bring back who came after the first."""
        for key in identity.later:
            self.rotate(key)
        for one in identity.others:
            self.enter(*one)
        self._world.serve(identity.services)

    def fingerprint(self) -> str:
        """What tells this world from those of another seed, or of other keys."""
        world, wechat = self._world, self.wechat
        first = next(iter(world.merchants.values()))
        keys = (first.private_key, wechat.public_key, wechat.platforms[0].key)
        moduli = "/".join(str(key.public_key().public_numbers().n) for key in keys)
        return sha256(f"{world.ids.seed}/{moduli}".encode()).hexdigest()

    def identity(self) -> Identity:
        """What this world is known by."""
        first, *others = self._world.merchants.values()
        platform, *later = self.wechat.platforms
        return Identity(
            self._world.ids.seed,
            self._mode,
            KeySet(first.private_key, self.wechat.public_key, platform.key),
            tuple(one.key for one in later),
            tuple(
                Resident(one.mchid, one.private_key, tuple(sorted(one.sub_mchids)))
                for one in others
            ),
            tuple(self._world.services.values()),
        )

    def _platform(self, owner: str, key: RSAPrivateKey) -> Platform:
        serial = self._world.ids.serial(owner)
        return Platform(serial, self._issue(serial, key), key)

    def _issue(self, serial: str, key: RSAPrivateKey) -> x509.Certificate:
        now = self._world.clock()
        return certificate(key, serial=serial, name="Tenpay.com", now=now)

    def enter(
        self, mchid: str, key: RSAPrivateKey, sub_mchids: tuple[str, ...]
    ) -> Merchant:
        """Add a merchant to the world."""
        ids = self._world.ids
        serial = ids.serial(mchid)
        merchant = Merchant(
            mchid,
            certificate(key, serial=serial, name=mchid, now=self._world.clock()),
            serial,
            key,
            apiv3_key=ids.key(f"v3{mchid}"),
            secret=ids.key(f"v2{mchid}"),
            appids=self._appids,
            sub_mchids=frozenset(sub_mchids),
        )
        self._world.merchants[mchid] = merchant
        return merchant

    def credentials(self, merchant: Merchant) -> dict[str, Any]:
        """What *merchant* holds, in the names of the client's options."""
        wechat = self.wechat
        given: dict[str, Any] = {
            "mchid": merchant.mchid,
            "serial": merchant.serial,
            "private_key": merchant.private_key,
            "apiv3_key": merchant.apiv3_key,
            "secret": merchant.secret,
        }
        certs: dict[str, Any] = {}
        if self._mode != "certificate":
            certs[wechat.public_key_id] = wechat.public_key.public_key()
        if self._mode == "migrating":
            certs[wechat.certificate_serial] = wechat.certificate
        if certs:
            given["certs"] = certs
        return given
