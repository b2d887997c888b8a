"""The pytest plugin: ``gateway``, ``wechatpay`` and ``merchant`` in every test.

A world of its own for each test, in memory: no socket, no thread, no real time. A test
that fails says what the gateway was asked last, and why it refused.

pytest imports this everywhere, so nothing of the sandbox is loaded before a fixture is
asked for. A project that has fixtures of these names keeps its own.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from ..client import WeChatPay
    from ..sandbox import Gateway
    from .endpoint import NotifyEndpoint

_GATEWAYS = pytest.StashKey["list[Gateway]"]()
#: The seed of a test that does not name one.
SEED = 1


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line(
        "markers",
        "gateway(**options): options of the sandbox that the fixture gateway makes, "
        "as in @pytest.mark.gateway(mode='certificate')",
    )
    config.addinivalue_line(
        "markers",
        "wechatpay(**options): options of the client that the fixture wechatpay makes, "
        "as in @pytest.mark.wechatpay(retry=1)",
    )


@pytest.fixture
def gateway(request: pytest.FixtureRequest) -> Iterator[Gateway]:
    """A WeChat Pay of this test's own: :class:`wechatpay_chain.sandbox.Gateway`.

    ``@pytest.mark.gateway(mode="certificate")`` gives it options.
    """
    from ..sandbox import Gateway

    options: dict[str, Any] = {"seed": SEED, **_options(request, "gateway")}
    with Gateway(**options) as made:
        request.node.stash.setdefault(_GATEWAYS, []).append(made)
        yield made


@pytest.fixture
def wechatpay(request: pytest.FixtureRequest, gateway: Gateway) -> Iterator[WeChatPay]:
    """A client of the merchant, wired to ``gateway``.

    ``@pytest.mark.wechatpay(retry=1)`` gives it options; WeChat Pay's own hosts are
    none of them.
    """
    options = _options(request, "wechatpay")
    _refuse_production(options)
    with gateway.client(**options) as made:
        yield made


@pytest.fixture
def merchant(gateway: Gateway) -> NotifyEndpoint:
    """The merchant's notify endpoint, to which ``gateway`` delivers.

    It verifies, ignores what it has had, and fails when told to: see
    :class:`wechatpay_chain.testing.NotifyEndpoint`.
    """
    from .endpoint import NotifyEndpoint

    made = NotifyEndpoint(gateway)
    gateway.deliver_to(made)
    return made


def _options(request: pytest.FixtureRequest, marker: str) -> dict[str, Any]:
    """What the markers of a test say; the nearest wins."""
    options: dict[str, Any] = {}
    for found in reversed(list(request.node.iter_markers(marker))):
        if found.args:
            raise pytest.UsageError(f"@pytest.mark.{marker} takes keywords only")
        options.update(found.kwargs)
    return options


def _refuse_production(options: Mapping[str, Any]) -> None:
    from ..middleware.signing import HOME

    for name in ("base_url", "backup_url"):
        # A dot at the end is the same host.
        host = (urlsplit(str(options.get(name) or "")).hostname or "").rstrip(".")
        if f".{host}".endswith(HOME):
            raise pytest.UsageError(
                f"{name}: {host} is WeChat Pay itself, and tests with the fixture "
                "wechatpay talk to the sandbox only"
            )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add to a failure what the gateways of the test have seen."""
    report = yield
    if report.failed:
        gateways: list[Gateway] = []
        for one in item.stash.get(_GATEWAYS, gateways):
            from .story import told

            report.sections.append((f"wechatpay sandbox: {report.when}", told(one)))
    return report
