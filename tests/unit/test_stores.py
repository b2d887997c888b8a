"""Stores of platform certificates: what is kept, who may download, what may break."""

from __future__ import annotations

import logging
import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import stores
from wechatpay_chain.stores import DirectoryStore, MemoryStore, Stored

MCHID = "1900000109"
BODY = b'{"data":[]}\n\x00\xff'


class Clock:
    """Seconds that a test sets."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["memory", "directory"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """Two views of one store, and a function that lets seconds pass for its locks."""
    if request.param == "memory":
        clock = Clock(0.0)
        store = MemoryStore(timer=clock)
        return store, store, lambda seconds: setattr(clock, "now", clock.now + seconds)

    folder = tmp_path / "shared"

    def age(seconds: float) -> None:
        for lock in folder.glob("*.lock"):
            then = lock.stat().st_mtime - seconds
            os.utime(lock, (then, then))

    return DirectoryStore(folder), DirectoryStore(str(folder)), age


class TestEveryStore:
    def test_is_empty_at_first(self, shared: Any) -> None:
        assert shared[0].load(MCHID) is None

    def test_gives_back_what_was_saved_to_the_byte(self, shared: Any) -> None:
        one, other, _ = shared
        one.save(MCHID, Stored(BODY, 1717225200.25))
        assert other.load(MCHID) == Stored(BODY, 1717225200.25)

    def test_keeps_the_latest(self, shared: Any) -> None:
        one, other, _ = shared
        one.save(MCHID, Stored(BODY, 1.0))
        other.save(MCHID, Stored(b"[]", 2.0))
        assert one.load(MCHID) == Stored(b"[]", 2.0)

    def test_keeps_merchants_apart(self, shared: Any) -> None:
        one, other, _ = shared
        one.save(MCHID, Stored(BODY, 1.0))
        assert other.load("1900000110") is None
        assert one.claim(MCHID, 20)
        assert other.claim("1900000110", 20)

    def test_one_claim_at_a_time(self, shared: Any) -> None:
        one, other, _ = shared
        assert one.claim(MCHID, 20)
        assert not other.claim(MCHID, 20)
        one.release(MCHID)
        assert other.claim(MCHID, 20)

    def test_a_claim_ends_by_itself(self, shared: Any) -> None:
        one, other, pass_ = shared
        assert one.claim(MCHID, 20)
        pass_(15)
        assert not other.claim(MCHID, 20)
        pass_(10)
        assert other.claim(MCHID, 20)
        assert not one.claim(MCHID, 20)

    def test_releasing_without_a_claim_is_nothing(self, shared: Any) -> None:
        shared[0].release(MCHID)
        assert shared[0].claim(MCHID, 20)

    def test_of_many_threads_one_has_the_claim(self, shared: Any) -> None:
        one, other, _ = shared
        with ThreadPoolExecutor(8) as pool:
            for _ in range(20):
                start = threading.Barrier(8)

                def claim(
                    number: int, start: threading.Barrier = start
                ) -> tuple[Any, bool]:
                    store = (one, other)[number % 2]
                    start.wait(20)
                    return store, store.claim(MCHID, 20)

                owners = [store for store, held in pool.map(claim, range(8)) if held]
                assert len(owners) == 1
                owners[0].release(MCHID)


class TestStored:
    def test_shows_no_body(self) -> None:
        assert repr(Stored(BODY, 1.0)) == "Stored(time=1.0)"

    @pytest.mark.parametrize(
        ("body", "time", "problem"),
        [
            ("text", 1.0, "body: bytes expected, got str"),
            (None, 1.0, "body: bytes expected, got NoneType"),
            (BODY, "1", "time: seconds expected, got str"),
            (BODY, float("nan"), "time: seconds expected, got nan"),
        ],
    )
    def test_refuses_what_a_store_has_made_of_it(
        self, body: Any, time: Any, problem: str
    ) -> None:
        with pytest.raises(TypeError) as caught:
            Stored(body, time)
        assert str(caught.value) == problem


class TestMemoryStore:
    def test_a_claim_of_the_parent_is_none_of_a_forked_child(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = MemoryStore()
        assert store.claim(MCHID, 20)
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert store.claim(MCHID, 20)
        assert not store.claim(MCHID, 20)

    def test_repr_counts(self) -> None:
        store = MemoryStore()
        store.save(MCHID, Stored(BODY, 1.0))
        assert repr(store) == "<MemoryStore of 1>"


class TestDirectoryStore:
    @pytest.fixture
    def store(self, tmp_path: Path) -> DirectoryStore:
        return DirectoryStore(tmp_path / "a" / "b")

    @pytest.fixture
    def file(self, store: DirectoryStore) -> Path:
        return Path(store.path, f"{MCHID}.certificates")

    def test_makes_nothing_until_it_is_written_to(
        self, store: DirectoryStore, tmp_path: Path
    ) -> None:
        assert store.load(MCHID) is None
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("write", ["save", "claim"])
    def test_what_it_makes_is_for_its_owner_only(
        self, store: DirectoryStore, write: str
    ) -> None:
        if write == "save":
            store.save(MCHID, Stored(BODY, 1.0))
        else:
            assert store.claim(MCHID, 20)
        (made,) = Path(store.path).iterdir()
        assert stat.S_IMODE(made.stat().st_mode) == 0o600
        assert stat.S_IMODE(Path(store.path).stat().st_mode) == 0o700

    def test_leaves_nothing_behind_but_the_set(
        self, store: DirectoryStore, file: Path
    ) -> None:
        assert store.claim(MCHID, 20)
        store.save(MCHID, Stored(BODY, 1.0))
        store.release(MCHID)
        assert list(Path(store.path).iterdir()) == [file]

    def test_the_path_is_from_the_root_and_may_start_at_home(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert DirectoryStore("here").path == str(tmp_path / "here")
        assert DirectoryStore("~/there").path == str(tmp_path / "there")
        assert repr(DirectoryStore("/x")) == "DirectoryStore('/x')"

    @pytest.mark.parametrize("failing", ["write", "replace"])
    def test_a_save_that_fails_keeps_the_old_set_and_no_draft(
        self,
        store: DirectoryStore,
        file: Path,
        monkeypatch: pytest.MonkeyPatch,
        failing: str,
    ) -> None:
        store.save(MCHID, Stored(BODY, 1.0))

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        if failing == "replace":
            monkeypatch.setattr(os, "replace", full)
            later = Stored(b"new", 2.0)
        else:
            later = Stored(b"new", 2.0)
            object.__setattr__(later, "body", None)
        with pytest.raises((OSError, TypeError)):
            store.save(MCHID, later)
        monkeypatch.undo()
        assert store.load(MCHID) == Stored(BODY, 1.0)
        assert list(Path(store.path).iterdir()) == [file]

    @pytest.mark.parametrize(
        "content",
        [
            b"",
            b"\n",
            BODY,
            b"wechatpay_chain certificates 1 \n[]",
            b"wechatpay_chain certificates 1 soon\n[]",
            b"wechatpay_chain certificates 1 nan\n[]",
            b"wechatpay_chain certificates 1 -5\n[]",
            b"wechatpay_chain certificates 1 5",
            b"wechatpay_chain certificates 1 5\n",
            b"wechatpay_chain certificates 2 5\n[]",
        ],
    )
    def test_a_damaged_file_is_no_set_and_reported_once(
        self,
        store: DirectoryStore,
        file: Path,
        caplog: pytest.LogCaptureFixture,
        content: bytes,
    ) -> None:
        store.save(MCHID, Stored(BODY, 1.0))
        file.write_bytes(content)
        with caplog.at_level(logging.WARNING, "wechatpay_chain"):
            assert store.load(MCHID) is None
            assert store.load(MCHID) is None
        assert caplog.messages == [f"{file} is damaged, and will be written anew"]
        store.save(MCHID, Stored(BODY, 2.0))
        assert store.load(MCHID) == Stored(BODY, 2.0)

    def test_a_file_without_end_is_cut_off(
        self, store: DirectoryStore, file: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(stores, "_LARGEST", 60)
        store.save(MCHID, Stored(b"x" * 1000, 1.0))
        loaded = store.load(MCHID)
        assert loaded is not None
        assert len(loaded.body) < 60

    def test_a_pipe_in_its_place_keeps_nobody_waiting(
        self, store: DirectoryStore, file: Path
    ) -> None:
        file.parent.mkdir(parents=True)
        os.mkfifo(file)
        with pytest.raises(OSError, match="not a plain file"):
            store.load(MCHID)
        store.save(MCHID, Stored(BODY, 1.0))
        assert store.load(MCHID) == Stored(BODY, 1.0)

    @pytest.mark.parametrize("mchid", ["", "../x", "a/b", "a.b", "a\n", "x" * 65])
    @pytest.mark.parametrize("method", ["load", "save", "claim", "release"])
    def test_no_merchant_number_leads_out_of_the_directory(
        self, store: DirectoryStore, mchid: str, method: str
    ) -> None:
        more = {"save": (Stored(BODY, 1.0),), "claim": (20,)}.get(method, ())
        with pytest.raises(ValueError, match="letters and digits"):
            getattr(store, method)(mchid, *more)

    def test_a_release_spares_the_lock_of_who_took_over(
        self, store: DirectoryStore
    ) -> None:
        other = DirectoryStore(store.path)
        assert store.claim(MCHID, 20)
        lock = Path(store.path, f"{MCHID}.lock")
        os.utime(lock, (1, 1))
        assert other.claim(MCHID, 20)
        store.release(MCHID)
        assert lock.exists()
        other.release(MCHID)
        assert not lock.exists()

    def test_a_release_of_a_lock_that_is_gone_is_nothing(
        self, store: DirectoryStore
    ) -> None:
        assert store.claim(MCHID, 20)
        Path(store.path, f"{MCHID}.lock").unlink()
        store.release(MCHID)
        assert store.claim(MCHID, 20)

    @pytest.mark.parametrize("moved", [True, False], ids=["future", "past"])
    def test_a_lock_of_another_time_is_taken_over(
        self, store: DirectoryStore, moved: bool
    ) -> None:
        assert store.claim(MCHID, 20)
        lock = Path(store.path, f"{MCHID}.lock")
        then = lock.stat().st_mtime + (100 if moved else -100)
        os.utime(lock, (then, then))
        assert DirectoryStore(store.path).claim(MCHID, 20)


class TestTakeOver:
    """Several find a lock too old at once: one takes it over."""

    @pytest.fixture
    def lock(self, tmp_path: Path) -> Path:
        lock = tmp_path / f"{MCHID}.lock"
        lock.touch()
        os.utime(lock, (1, 1))
        return lock

    def interfere(
        self,
        monkeypatch: pytest.MonkeyPatch,
        name: str,
        action: Callable[[], object],
        module: Any = os,
    ) -> None:
        """Run *action* right before the first call of that function."""
        original = getattr(module, name)
        first = iter([action])

        def interfered(*args: Any, **kwargs: Any) -> Any:
            next(first, lambda: None)()
            return original(*args, **kwargs)

        monkeypatch.setattr(module, name, interfered)

    def test_a_lock_that_was_taken_over_meanwhile_is_put_back(
        self, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        other = DirectoryStore(tmp_path)
        store = DirectoryStore(tmp_path)

        def taken() -> None:
            assert other.claim(MCHID, 20)

        self.interfere(monkeypatch, "rename", taken)
        assert not store.claim(MCHID, 20)
        assert list(tmp_path.iterdir()) == [lock]
        other.release(MCHID)
        assert not lock.exists()

    def test_a_lock_that_vanishes_before_it_is_moved_is_free(
        self, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.interfere(monkeypatch, "rename", lock.unlink)
        assert DirectoryStore(tmp_path).claim(MCHID, 20)

    def test_a_lock_that_vanishes_before_it_is_looked_at_is_free(
        self, lock: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lock.touch()  # not too old
        self.interfere(monkeypatch, "_identity", lock.unlink, stores)
        assert DirectoryStore(tmp_path).claim(MCHID, 20)

    def test_a_lock_that_vanishes_before_its_release_is_no_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        store = DirectoryStore(tmp_path)
        assert store.claim(MCHID, 20)
        self.interfere(
            monkeypatch, "unlink", lambda: os.rename(tmp_path / f"{MCHID}.lock", "x")
        )
        monkeypatch.chdir(tmp_path)
        store.release(MCHID)
        assert not (tmp_path / f"{MCHID}.lock").exists()
