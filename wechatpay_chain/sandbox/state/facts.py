"""The facts of a state file: whose world it is, its time and its numbers, as JSON.

Reading raises whatever the data makes it; ``persistence`` says so without the data.
"""

from __future__ import annotations

import sys
from typing import Any

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ..checks import given
from ..signatures.keys import KeySet
from ..signatures.registry import Identity, Resident
from ..signatures.signing import MODES
from ..world import Service


def plain_identity(identity: Identity) -> dict[str, Any]:
    """*identity* for JSON, its keys as PEM."""
    return {
        "seed": identity.seed,
        "mode": identity.mode,
        "keys": [_pem(key) for key in identity.keys],
        "later": [_pem(key) for key in identity.later],
        "others": [
            [one.mchid, _pem(one.key), list(one.sub_mchids)] for one in identity.others
        ],
        "services": [vars(service) for service in identity.services],
    }


def clock_of(plain: dict[str, Any]) -> tuple[bool, float]:
    """Whether a clock runs, and how far it was advanced."""
    runs, ahead = plain["runs"], plain["ahead"]
    given.truth("runs", runs)
    if not given.is_number(ahead):
        raise TypeError("a number expected")
    return runs, ahead


def counts_of(plain: dict[str, int]) -> dict[str, int]:
    """How many numbers of each kind were given out."""
    for count in plain.values():
        given.whole("count", count, most=None)
    return plain


def identity_of(plain: dict[str, Any]) -> Identity:
    """The identity that was made :func:`plain_identity`."""
    given.whole("seed", plain["seed"], least=-sys.maxsize, most=None)
    given.one_of("mode", plain["mode"], MODES)
    return Identity(
        plain["seed"],
        plain["mode"],
        KeySet(*map(_key, plain["keys"])),
        tuple(map(_key, plain["later"])),
        tuple(
            Resident(mchid, _key(pem), tuple(sub_mchids))
            for mchid, pem, sub_mchids in plain["others"]
        ),
        tuple(Service(**service) for service in plain["services"]),
    )


def _pem(key: RSAPrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(
        "ascii"
    )


def _key(pem: str) -> RSAPrivateKey:
    # It was made here; checking one takes 30 ms.
    key = load_pem_private_key(
        pem.encode("ascii"), None, unsafe_skip_rsa_key_validation=True
    )
    if not isinstance(key, RSAPrivateKey):
        raise TypeError("an RSA key expected")
    return key
