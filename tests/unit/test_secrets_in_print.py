"""No key is shown by what is printed, and what holds one is not pickled."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from key_material import (
    MCHID,
)
from leaks import (
    APIV3_KEY,
    failure,
    leaked,
    rendered,
    secret_options,
)

from wechatpay_chain import WeChatPay
from wechatpay_chain._secret import Secret, key_bytes, seal


def everything(client: WeChatPay) -> Iterator[object]:
    """The client and all that can be reached from it by attributes."""
    seen: set[int] = set()
    queue: list[object] = [client, client.v3.pay, client.stack, client.xml_stack]
    while queue:
        thing = queue.pop()
        module = type(thing).__module__
        if id(thing) in seen or isinstance(thing, Secret):
            continue
        seen.add(id(thing))
        if isinstance(thing, (list, tuple)):
            queue.extend(thing)
        elif module.startswith("wechatpay_chain"):
            yield thing
            slots = getattr(type(thing), "__slots__", ())
            names = [*getattr(thing, "__dict__", ()), *slots]
            queue.extend(getattr(thing, name, None) for name in names)


@pytest.mark.parametrize(
    "show", [repr, str, "{}".format], ids=["repr", "str", "format"]
)
def test_nothing_prints_a_key(show: Callable[[object], str]) -> None:
    things = list(everything(WeChatPay(**secret_options())))
    kinds = {type(thing).__name__ for thing in things}
    assert {"WeChatPay", "Node", "Stack", "Settings", "KeyRing", "Signer"} <= kinds
    for thing in things:
        assert not leaked(show(thing)), type(thing)


def test_what_a_client_prints() -> None:
    client = WeChatPay(**secret_options())
    assert repr(client) == (
        f"<WeChatPay merchant {MCHID} at https://api.mch.weixin.qq.com>"
    )
    assert repr(client.v3.pay) == f"<Node v3/pay of merchant {MCHID}>"


@pytest.mark.parametrize("attempt", [pickle.dumps, copy.copy, copy.deepcopy])
@pytest.mark.parametrize(
    "part",
    [
        lambda client: client,
        lambda client: client.keys,
        lambda client: client._settings,
        lambda client: Secret("x"),
    ],
    ids=["client", "keys", "settings", "secret"],
)
def test_what_holds_keys_is_not_pickled(part: Any, attempt: Any) -> None:
    thing = part(WeChatPay(**secret_options()))
    error = failure(lambda: attempt(thing))
    assert isinstance(error, TypeError)
    assert not leaked(rendered(error))


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (lambda client: client, "a client is not pickled, because it holds keys"),
        (lambda client: client.v3, "a node is not pickled, because its client holds"),
        (lambda client: Secret("x"), "key material is never pickled"),
    ],
    ids=["client", "node", "secret"],
)
def test_a_refusal_to_be_pickled_says_why(part: Any, text: str) -> None:
    with pytest.raises(TypeError, match=re.escape(text)):
        pickle.dumps(part(WeChatPay(**secret_options())))


def test_a_secret_shows_nothing_and_is_sealed_once() -> None:
    secret = Secret(APIV3_KEY)
    assert repr(secret) == str(secret) == f"{secret}" == "<secret>"
    assert seal(secret) is secret
    assert key_bytes(seal(b"x")).reveal() == b"x"
    assert not hasattr(secret, "__dict__")
