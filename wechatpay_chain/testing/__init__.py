"""Help for tests of programs that use WeChat Pay (微信支付).

With pytest the fixtures ``gateway``, ``wechatpay`` and ``merchant`` are there by
themselves, see :mod:`.plugin`. What they are made of can be used without pytest too:

>>> from wechatpay_chain.sandbox import Gateway
>>> from wechatpay_chain.testing import conformance
>>> report = conformance(lambda request: 200, gateway=Gateway(seed=1))
>>> [check.name for check in report.wrong]
['signature probe', 'bad signature', 'expired timestamp']
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .endpoint import Delivery, NotifyEndpoint
    from .handler_kit import Check, Report, conformance

__all__ = ["Check", "Delivery", "NotifyEndpoint", "Report", "conformance"]

_HOMES = {
    "Check": "handler_kit",
    "Delivery": "endpoint",
    "NotifyEndpoint": "endpoint",
    "Report": "handler_kit",
    "conformance": "handler_kit",
}


def __getattr__(name: str) -> Any:
    # pytest loads this package in every project that has it installed, needed or not;
    # so the sandbox waits until somebody asks.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
