"""Whether anything that is shown holds a key: secrets to use, and the search for them.

A failure is rendered as a debugger or an error tracker would show it: the whole chain
of exceptions with local variables, less the frames of the tests themselves, which hold
the secrets in the open.
"""

from __future__ import annotations

import traceback
from base64 import b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from key_material import (
    DER,
    MCHID,
    PEM,
    PKCS1,
    PUBLIC_KEY_ID,
    SERIAL,
    certificate,
    merchant_key,
    p12,
    private,
    public,
)

from wechatpay_chain import crypto

TESTS = str(Path(__file__).parent)
PACKAGE = str(Path(crypto.__file__).parent.parent)

APIV3_KEY = "Av3-0123456789-abcdefghijk-SECRET"[:32]
APIV2_KEY = "av2-9876543210-zyxwvutsrqp-SECRET"[:32]
P12_PASSWORD = "p12-password-of-nobody"
KEY_PASSWORD = "key-password-of-nobody"
PROXY_PASSWORD = "proxy-password-of-nobody"
PROXY = f"http://user:{PROXY_PASSWORD}@127.0.0.1:9"
PLAIN = (APIV3_KEY, APIV2_KEY, P12_PASSWORD, KEY_PASSWORD, PROXY_PASSWORD)
OWN = certificate(merchant_key(), int(SERIAL, 16)).public_bytes(PEM)
ENCRYPTED = private(password=KEY_PASSWORD.encode())


def needles() -> Iterator[str]:
    """Every text by which a secret could be recognised."""
    yield from PLAIN
    for text in PLAIN:
        yield b64encode(text.encode()).decode().rstrip("=")
        yield text.encode().hex()
    yield b64encode(f"user:{PROXY_PASSWORD}".encode()).decode().rstrip("=")[:-1]
    for pem in (private(), private(form=PKCS1), ENCRYPTED):
        yield from (line for line in pem.decode().splitlines() if len(line) == 64)
    for der in (private(DER), private(DER, PKCS1), p12(P12_PASSWORD.encode())):
        base64 = b64encode(der).decode()
        yield from (base64[at : at + 24] for at in range(0, len(base64) - 24, 96))
        yield from (repr(der[at : at + 16])[2:-1] for at in range(32, 1000, 64))
    numbers = merchant_key().private_numbers()
    for number in (numbers.d, numbers.p, numbers.q):
        yield from (str(number), f"{number:x}", f"{number:X}")


NEEDLES = tuple(needles())


def leaked(text: str) -> list[str]:
    return [needle for needle in NEEDLES if needle in text]


def chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error, its causes and contexts, those that a traceback hides as well."""
    if error is not None:
        yield error
        yield from chain(error.__cause__)
        if error.__context__ is not error.__cause__:
            yield from chain(error.__context__)


def rendered(error: BaseException, within: str = "") -> str:
    """All that error trackers show of *error*, less the frames of these tests.

    *within* leaves out the frames of other libraries, where those need the secret.
    """
    out: list[str] = []
    for one in chain(error):
        trace = traceback.TracebackException.from_exception(one, capture_locals=True)
        for frame in trace.stack:
            name = frame.filename
            if name.startswith(within) and not name.startswith(TESTS):
                out.append(f"{frame.filename}:{frame.lineno} {frame.name}")
                out.extend(f"{k} = {v}" for k, v in (frame.locals or {}).items())
        fields = {k: v for k, v in vars(one).items() if k != "response"}
        out.append(f"{one!r} {one} {one.args!r} {fields!r}")
    return "\n".join(out)


def failure(action: Callable[[], object]) -> BaseException:
    """The exception that *action* raises; it must raise one."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any: it is rendered
        action()
    return caught.value


def secret_options(**changes: Any) -> dict[str, Any]:
    """Options with every secret that a client can have."""
    given = {
        "mchid": MCHID,
        "serial": SERIAL,
        "private_key": private().decode(),
        "certs": {PUBLIC_KEY_ID: public()},
        "apiv3_key": APIV3_KEY,
        "secret": APIV2_KEY,
        "merchant": (p12(P12_PASSWORD.encode()), P12_PASSWORD),
        "proxies": PROXY,
    }
    return {**given, **changes}
