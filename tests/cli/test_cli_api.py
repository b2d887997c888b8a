"""``wxpay api``: what it finds, shows and answers to machines."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from wechatpay_chain import catalogue
from wechatpay_chain.cli.program import program

CANCEL = "v3/payscore/serviceorder/{out_order_no}/cancel"


def api(*arguments: str, columns: int = 80) -> Result:
    runner = CliRunner(env={"COLUMNS": str(columns)})
    return runner.invoke(program, ["api", *arguments], prog_name="wxpay")


def in_full(result: Result) -> list[str]:
    """The titles of what is shown in full."""
    assert result.exit_code == 0
    return re.findall(r"^(\S+)\n  [A-Z]+ \S+\n  client\S+$", result.stdout, re.M)


class TestWithoutWords:
    def test_lists_versions_and_segments_with_their_counts(self) -> None:
        result = api()
        assert result.exit_code == 0
        assert re.findall(r"^(\S+)  (\d+) endpoints$", result.stdout, re.M) == [
            ("v3", "998"),
            ("v2", "136"),
            ("hk", "21"),
        ]
        assert re.search(r"(^|  )payscore 81$", result.stdout, re.M)

    @pytest.mark.parametrize("columns", [20, 80, 200])
    def test_fits_the_terminal(self, columns: int) -> None:
        listed = [
            line
            for line in api(columns=columns).stdout.splitlines()
            if line.startswith("  ")
        ]
        widest = max(len(cell) for line in listed for cell in re.split(" {2,}", line))
        assert all(len(line) <= max(columns, widest + 4) for line in listed)
        words = " ".join(listed).split()
        assert sum(int(word) for word in words if word.isdecimal()) == 1155

    def test_as_json(self) -> None:
        segments = json.loads(api("--json").stdout)["segments"]
        assert sum(sum(counts.values()) for counts in segments.values()) == 1155
        assert segments["v3"]["payscore"] == 81


class TestWords:
    def test_hits_are_a_table_of_method_template_and_title(self) -> None:
        result = api("取消支付分订单")
        assert result.exit_code == 0
        first, *others = result.stdout.splitlines()
        assert re.fullmatch(rf"POST   {re.escape(CANCEL)} +取消支付分订单", first)
        assert len(others) >= 2
        starts = {re.search("[^ -~]", line).start() for line in [first, *others]}  # type: ignore[union-attr]
        assert len(starts) == 1

    def test_words_may_be_one_argument_or_several(self) -> None:
        assert api("cancel order").stdout == api("cancel", "order").stdout

    def test_a_match_that_the_line_does_not_show_is_told(self) -> None:
        line = next(
            line for line in api("取消原因").stdout.splitlines() if CANCEL in line
        )
        assert line.endswith("[body.reason 取消原因]")

    def test_more_than_the_limit_are_counted_out(self) -> None:
        result = api("支付", "--limit", "3")
        assert len(result.stdout.splitlines()) == 4
        assert result.stdout.splitlines()[-1].startswith("The first 3;")

    def test_withdrawn_ones_say_so(self) -> None:
        lines = api("报关", "--limit", "50").stdout.splitlines()
        for line in lines:
            method, template, *_ = line.split()
            operation = catalogue.find(method, template)
            assert operation is not None
            assert ("(withdrawn)" in line) == operation.deprecated
        assert {"(withdrawn)" in line for line in lines} == {True, False}

    def test_one_hit_is_shown_in_full(self) -> None:
        assert in_full(api("ORDER_NOT_EXIST")) == ["取消支付分订单"]

    def test_without_a_terminal_there_is_no_colour(self) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "wechatpay_chain", "api", "取消支付分订单"],
            capture_output=True,
            check=True,
        )
        assert b"\x1b" not in done.stdout
        assert CANCEL.encode() in done.stdout


class TestOneEndpoint:
    @pytest.mark.parametrize(
        "arguments",
        [
            (CANCEL,),
            ("/" + CANCEL,),
            ("POST", CANCEL),
            ("post", CANCEL),
            (CANCEL.replace("{out_order_no}", "ORDER-1"),),
            ("https://api.mch.weixin.qq.com/v3/payscore/serviceorder/1/cancel?x=1",),
            ("client.v3.payscore.serviceorder._out_order_no_.cancel",),
            ("v3.payscore.serviceorder._out_order_no_.cancel",),
            ("--show", "POST", CANCEL),
            ("--show", "POST", "v3.payscore.serviceorder._out_order_no_.cancel"),
            ("--show", "post", "/v3/payscore/serviceorder/ORDER-1/cancel"),
        ],
    )
    def test_is_shown_by_path_url_or_chain(self, arguments: tuple[str, ...]) -> None:
        assert in_full(api(*arguments)) == ["取消支付分订单"]

    def test_of_apiv2_is_shown_by_its_path_on_the_wire(self) -> None:
        url = "https://api.mch.weixin.qq.com/pay/unifiedorder"
        assert in_full(api(url)) == in_full(api("v2/pay/unifiedorder"))

    def test_each_verb_of_a_path_is_shown(self) -> None:
        path = "v3/payscore/serviceorder"
        assert in_full(api(path)) == ["查询支付分订单", "创建支付分订单"]
        assert in_full(api("GET", path)) == ["查询支付分订单"]

    def test_parameters_answer_errors_and_documents_are_shown(self) -> None:
        said = [" ".join(line.split()) for line in api(CANCEL).stdout.splitlines()]
        for line in (
            "Placeholders",
            "out_order_no* string 1..32 商户服务订单号",
            "Body, JSON",
            "reason* string 1..30 取消原因",
            "Answer 200",
            "ORDER_NOT_EXIST 404",
            "https://pay.weixin.qq.com/doc/v3/merchant/4012587905",
            "Calls",
        ):
            assert line in said

    def test_the_call_is_shown_in_each_form_sync_and_async(self) -> None:
        calls = "".join(api(CANCEL).stdout.split("Calls\n")[1].split())
        chain = "client.v3.payscore.serviceorder._out_order_no_.cancel"
        for form in (
            f"reply={chain}.post(",
            f'reply=client.chain("{CANCEL}").post(',
            f'reply=client["{CANCEL}"].post(',
            f"reply=await{chain}.post_async(",
            f'reply=awaitclient.chain("{CANCEL}").post_async(',
            f'reply=awaitclient["{CANCEL}"].post_async(',
        ):
            assert form in calls

    @pytest.mark.parametrize(
        "path",
        [
            CANCEL,
            "v3/certificates",
            "v3/merchant/media/upload",
            "v2/pay/unifiedorder",
            "v3/applyment4sub/applyment/",
            "v3/profitsharing/orders",
        ],
    )
    def test_the_calls_are_python(self, path: str) -> None:
        text = api(path).stdout.split("Calls\n")[1]
        code = "\n".join(line[2:] for line in text.splitlines())
        tree = compile(code, path, "exec", ast.PyCF_ONLY_AST | _AWAIT)
        assert isinstance(tree, ast.Module)
        assert len(tree.body) >= 6


_AWAIT = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


class TestAsJson:
    def test_hits_say_what_they_are_called_and_why(self) -> None:
        found = json.loads(api("取消支付分订单", "--json").stdout)["operations"]
        assert found[0] == {
            "method": "POST",
            "template": CANCEL,
            "title": "取消支付分订单",
            "expression": "client.v3.payscore.serviceorder._out_order_no_.cancel",
            "docs": list(catalogue.find("POST", CANCEL).docs),  # type: ignore[union-attr]
            "matches": [
                {"word": "取消支付分订单", "where": "title", "text": "取消支付分订单"}
            ],
        }

    def test_one_endpoint_is_told_in_full(self) -> None:
        (found,) = json.loads(api(CANCEL, "--json").stdout)["operations"]
        assert found["path"]["out_order_no"] == {
            "type": "string",
            "label": "商户服务订单号",
            "required": True,
            "shortest": 1,
            "longest": 32,
            "pattern": "[0-9A-Za-z_|*-]+",
        }
        assert list(found["body"]["fields"]) == ["appid", "service_id", "reason"]
        assert found["answers"]["200"]["fields"]["order_id"]["longest"] == 128
        assert found["errors"]["ORDER_NOT_EXIST"] == 404
        assert found["roles"] == ["普通商户"]
        assert len(found["calls"]) >= 6
        assert found["preparation"].startswith("body = {")

    def test_an_empty_answer_is_null(self) -> None:
        path = "v3/payscore/partner/serviceorder/{out_order_no}/cancel"
        (found,) = json.loads(api(path, "--json").stdout)["operations"]
        assert found["answers"] == {"204": None}

    def test_nothing_found_is_an_empty_list_with_what_is_near(self) -> None:
        result = api("refnd", "--json")
        assert result.exit_code == 1
        data: dict[str, Any] = json.loads(result.stdout)
        assert data["operations"] == []
        assert "refund" in data["near"]


class TestElsewhere:
    @pytest.mark.parametrize(
        "words", ["调起支付", "how to invoke", "requestPayment", "WeixinJSBridge"]
    )
    def test_invoking_is_pointed_to_and_is_no_failure(self, words: str) -> None:
        result = api(words)
        assert result.exit_code == 0
        assert "client.invoke" in result.stdout.splitlines()[0]

    @pytest.mark.parametrize(
        "words", ["download a bill", "下载账单", "v3/bill/tradebill"]
    )
    def test_bills_have_a_client_of_their_own(self, words: str) -> None:
        first, _, *others = api(words).stdout.splitlines()
        assert "client.bills" in first
        assert "v3/bill/tradebill" in others[0] + others[1]

    def test_a_bill_in_a_name_is_no_bill(self) -> None:
        path = "v3/fund-app/mch-transfer/transfer-bills/out-bill-no/{out_bill_no}"
        assert "client.bills" not in api(path).stdout

    def test_it_is_a_call_and_no_file_that_an_installation_lacks(self) -> None:
        bills, invoking = api("账单").stdout, api("requestPayment").stdout
        assert "client.bills.trade('2024-06-01').save('bill.csv')" in bills
        assert "client.invoke.jsapi(appid, prepay_id)" in invoking
        assert ".md" not in bills + invoking

    def test_machines_get_it_too(self) -> None:
        data = json.loads(api("requestPayment", "--json").stdout)
        assert data["operations"] == []
        (where,) = data["see"]
        assert "client.invoke" in where


def test_a_part_of_a_word_that_nothing_has_is_told_by_itself() -> None:
    result = api("消费者投诉2.0")
    assert result.exit_code == 0
    first, second = (line.split()[:2] for line in result.stdout.splitlines()[:2])
    assert first == ["GET", "v3/merchant-service/complaints-v2"]
    assert second == ["GET", "v3/merchant-service/complaints-v2/{complaint_id}"]
    assert result.stderr == "wxpay api: none of these has '2.0'\n"


def test_words_that_none_of_the_hits_has_are_told() -> None:
    result = api("canecl refund")
    assert result.exit_code == 0
    assert "v3/refund/domestic/refunds" in result.stdout
    assert re.search("none of these has 'canecl'; near it: cancel", result.stderr)


def test_help_leaves_out_what_the_client_sets() -> None:
    said = api("POST", "v3/pay/transactions/jsapi").stdout
    assert "Wechatpay-Serial" not in said
    said = api("POST", "v3/marketing/favor/media/image-upload").stdout
    assert "Wechatpay-Serial" not in said


class TestNothingFound:
    @pytest.mark.parametrize(
        "arguments", [("refnd",), ("--show", "POST", "v3/refnd"), ("v3/refnd",)]
    )
    def test_exits_1_with_one_line_and_what_is_near(
        self, arguments: tuple[str, ...]
    ) -> None:
        result = api(*arguments)
        assert result.exit_code == 1
        assert result.stdout == ""
        assert len(result.stderr.splitlines()) == 1
        assert result.stderr.startswith("wxpay api: nothing found for")
        assert "near it: " in result.stderr
        assert "refund" in result.stderr

    def test_and_nothing_near_says_only_that(self) -> None:
        assert api("xyzzyqwfp").stderr == ("wxpay api: nothing found for 'xyzzyqwfp'\n")

    def test_a_verb_that_the_path_has_not(self) -> None:
        assert api("--show", "GET", CANCEL).exit_code == 1

    def test_a_limit_below_one_is_refused(self) -> None:
        assert api("退款", "--limit", "0").exit_code == 2


def test_help_says_what_the_exit_codes_are() -> None:
    result = api("--help")
    assert "Exits 0, or 1 if nothing was found." in result.stdout
    listed = CliRunner().invoke(program, ["--help"]).stdout
    assert re.search(r"^  api +Search", listed, re.M)


def test_what_the_page_on_the_catalogue_calls_works() -> None:
    page = Path(__file__).parents[2] / "docs" / "catalogue.md"
    lines = re.findall(r"^wxpay api(.*?)(?:  *#.*)?$", page.read_text("utf-8"), re.M)
    assert len(lines) == 4
    for line in lines:
        result = api(*line.split())
        assert result.exit_code == 0, line
        assert result.stdout


def test_needs_only_the_extra_of_the_command_line() -> None:
    program = """
import sys
from click.testing import CliRunner
from wechatpay_chain.cli.program import program
for words in (["取消支付分订单"], ["v3/certificates"], []):
    assert CliRunner().invoke(program, ["api", *words]).exit_code == 0
loaded = {name.split(".")[0] for name in sys.modules}
assert not loaded & {"aiohttp", "starlette", "uvicorn", "jinja2", "markupsafe"}
"""
    subprocess.run([sys.executable, "-c", program], check=True)


class TestNearMisses:
    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--show", "GET", "v3/pay/transactions/jsapi"), "this path has POST"),
            (("client.v3.pay.transactions.jsapi.get",), "this path has POST"),
            (("v3/pay/transactons/jsapi",), "near it: v3/pay/transactions/jsapi,"),
            (("v3/payscor/serviceorder",), "near it: v3/payscore/serviceorder"),
        ],
    )
    def test_what_is_there_is_said(self, arguments: tuple[str, ...], told: str) -> None:
        result = api(*arguments)
        assert result.exit_code == 1
        assert told in result.stderr

    def test_a_path_that_is_near_is_told_to_machines(self) -> None:
        result = api("--json", "v3/payscor/serviceorder")
        assert json.loads(result.stdout)["near"][0] == "v3/payscore/serviceorder"

    @pytest.mark.parametrize(
        ("chain", "title"),
        [
            ("client.v3.pay.transactions.jsapi.post", "JSAPI下单"),
            ("v3.payscore.serviceorder.get_async", "查询支付分订单"),
        ],
    )
    def test_a_chain_may_end_in_its_verb(self, chain: str, title: str) -> None:
        assert in_full(api(chain)) == [title]
