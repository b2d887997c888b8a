"""The key ring: a key is found by its id only, and no refresh empties it."""

from __future__ import annotations

import copy
import pickle
from datetime import datetime, timezone
from typing import Any

import pytest
from key_material import merchant_key, wechat_key

from wechatpay_chain.crypto import KeyRing, WeChatKey, normal_serial, serial_text

PUBLIC = "PUB_KEY_ID_0114232134912410000000000000"
OLD, NEW = "0A1B" * 10, "7132" * 10
KEY = wechat_key().public_key()


def certified(serial: str, year: int) -> WeChatKey:
    since = datetime(year, 6, 1, tzinfo=timezone.utc)
    return WeChatKey(serial, KEY, since, since.replace(year=year + 5))


def ring(*keys: WeChatKey, year: int = 2024) -> KeyRing:
    """A ring of *keys* in the middle of that year's June."""
    now = datetime(year, 6, 15, tzinfo=timezone.utc).timestamp()
    return KeyRing({key.serial: key for key in keys}, clock=lambda: now)


@pytest.mark.parametrize(
    "spelling", [OLD, OLD.lower(), OLD.lstrip("0"), f" {OLD.lower()}\n"]
)
def test_a_serial_is_found_in_any_spelling(spelling: str) -> None:
    keys = ring(certified(OLD, 2020))
    found = keys.find(spelling)
    assert found is not None
    assert found.serial == OLD
    assert spelling in keys


def test_an_id_is_opaque() -> None:
    keys = ring(WeChatKey(PUBLIC, KEY))
    assert keys.find(PUBLIC.lower()) is None
    assert keys.find(PUBLIC[len("PUB_KEY_ID_") :]) is None
    assert normal_serial(PUBLIC) == PUBLIC


def test_an_unknown_id_finds_no_key_at_all() -> None:
    keys = ring(certified(OLD, 2020))
    assert keys.find(NEW) is None
    assert NEW not in keys
    assert 5 not in keys


def test_serials_of_certificates_keep_leading_zeros() -> None:
    assert serial_text(0x0A1B) == "0A1B".zfill(40)
    assert normal_serial("0a1b") == serial_text(0x0A1B)


def test_update_adds_and_replaces() -> None:
    keys = ring(certified(OLD, 2020))
    renewed = certified(OLD.lower(), 2021)
    keys.update(renewed, WeChatKey(PUBLIC, KEY))
    keys.update(renewed)
    assert len(keys) == 2
    assert keys.find(OLD) is renewed


def test_a_refresh_replaces_certificates_and_keeps_public_keys() -> None:
    keys = ring(certified(OLD, 2020), WeChatKey(PUBLIC, KEY))
    keys.replace_certificates(certified(NEW, 2024))
    assert list(keys) == [PUBLIC, NEW]


def test_a_refresh_that_brings_nothing_changes_nothing() -> None:
    keys = ring(certified(OLD, 2020))
    keys.replace_certificates()
    assert list(keys) == [OLD]


def test_readers_of_the_old_set_are_not_disturbed() -> None:
    keys = ring(certified(OLD, 2020), certified(NEW, 2024))
    reader = iter(keys)
    assert next(reader) == OLD
    keys.replace_certificates(certified("AB" * 20, 2025))
    assert list(reader) == [NEW]


@pytest.mark.parametrize(
    ("keys", "preferred"),
    [
        ([], None),
        ([certified(NEW, 2024), certified(OLD, 2020)], NEW),
        ([certified(OLD, 2020), certified(NEW, 2024)], NEW),
        ([WeChatKey(OLD, KEY), certified(NEW, 2020)], NEW),
        ([certified(NEW, 2024), WeChatKey(PUBLIC, KEY)], PUBLIC),
        ([WeChatKey(PUBLIC, KEY), WeChatKey("PUB_KEY_ID_02", KEY)], "PUB_KEY_ID_02"),
    ],
    ids=["none", "newest", "newest last", "dated", "public", "latest public"],
)
def test_the_key_to_encrypt_with(keys: list[WeChatKey], preferred: Any) -> None:
    found = ring(*keys).preferred
    assert (found.serial if found else None) == preferred


@pytest.mark.parametrize(
    ("keys", "preferred"),
    [
        ([certified(OLD, 2020), certified(NEW, 2019)], OLD),
        ([certified(OLD, 2018), certified(NEW, 2019)], None),
        ([certified(OLD, 2018), WeChatKey(PUBLIC, KEY)], PUBLIC),
    ],
    ids=["one", "all", "not the public key"],
)
def test_what_has_expired_is_not_encrypted_with(
    keys: list[WeChatKey], preferred: Any
) -> None:
    found = ring(*keys, year=2024).preferred
    assert (found.serial if found else None) == preferred


@pytest.mark.parametrize(
    ("keys", "last"),
    [
        ([], None),
        ([certified(OLD, 2020)], 2025),
        ([certified(NEW, 2024), certified(OLD, 2020)], 2029),
        ([certified(OLD, 2020), WeChatKey(PUBLIC, KEY)], 9999),
        ([WeChatKey(OLD, KEY)], 9999),
    ],
    ids=["empty", "one", "the longest lived", "a public key", "a bare key"],
)
def test_a_ring_is_usable_until_its_last_key_expires(
    keys: list[WeChatKey], last: int | None
) -> None:
    if last is None:
        assert not ring().usable(0)
        return
    end = datetime(last, 6, 1, tzinfo=timezone.utc).timestamp()
    assert ring(*keys).usable(end - 1)
    assert ring(*keys).usable(end) is (last == 9999)


def test_a_ring_that_is_changed_knows_its_end_anew() -> None:
    keys = ring(certified(OLD, 2020))
    end = datetime(2025, 6, 1, tzinfo=timezone.utc).timestamp()
    keys.replace_certificates(certified(NEW, 2024))
    assert keys.usable(end)


@pytest.mark.parametrize(
    ("keys", "public_key_id"),
    [
        ([], None),
        ([certified(NEW, 2024)], None),
        ([certified(NEW, 2024), WeChatKey(PUBLIC, KEY)], PUBLIC),
    ],
)
def test_only_a_public_key_is_asked_for(keys: Any, public_key_id: Any) -> None:
    assert ring(*keys).public_key_id == public_key_id


def test_it_maps_an_id_to_a_key() -> None:
    keys = KeyRing({PUBLIC: KEY, OLD.lower(): certified(OLD, 2020)})
    assert keys[PUBLIC] == WeChatKey(PUBLIC, KEY)
    assert keys.public_key_id == PUBLIC
    assert keys[OLD.lstrip("0")] == certified(OLD, 2020)
    with pytest.raises(KeyError):
        keys[NEW]


@pytest.mark.parametrize(
    ("name", "key", "text"),
    [
        (PUBLIC, "pub_key.pem", "str to str"),
        (PUBLIC, merchant_key(), "str to RSAPrivateKey"),
        (5, KEY, "int to RSAPublicKey"),
    ],
)
def test_what_is_no_public_key_is_refused(name: Any, key: Any, text: str) -> None:
    with pytest.raises(TypeError, match=f"{text}; certs= of a client takes every form"):
        KeyRing({name: key})


def test_repr_shows_ids() -> None:
    assert repr(KeyRing()) == "<KeyRing empty>"
    keys = ring(certified(OLD, 2020), WeChatKey(PUBLIC, KEY))
    assert repr(keys) == f"<KeyRing {OLD}, {PUBLIC}>"


@pytest.mark.parametrize("attempt", [pickle.dumps, copy.copy, copy.deepcopy])
def test_a_ring_is_not_pickled(attempt: Any) -> None:
    with pytest.raises(TypeError, match="build it in each process"):
        attempt(ring(WeChatKey(PUBLIC, merchant_key().public_key())))
