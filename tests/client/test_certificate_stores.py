"""A fleet shares its certificates through a store, and no call fails by the store."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certificate_gateway import OLD_EXPIRES, entry

from wechatpay_chain import ConnectError, Retry, UnknownSerial
from wechatpay_chain.stores import DirectoryStore, MemoryStore, Stored


class Own:
    """The user's own store: what is asked is kept, and any method may be replaced."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        self.inner = MemoryStore()
        self.asked: list[str] = []
        self.methods = methods

    def _do(self, name: str, *args: Any) -> Any:
        self.asked.append(name)
        return self.methods.get(name, getattr(self.inner, name))(*args)

    def load(self, mchid: str) -> Any:
        return self._do("load", mchid)

    def save(self, mchid: str, stored: Stored) -> Any:
        return self._do("save", mchid, stored)

    def claim(self, mchid: str, seconds: float) -> Any:
        return self._do("claim", mchid, seconds)

    def release(self, mchid: str) -> Any:
        return self._do("release", mchid)


class Awaited(Own):
    """The same with coroutine methods."""

    async def load(self, mchid: str) -> Any:
        return self._do("load", mchid)

    async def save(self, mchid: str, stored: Stored) -> Any:
        return self._do("save", mchid, stored)

    async def claim(self, mchid: str, seconds: float) -> Any:
        return self._do("claim", mchid, seconds)

    async def release(self, mchid: str) -> Any:
        return self._do("release", mchid)


def never(*_: Any) -> bool:
    """A claim that another holds."""
    return False


@pytest.fixture
def stored(server) -> Callable[..., Stored]:
    """Makes what another worker would have stored."""

    def make(*names: str, age: float = 0.0, key: str | None = None) -> Stored:
        listed = {"data": [entry(server, name, key=key) for name in names]}
        return Stored(json.dumps(listed).encode(), server.now - age)

    return make


class TestFleet:
    @pytest.mark.parametrize("kind", ["memory", "directory", "text", "own"])
    def test_one_worker_downloads_for_all(
        self, call, server, downloading, gateway, tmp_path, kind: str
    ) -> None:
        folder = tmp_path / "certificates"
        store = {
            "memory": MemoryStore(),
            "directory": folder,
            "text": str(folder),
            "own": Own(),
        }[kind]
        for _ in range(3):
            client = downloading(certificate_store=store)
            assert call(client.v3.x.get).verified
        assert gateway.downloads == 1

    def test_what_is_stored_is_the_answer_still_sealed(
        self, call, server, downloading, gateway
    ) -> None:
        store = MemoryStore()
        call(downloading(certificate_store=store).v3.x.get)
        kept = store.load(server.keys["mchid"])
        assert kept == Stored(json.dumps(gateway.listed).encode(), server.now)
        assert b"BEGIN CERTIFICATE" not in kept.body
        assert server.keys["apiv3_key"].encode() not in kept.body

    def test_the_claim_is_released(self, call, downloading, tmp_path) -> None:
        call(downloading(certificate_store=tmp_path).v3.x.get)
        assert [file.suffix for file in tmp_path.iterdir()] == [".certificates"]

    def test_a_full_store_is_only_read(
        self, call, server, downloading, gateway, stored
    ) -> None:
        store = Own()
        store.inner.save(server.keys["mchid"], stored("new"))
        client = downloading(certificate_store=store)
        call(client.v3.x.get)
        call(client.v3.x.get)
        assert store.asked == ["load"]
        assert gateway.downloads == 0

    def test_an_old_stored_set_serves_and_is_renewed_after_the_call(
        self, call, server, downloading, gateway, stored
    ) -> None:
        store = MemoryStore()
        store.save(server.keys["mchid"], stored("new", age=12 * 3600 + 1))
        client = downloading(certificate_store=store)
        assert call(client.v3.x.get).verified
        assert [request.path for request in server.requests] == [
            "/v3/x",
            "/v3/certificates",
        ]
        assert store.load(server.keys["mchid"]).time == server.now

    def test_the_time_that_the_store_took_is_not_counted_twice(
        self, call, server, downloading, gateway, stored
    ) -> None:
        def slow(mchid: str) -> Stored:
            server.now += next(delays, 0)
            return old

        delays, old = iter([7]), stored("new", age=12 * 3600 + 1)
        policy = Retry(1, deadline=10.0, timer=lambda: server.now)
        store = Own(load=slow)
        client = downloading(certificate_store=store, retry=policy, timeout=10)
        call(client.v3.x.get)
        assert server.requests[0].deadline == 3
        assert gateway.downloads == 1

    def test_a_renewal_by_one_renews_for_all(
        self, call, server, downloading, gateway
    ) -> None:
        store = MemoryStore()
        clients = [downloading(certificate_store=store) for _ in range(3)]
        for client in clients:
            call(client.v3.x.get)
        server.now += 12 * 3600 + 1
        gateway.lists("new", "old")
        for client in clients:
            call(client.v3.x.get)
            assert set(client.keys) == {server.new_serial, server.old_serial}
        assert gateway.downloads == 2

    def test_an_unknown_serial_is_looked_for_in_the_store_first(
        self, call, server, downloading, gateway, stored
    ) -> None:
        store = MemoryStore()
        gateway.lists("old")
        server.signs_with = server.old_serial
        client = downloading(certificate_store=store)
        call(client.v3.x.get)
        server.now += 61
        store.save(server.keys["mchid"], stored("new"))
        server.signs_with = server.new_serial
        assert call(client.v3.x.get).verified
        assert gateway.downloads == 1

    def test_a_forged_serial_costs_the_fleet_one_download_a_minute(
        self, call, server, downloading, gateway
    ) -> None:
        store = MemoryStore()
        clients = [downloading(certificate_store=store) for _ in range(4)]
        for client in clients:
            call(client.v3.x.get)
        server.signs_with = server.old_serial
        for seconds, downloads in [(61, 2), (30, 2), (31, 3)]:
            server.now += seconds
            for client in clients:
                with pytest.raises(UnknownSerial):
                    call(client.v3.x.get)
            assert gateway.downloads == downloads


class TestAnotherWorker:
    """What happens while another holds the claim."""

    def test_its_set_is_waited_for(
        self, call, server, downloading, gateway, stored
    ) -> None:
        looks = iter([None, None, None, stored("new")])
        store = Own(claim=never, load=lambda _: next(looks))
        assert call(downloading(certificate_store=store).v3.x.get).verified
        assert server.slept == [0.05, 0.1]
        assert gateway.downloads == 0

    def test_one_that_gives_up_is_followed(
        self, call, server, downloading, gateway
    ) -> None:
        claims = iter([False, False, True])
        store = Own(claim=lambda *_: next(claims))
        assert call(downloading(certificate_store=store).v3.x.get).verified
        assert server.slept == [0.05, 0.1]
        assert gateway.downloads == 1
        assert store.asked[-2:] == ["save", "release"]

    def test_one_that_never_comes_is_waited_for_no_longer_than_the_call_can(
        self, call, server, downloading, gateway
    ) -> None:
        store = Own(claim=never)
        policy = Retry(1, deadline=8.0, timer=lambda: 0.0)
        client = downloading(certificate_store=store, retry=policy, timeout=8)
        assert call(client.v3.x.get).verified
        assert 4 <= sum(server.slept) < 4.5
        assert gateway.downloads == 1
        assert "release" not in store.asked

    def test_the_time_of_a_slow_store_counts(
        self, call, server, downloading, gateway
    ) -> None:
        def slow(*_: Any) -> bool:
            server.now += 3
            return False

        policy = Retry(1, deadline=10.0, timer=lambda: server.now)
        store = Own(claim=slow)
        client = downloading(certificate_store=store, retry=policy, timeout=10)
        assert call(client.v3.x.get).verified
        assert store.asked.count("claim") == 2
        assert gateway.downloads == 1

    def test_a_renewal_is_left_to_it(
        self, call, server, downloading, gateway, stored
    ) -> None:
        store = Own()
        client = downloading(certificate_store=store)
        call(client.v3.x.get)
        server.now += 12 * 3600 + 1
        store.methods["claim"] = never
        store.asked.clear()
        call(client.v3.x.get)
        call(client.v3.x.get)  # not again within the minute
        assert store.asked == ["load", "claim", "load"]
        assert server.slept == []
        server.now += 60
        store.inner.save(server.keys["mchid"], stored("new", "old"))
        call(client.v3.x.get)
        assert set(client.keys) == {server.new_serial, server.old_serial}
        assert gateway.downloads == 1

    def test_an_unknown_serial_is_waited_for(
        self, call, server, downloading, gateway, stored
    ) -> None:
        store = Own()
        gateway.lists("old")
        server.signs_with = server.old_serial
        client = downloading(certificate_store=store)
        call(client.v3.x.get)
        server.now += 61
        looks = iter([None, None, None, stored("new")])
        store.methods.update(claim=never, load=lambda _: next(looks))
        server.signs_with = server.new_serial
        assert call(client.v3.x.get).verified
        assert server.slept == [0.05, 0.1]
        assert gateway.downloads == 1


class TestRelease:
    def test_after_a_download_that_failed(
        self, call, server, downloading, gateway
    ) -> None:
        def fails(request: Any) -> Any:
            raise ConnectError("refused")

        gateway.listed = fails
        store = Own()
        client = downloading(certificate_store=store)
        with pytest.raises(ConnectError):
            call(client.v3.x.get)
        assert store.asked == ["load", "claim", "load", "release"]
        assert store.inner.claim(server.keys["mchid"], 20)

    def test_a_cancelled_call_leaves_its_claim_to_the_next(
        self, call, server, downloading, gateway
    ) -> None:
        def cancelled(request: Any) -> Any:
            raise KeyboardInterrupt

        good, gateway.listed = gateway.listed, cancelled
        store = Own()
        client = downloading(certificate_store=store)
        with pytest.raises(KeyboardInterrupt):
            call(client.v3.x.get)
        gateway.listed = good
        assert call(client.v3.x.get).verified
        assert server.slept == []
        assert store.asked[-2:] == ["save", "release"]
        assert store.asked.count("claim") == 1

    def test_a_claim_of_the_parent_is_none_of_a_forked_child(
        self, call, server, downloading, gateway, monkeypatch
    ) -> None:
        def cancelled(request: Any) -> Any:
            raise KeyboardInterrupt

        good, gateway.listed = gateway.listed, cancelled
        store = Own()
        client = downloading(certificate_store=store)
        with pytest.raises(KeyboardInterrupt):
            call(client.v3.x.get)
        gateway.listed = good
        parent = os.getpid()
        monkeypatch.setattr(os, "getpid", lambda: parent + 1)
        assert call(client.v3.x.get).verified
        assert store.asked.count("claim") == 2


class TestAStoreThatFails:
    @pytest.mark.parametrize("method", ["load", "save", "claim", "release"])
    def test_costs_a_warning_and_no_call(
        self, call, server, downloading, gateway, caplog, method: str
    ) -> None:
        def fails(*_: Any) -> Any:
            raise OSError(28, "No space left on device", "/secret/path")

        store = Own(**{method: fails})
        client = downloading(certificate_store=store)
        with caplog.at_level(logging.WARNING, "wechatpay_chain"):
            assert call(client.v3.x.get).verified
        assert gateway.downloads == 1
        assert caplog.messages == [
            f"platform certificates: certificate_store.{method} failed, going on "
            "without: OSError: No space left on device"
        ]

    def test_is_asked_again_at_the_next_occasion(
        self, call, server, downloading, gateway
    ) -> None:
        failures = iter([OSError()])

        def load(mchid: str) -> Any:
            for failure in failures:
                raise failure
            return store.inner.load(mchid)

        store = Own(load=load)
        client = downloading(certificate_store=store)
        call(client.v3.x.get)
        assert store.asked == ["load"]
        server.now += 12 * 3600 + 1
        call(client.v3.x.get)
        assert store.inner.load(server.keys["mchid"]).time == server.now

    def test_is_told_to_release_after_a_save_that_failed(
        self, call, server, downloading
    ) -> None:
        def fails(*_: Any) -> Any:
            raise OSError

        store = Own(save=fails)
        call(downloading(certificate_store=store).v3.x.get)
        assert store.asked[-2:] == ["save", "release"]
        assert store.inner.claim(server.keys["mchid"], 20)

    def test_is_not_quoted(self, call, server, downloading, caplog) -> None:
        class Refused(Exception):
            pass

        def fails(*_: Any) -> Any:
            raise Refused("redis://user:password@host")

        call(downloading(certificate_store=Own(load=fails)).v3.x.get)
        assert "Refused" in caplog.text
        assert "password" not in caplog.text

    @pytest.mark.parametrize("found", [b"x", {"body": b"x"}, ("x", 1.0), True])
    def test_by_giving_what_is_no_set(
        self, call, downloading, gateway, caplog, found: Any
    ) -> None:
        store = Own(load=lambda _: found)
        assert call(downloading(certificate_store=store).v3.x.get).verified
        assert gateway.downloads == 1
        assert f"it returned {type(found).__name__}, not Stored" in caplog.text

    def test_by_saying_nothing_has_not_given_the_claim(
        self, call, server, downloading, gateway
    ) -> None:
        claims = iter([None, 1])  # as SET NX of Redis answers
        store = Own(claim=lambda *_: next(claims))
        assert call(downloading(certificate_store=store).v3.x.get).verified
        assert server.slept == [0.05]


class TestCoroutineMethods:
    def test_are_awaited(self, call, server, downloading, gateway, caplog) -> None:
        store = Awaited()
        for _ in range(2):
            client = downloading(certificate_store=store)
            assert call(client.v3.x.get).verified
        if call.mode == "async":
            assert gateway.downloads == 1
            assert caplog.text == ""
        else:
            # Nothing awaits them there: each client says so, and goes on without.
            assert gateway.downloads == 2
            assert caplog.text.count("is a coroutine function") == 2
            assert store.asked == []


class TestAStoredSetOfNoUse:
    @pytest.mark.parametrize(
        ("case", "reason"),
        [
            ("other key", "do not open with apiv3_key"),
            ("empty", "it is empty"),
            ("no list", "without a list 'data'"),
            ("cut", "without a list 'data'"),
            ("changed", "do not open with apiv3_key"),
            ("expired", "has expired"),
            ("future", "it is dated in the future"),
        ],
    )
    def test_is_ignored_and_replaced(
        self, call, server, downloading, gateway, stored, caplog, tmp_path, case, reason
    ) -> None:
        if case == "expired":
            server.now = float(OLD_EXPIRES)
        good = stored("old")
        bad = {
            "other key": lambda: stored("new", key="0" * 32),
            "empty": lambda: stored(),
            "no list": lambda: Stored(b"{}", server.now),
            "cut": lambda: Stored(good.body[:-10], server.now),
            "changed": lambda: Stored(
                good.body.replace(b'"nonce": "6', b'"nonce": "7'), server.now
            ),
            "expired": lambda: good,
            "future": lambda: stored("old", age=-301),
        }[case]()
        mchid, store = server.keys["mchid"], DirectoryStore(tmp_path)
        store.save(mchid, bad)
        client = downloading(certificate_store=store)
        with caplog.at_level(logging.WARNING, "wechatpay_chain"):
            assert call(client.v3.x.get).verified
        (message,) = caplog.messages
        assert message.startswith("platform certificates: the stored set is ignored: ")
        assert reason in message
        assert list(client.keys) == [server.new_serial]
        assert gateway.downloads == 1
        kept = store.load(mchid)
        assert kept is not None
        assert kept.body == json.dumps(gateway.listed).encode()

    def test_a_planted_certificate_does_not_open(
        self, call, server, downloading, gateway, stored, tmp_path: Path
    ) -> None:
        planted = entry(server, "old")
        planted["encrypt_certificate"]["ciphertext"] = server.keys[
            "platform_cert_old_pem"
        ]
        store = DirectoryStore(tmp_path)
        body = json.dumps({"data": [planted]}).encode()
        store.save(server.keys["mchid"], Stored(body, server.now))
        client = downloading(certificate_store=store)
        call(client.v3.x.get)
        assert list(client.keys) == [server.new_serial]

    def test_one_that_is_not_newer_changes_nothing(
        self, call, server, downloading, gateway, stored
    ) -> None:
        def fails(request: Any) -> Any:
            raise ConnectError("refused")

        store = MemoryStore()
        client = downloading(certificate_store=store)
        call(client.v3.x.get)
        store.save(server.keys["mchid"], stored("old"))
        gateway.listed = fails
        server.now += 12 * 3600 + 1
        call(client.v3.x.get)
        assert gateway.downloads == 2
        assert list(client.keys) == [server.new_serial]


class TestDerivedClients:
    def test_share_what_was_downloaded(
        self, call, server, downloading, gateway
    ) -> None:
        client = downloading(certificate_store=MemoryStore())
        call(client.v3.x.get)
        call(client.with_options(timeout=5).v3.x.get)
        assert gateway.downloads == 1

    def test_take_another_store_in_its_place(
        self, call, server, downloading, gateway
    ) -> None:
        client = downloading(certificate_store=MemoryStore())
        call(client.v3.x.get)
        other = MemoryStore()
        call(client.with_options(certificate_store=other).v3.x.get)
        assert gateway.downloads == 2
        assert other.load(server.keys["mchid"]) is not None
        call(client.with_options(certificate_store=None).v3.x.get)
        assert gateway.downloads == 3
