"""The plugin, in projects that use it: pytest in pytest."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from wechatpay_chain.sandbox import Gateway

# pytester forgets what was imported in a run; keys are made once where it was before.
assert Gateway

pytest_plugins = ["pytester"]

PLUGIN = "wechatpay_chain.testing.plugin"

#: The example of the documentation, whole.
EXAMPLE = """
from wechatpay_chain.sandbox import After, ReplyLost

def complete(client, order, gateway):
    node = client.v3.payscore.serviceorder._out_order_no_.complete
    node.post(
        {
            "appid": gateway.appid,
            "service_id": gateway.service_id,
            "post_payments": [{"name": "fee", "amount": 100}],
            "total_amount": 100,
            "time_range": {"end_time": "20240601150000"},
        },
        out_order_no=order,
    )

def test_lost_reply_is_not_charged_twice(gateway, wechatpay, merchant):
    gateway.deduction = After(seconds=30)
    gateway.faults.add(on="payscore.complete", fault=ReplyLost(after_commit=True))
    order = gateway.given.order(state="CONFIRMED")
    complete(wechatpay, order, gateway)
    gateway.advance(minutes=1)
    assert gateway.orders[order].history == ["CREATED", "CONFIRMED", "PAYING", "PAID"]
    assert gateway.outbox.delivered("PAYSCORE.USER_PAID").once()
    assert merchant.of("PAYSCORE.USER_PAID")[0].resource["out_order_no"] == order
    gateway.faults.assert_all_used()
"""


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a test file with the plugin and no other, in this process."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def running(text: str, *options: str, **files: str) -> pytest.RunResult:
        pytester.makepyfile(text)
        if files:
            pytester.makepyfile(**files)
        return pytester.runpytest("-p", "no:cacheprovider", "-p", PLUGIN, *options)

    return running


def test_the_example_passes(run: Any) -> None:
    run(EXAMPLE).assert_outcomes(passed=1)


def test_each_test_has_a_world_of_its_own(run: Any) -> None:
    text = """
    import pytest

    @pytest.mark.parametrize("time", range(2))
    def test_it(gateway, wechatpay, time):
        assert len(gateway.orders) == len(gateway.journal) == 0
        gateway.trigger("payscore.created")
        assert [*gateway.orders][0].out_order_no == "SANDBOX001000001"
    """
    run(text).assert_outcomes(passed=2)


def test_markers_give_options(run: Any) -> None:
    text = """
    import pytest

    pytestmark = pytest.mark.gateway(mode="certificate", seed=5)

    def test_module(gateway):
        assert (gateway.mode, gateway.ids.seed) == ("certificate", 5)

    @pytest.mark.gateway(mode="migrating")
    @pytest.mark.wechatpay(accept_language="en")
    def test_nearest_wins(gateway, wechatpay):
        assert (gateway.mode, gateway.ids.seed) == ("migrating", 5)
        wechatpay.v3.security.echo.post({"echo_message": "x"})
        sent = [*gateway.journal][-1].request
        assert sent.headers["Accept-Language"] == "en"
    """
    run(text, "--strict-markers").assert_outcomes(passed=2)


@pytest.mark.parametrize("marker", ["gateway", "wechatpay"])
def test_marker_takes_keywords_only(run: Any, marker: str) -> None:
    text = f"""
    import pytest

    @pytest.mark.{marker}("certificate")
    def test_it(wechatpay):
        pass
    """
    result = run(text)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*@pytest.mark.{marker} takes keywords only*"])


@pytest.mark.parametrize(
    "url",
    [
        "https://api.mch.weixin.qq.com",
        "https://API2.mch.weixin.qq.com/global",
        "https://apihk.mch.weixin.qq.com",
        "https://api.wechatpay.cn",
        "https://api.mch.weixin.qq.com./",
    ],
)
@pytest.mark.parametrize("option", ["base_url", "backup_url"])
def test_production_is_refused(run: Any, url: str, option: str) -> None:
    text = f"""
    import pytest

    @pytest.mark.wechatpay({option}={url!r})
    def test_it(wechatpay):
        pass
    """
    result = run(text)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*{option}: * is WeChat Pay itself*"])


def test_a_failure_tells_what_the_gateway_saw(run: Any) -> None:
    text = """
    def test_it(gateway, wechatpay, merchant):
        merchant.fail()
        gateway.trigger("payscore.confirmed")
        wechatpay.v3.security.echo.post({"echo_messag": "secret text"}, check="off")
    """
    result = run(text.replace(', check="off"', ""))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*wechatpay sandbox: call*",
            "2 exchanges, the last:",
            "*1  200 *ok *POST /v3/payscore/serviceorder",
            "*2  400 *parameters *POST /v3/security/echo",
            "*PARAM_ERROR: *did you mean echo_message?",
            "1 notifications, the last:",
            "*pending *PAYSCORE.USER_CONFIRM, 1 attempts",
            "*last attempt: answered 500",
        ]
    )
    told = result.stdout.str().partition("wechatpay sandbox: call")[2]
    assert "signature=" not in told
    assert "secret text" not in told


def test_a_success_tells_nothing(run: Any) -> None:
    text = """
    def test_it(gateway):
        gateway.trigger("payscore.confirmed")
    """
    assert "wechatpay sandbox" not in run(text, "-rA").stdout.str()


def test_fixtures_of_these_names_are_left_alone(run: Any) -> None:
    conftest = """
    import pytest

    @pytest.fixture
    def gateway():
        return "ours"

    @pytest.fixture
    def merchant():
        return "ours too"
    """
    text = """
    import sys

    def test_it(gateway, merchant):
        assert (gateway, merchant) == ("ours", "ours too")
        assert 0
    """
    result = run(text, conftest=conftest)
    result.stdout.fnmatch_lines(["*assert 0*"])
    assert "wechatpay sandbox" not in result.stdout.str()


def test_nothing_of_the_sandbox_is_loaded_unasked() -> None:
    program = f"import sys, {PLUGIN}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stdout.split())
    above = {"sandbox", "catalogue", "cli", "contrib"}
    parts = {".".join(name.split(".")[:2]) for name in loaded}
    assert not {f"wechatpay_chain.{part}" for part in above} & parts
    assert not {"click", "uvicorn", "starlette", "aiohttp"} & loaded


def test_pytest_finds_the_plugin_where_the_package_is_installed() -> None:
    from importlib.metadata import entry_points

    found = {one.name: one.value for one in entry_points(group="pytest11")}
    assert found["wechatpay_chain"] == PLUGIN
