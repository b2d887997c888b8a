"""TLS contexts: one for all who need it, and nothing that a fork could leave locked."""

from __future__ import annotations

import ssl
import threading
from typing import Any

import pytest

from wechatpay_chain.transports.settings import NetworkSettings


def test_a_context_is_made_once() -> None:
    settings = NetworkSettings()
    assert settings.tls is settings.tls
    assert settings.mutual_tls is settings.tls  # no certificate to show


def test_one_thread_does_not_wait_for_another_that_makes_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings, make = NetworkSettings(), ssl.create_default_context
    begun, over = threading.Event(), threading.Event()

    def stuck(*args: Any, **options: Any) -> ssl.SSLContext:
        if threading.current_thread() is thread:
            begun.set()
            assert over.wait(20)
        return make(*args, **options)

    monkeypatch.setattr(ssl, "create_default_context", stuck)
    found: list[ssl.SSLContext] = []
    thread = threading.Thread(target=lambda: found.append(settings.tls), daemon=True)
    thread.start()
    try:
        assert begun.wait(20)
        mine = settings.tls
    finally:
        over.set()
        thread.join(20)
    assert found == [mine]  # the first that was made is everybody's
