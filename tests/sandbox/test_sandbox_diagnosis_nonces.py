"""Which nonces are remembered: few, each once, and the earliest go first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from wechatpay_chain.sandbox.signatures.nonces import Nonces


def test_each_is_new_once() -> None:
    nonces = Nonces()
    assert nonces.add("m", "10", "a")
    assert nonces.seen("m", "10", "a")
    assert not nonces.add("m", "10", "a")
    for other in [("n", "10", "a"), ("m", "11", "a"), ("m", "10", "b")]:
        assert not nonces.seen(*other)
        assert nonces.add(*other)


def test_the_earliest_is_forgotten_where_there_are_too_many() -> None:
    nonces = Nonces(limit=3)
    for name in "abcde":
        nonces.add("m", "10", name)
    assert len(nonces) == 3
    assert not nonces.seen("m", "10", "b")
    assert nonces.seen("m", "10", "c")


def test_what_the_clock_refuses_anyhow_is_forgotten() -> None:
    nonces = Nonces()
    for stamp in ("10", "20", "30"):
        nonces.add("m", stamp, "a", oldest=20 if stamp == "30" else 0)
    assert [nonces.seen("m", stamp, "a") for stamp in ("10", "20", "30")] == [
        False,
        True,
        True,
    ]


def test_the_latest_of_a_merchant_come_first() -> None:
    nonces = Nonces()
    for name in "abc":
        nonces.add("m", "10", name)
        nonces.add("n", "10", name.upper())
    assert nonces.recent("m", 2) == ["c", "b"]
    assert nonces.recent("nobody") == []


def test_going_back_in_time_forgets_everything() -> None:
    nonces = Nonces()
    nonces.add("m", "10", "a")
    nonces.clear()
    assert repr(nonces) == "<Nonces, 0 of 65536>"
    assert nonces.add("m", "10", "a")


def test_of_two_threads_one_is_first() -> None:
    nonces = Nonces()

    def first(number: int) -> bool:
        return nonces.add("m", "10", str(number // 4))

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(first, range(4000))) == 1000
