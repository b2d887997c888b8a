"""What is sent again, how, and what is left for the caller to know (reliability.md)."""

from __future__ import annotations

from typing import Any

import pytest

from wechatpay_chain import (
    ClockSkew,
    ConnectError,
    ConnectTimeout,
    Forbidden,
    InvalidSignature,
    RateLimited,
    ReadError,
    ReadTimeout,
    Request,
    Retry,
    ServerError,
    TransportError,
    UnknownSerial,
    WeChatPayError,
    WriteError,
)
from wechatpay_chain.middleware import Body, Response

PRIMARY, BACKUP = "https://api.mch.weixin.qq.com", "https://api2.mch.weixin.qq.com"
ORDER = {"out_trade_no": "1217752501201407033233368018", "description": "深圳店"}

#: A call of each kind: verb, path, arguments, and whether a repeat is safe.
CALLS = {
    "query": ("get", "v3/pay/transactions/id/{transaction_id}", True),
    "number in the body": ("post", "v3/pay/transactions/native", True),
    "number in the path": ("post", "v3/payscore/serviceorder/{out_order_no}/pay", True),
    "put with a number": ("put", "v3/x/{out_batch_no}", True),
    "patch with a number": ("patch", "v3/x/{out_card_code}", True),
    "delete with a number": ("delete", "v3/x/{out_subsidy_no}", True),
    "post without": ("post", "v3/merchant-service/complaints/{complaint_id}/x", False),
    "put without": ("put", "v3/x/{stock_id}", False),
    "patch without": ("patch", "v3/x/{stock_id}", False),
    "delete without": ("delete", "v3/x/{stock_id}", False),
}


@pytest.fixture
def client(make) -> Any:
    return make(retry=Retry(3, first=0.2, jitter=lambda: 0.5))


@pytest.fixture(params=list(CALLS))
def case(request, client) -> tuple[Any, Any, bool]:
    """The node, the arguments of its verb, and whether a repeat is safe."""
    verb, path, safe = CALLS[request.param]
    name = path.partition("{")[2].partition("}")[0]
    placeholders = {name: "4200000001"} if name else {}
    body = ORDER if request.param == "number in the body" else {"reason": "投诉"}
    node = getattr(client[path], verb)
    given = {} if verb in ("get", "delete") else {"json": body}
    return node, {**placeholders, **given}, safe


def probe(server: Any) -> Any:
    """An answer with the signature of a probe (签名探测)."""
    value = {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/YlCHRpPJdE5M+6n61"}
    return server.signed({"a": 1}, headers=value)


def busy(server: Any, status: int = 503, **headers: str) -> Any:
    return server.plain(status, {"code": "BUSY"}, **headers)


FAILURES = {
    "lost reply": lambda server: ReadTimeout("lost"),
    "reset": lambda server: ReadError("reset"),
    "cut off while sending": lambda server: WriteError("reset"),
    "429": lambda server: server.plain(429, {"code": "FREQUENCY_LIMITED"}),
    "SYSTEM_ERROR": lambda server: server.plain(500, {"code": "SYSTEM_ERROR"}),
    "502 page": lambda server: server.plain(
        502, content=b"<html>", Content_Type="text/html"
    ),
    "503": lambda server: server.plain(503),
    "probe": probe,
    "unknown serial": lambda server: server.signed(
        {"a": 1}, headers={"Wechatpay-Serial": "PUB_KEY_ID_9"}
    ),
    "unsigned": lambda server: server.plain(200, {"a": 1}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_repeat_after_sending_takes_a_number_of_ones_own(
    call, server, case, failure: str
) -> None:
    verb, arguments, safe = case
    server.will(FAILURES[failure](server))
    if safe:
        assert call(verb, **arguments).verified
        assert server.slept == [0.2]
    else:
        with pytest.raises(WeChatPayError) as caught:
            call(verb, **arguments)
        assert caught.value.outcome == ("refused" if failure == "429" else "unknown")
    assert len(server.requests) == (2 if safe else 1)


@pytest.mark.parametrize("failure", FAILURES)
def test_each_attempt_has_the_same_bytes_and_a_signature_of_its_own(
    call, server, client, failure: str
) -> None:
    def at(seconds: float) -> Any:
        def answer(request: Request) -> Any:
            server.now += seconds
            return FAILURES[failure](server)

        return answer

    server.will(at(7), at(400))  # past the clock window of the first signature
    assert call(client.v3.pay.transactions.native.post, ORDER).verified
    signed = [server.parameters(request) for request in server.requests]
    assert len({given["nonce_str"] for given in signed}) == 3
    assert len({given["signature"] for given in signed}) == 3
    times = [int(given["timestamp"]) - 1717225200 for given in signed]
    assert times == [0, 7, 407]
    assert len({request.body for request in server.requests}) == 1
    assert [request.attempt for request in server.requests] == [1, 2, 3]


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (probe, InvalidSignature),
        (lambda server: ReadTimeout("lost"), ReadTimeout),
        (FAILURES["unknown serial"], UnknownSerial),
        (FAILURES["SYSTEM_ERROR"], ServerError),
        (FAILURES["502 page"], ServerError),
    ],
)
def test_what_stays_unclear_to_the_end_is_unknown(
    call, server, client, failure: Any, kind: type[Exception]
) -> None:
    server.will(*[failure(server) for _ in range(3)])
    with pytest.raises(kind) as caught:
        call(client.v3.pay.transactions.native.post, ORDER)
    assert caught.value.outcome == "unknown"
    assert len(server.requests) == 3
    assert server.slept == [0.2, 0.4]


def test_a_refusal_after_a_refusal_is_refused(call, server, client) -> None:
    server.will(*[FAILURES["429"](server)] * 3)
    with pytest.raises(RateLimited) as caught:
        call(client.v3.pay.transactions.native.post, ORDER)
    assert caught.value.outcome == "refused"


def test_202_is_returned_and_not_repeated(call, server, client) -> None:
    server.will(server.signed({"code": "USERPAYING"}, status=202))
    reply = call(client.v3.pay.transactions.native.post, ORDER)
    assert (reply.status_code, reply["code"]) == (202, "USERPAYING")
    assert len(server.requests) == 1


def test_a_clock_that_is_off_is_not_asked_twice(call, server, client) -> None:
    server.will(server.signed({"a": 1}, at=server.now - 301))
    with pytest.raises(ClockSkew):
        call(client.v3.x.get)
    assert len(server.requests) == 1


class TestRetryAfter:
    def test_is_waited_for(self, call, server, client) -> None:
        server.will(busy(server, Retry_After="7"))
        assert call(client.v3.x.get).verified
        assert server.slept == [7.0]

    def test_above_the_cap_the_answer_goes_to_the_caller(
        self, call, server, client
    ) -> None:
        server.will(busy(server, Retry_After="3600"))
        with pytest.raises(ServerError) as caught:
            call(client.v3.x.get)
        assert caught.value.response.headers["Retry-After"] == "3600"
        assert server.slept == []


class TestDeadline:
    """On a clock of the test's own: no time passes."""

    @pytest.fixture
    def timed(self, make, server) -> Any:
        policy = Retry(9, first=1, jitter=lambda: 0.5, timer=lambda: server.now)
        return make(retry=policy, timeout=(5, 25))

    def test_a_call_ends_with_it(self, call, server, timed) -> None:
        def slow(request: Request) -> Exception:
            server.now += min(request.timeout[1], request.deadline)
            return ReadTimeout("late")

        server.will(*[slow] * 9)
        started = server.now
        with pytest.raises(ReadTimeout):
            call(timed.v3.x.get)
        assert server.now - started <= 60
        assert [r.timeout for r in server.requests] == [(5, 25), (5, 25), (5, 8)]

    def test_who_waits_longer_on_purpose_may(self, call, server, timed) -> None:
        call(timed.v3.x.get, timeout=(5, 300))
        assert server.request.deadline == 300

    def test_one_of_the_callers_own_is_kept(self, call, server, make) -> None:
        call(make(retry=Retry(5, deadline=3), timeout=(5, 30)).v3.x.get)
        assert server.request.deadline == 3

    def test_without_a_policy_there_is_time_for_one_attempt(
        self, call, server, make
    ) -> None:
        call(make(timeout=(5, 120)).v3.x.get)
        assert server.request.deadline == 120

    def test_a_policy_without_one_has_none(self, call, server, make) -> None:
        call(make(retry=Retry(deadline=None)).v3.x.get)
        assert server.request.deadline is None


class TestFailover:
    """跨城冗灾: the other host, for connection errors only."""

    def hosts(self, server: Any) -> list[str]:
        return [r.url.partition("/v3")[0] for r in server.requests]

    @pytest.mark.parametrize("kind", [ConnectError, ConnectTimeout])
    def test_the_backup_gets_the_same_bytes_freshly_signed(
        self, call, server, client, kind: type[Exception]
    ) -> None:
        server.will(kind("no route"))
        reply = call(client.v3.merchant["complaints"].post, {"without": "a number"})
        assert reply.verified
        assert self.hosts(server) == [PRIMARY, BACKUP]
        first, second = server.requests
        assert first.body == second.body
        assert (
            server.parameters(first)["signature"]
            != (server.parameters(second)["signature"])
        )

    def test_sticks_for_a_while_and_returns(self, call, server, make) -> None:
        client = make(retry=Retry(timer=lambda: server.now))
        server.will(ConnectError("no route"))
        call(client.v3.x.get)
        server.now += 59
        call(client.v3.x.get)
        server.now += 1
        call(client.v3.x.get)
        call(client.v3.x.get)
        assert self.hosts(server) == [PRIMARY, BACKUP, BACKUP, PRIMARY, PRIMARY]

    @pytest.mark.parametrize("status", [429, 500, 502, 503])
    def test_never_on_a_status(self, call, server, client, status: int) -> None:
        server.will(server.plain(status))
        call(client.v3.x.get)
        assert self.hosts(server) == [PRIMARY, PRIMARY]

    def test_never_after_a_lost_reply(self, call, server, client) -> None:
        server.will(ReadTimeout("lost"))
        call(client.v3.x.get)
        assert self.hosts(server) == [PRIMARY, PRIMARY]

    def test_a_single_attempt_fails_but_the_next_call_knows(
        self, call, server, make
    ) -> None:
        client = make(retry=1)
        server.will(ConnectError("no route"))
        with pytest.raises(ConnectError):
            call(client.v3.x.get)
        call(client.v3.x.get)
        assert self.hosts(server) == [PRIMARY, BACKUP]

    @pytest.mark.parametrize(
        "options", [{"base_url": "https://sandbox.test"}, {"backup_url": None}]
    )
    def test_none_where_the_host_is_the_callers_own_or_none_is_wanted(
        self, call, server, make, options: dict[str, Any]
    ) -> None:
        server.will(ConnectError("no route"))
        call(make(**options).v3.x.get)
        assert len(set(self.hosts(server))) == 1

    def test_a_backup_of_ones_own(self, call, server, make) -> None:
        client = make(base_url="https://a.test/pay", backup_url="https://b.test/")
        server.will(ConnectError("no route"))
        call(client.v3.x.get, {"q": "1"})
        assert server.request.url == "https://b.test/v3/x?q=1"

    def test_a_base_of_one_call_stays_where_it_is(self, call, server, client) -> None:
        server.will(*[ConnectError("no route")] * 2)
        call(client.v3.x.get, base_url="https://apihk.mch.weixin.qq.com")
        assert len(set(self.hosts(server))) == 1
        call(client.v3.x.get)
        assert self.hosts(server)[-1] == PRIMARY

    def test_what_one_client_learnt_its_derived_ones_know(
        self, call, server, client
    ) -> None:
        server.will(ConnectError("no route"))
        call(client.v3.x.get)
        call(client.with_options(timeout=3).v3.x.get)
        assert self.hosts(server) == [PRIMARY, BACKUP, BACKUP]


def test_apiv2_repeats_by_the_same_rule(call, server, make) -> None:
    client = make(secret="0123456789abcdef0123456789abcdef")
    server.strict = False
    server.will(*[ReadTimeout("lost")] * 4)
    with pytest.raises(ReadTimeout):
        call(client.v2.pay.unifiedorder.post, {"out_trade_no": "1"})
    assert len(server.requests) == 3
    with pytest.raises(ReadTimeout):
        call(client.v2.tools.shorturl.post, {"long_url": "weixin://x"})
    assert len(server.requests) == 4


@pytest.mark.parametrize("verb", ["get", "post"])
@pytest.mark.parametrize("kind", [ConnectError, ConnectTimeout])
def test_a_failed_connection_is_repeated_signed_afresh(
    call, server, client, verb: str, kind: type[TransportError]
) -> None:
    def late(request: Any) -> Any:
        server.now += 7
        return kind("no route")

    server.will(late, late)
    reply = call(getattr(client.v3.x, verb), {"a": 1})
    assert reply.verified
    signed = [server.parameters(request) for request in server.requests]
    assert len({given["nonce_str"] for given in signed}) == 3
    assert [given["timestamp"] for given in signed] == [
        "1717225200",
        "1717225207",
        "1717225214",
    ]
    assert len({request.body for request in server.requests}) == 1
    assert server.slept == [0.2, 0.4]


def test_and_gives_up_in_the_end(call, server, client) -> None:
    server.will(*[ConnectError("no route")] * 3)
    with pytest.raises(ConnectError) as caught:
        call(client.v3.x.post, {})
    assert len(server.requests) == 3
    assert caught.value.outcome == "not_sent"
    assert caught.value.request == ("POST", "https://api.mch.weixin.qq.com/v3/x")


def test_a_policy_of_ones_own_decides(call, server, make) -> None:
    class Policy:
        def after_error(self, request, error, attempt):
            return 1.5 if attempt < 4 else None

        def after_response(self, request, response, attempt):
            return 0.5 if response.status_code == 429 else None

    client = make(retry=Policy())
    server.will(
        ReadTimeout("lost"),
        server.plain(429, {"code": "FREQUENCY_LIMITED"}),
        ConnectError("no route"),
    )
    assert call(client.v3.x.get).verified
    assert server.slept == [1.5, 0.5, 1.5]


@pytest.mark.parametrize("earlier", ["lost", "busy"])
@pytest.mark.parametrize("last", ["refused", "unreachable"])
def test_an_earlier_attempt_in_doubt_makes_the_outcome_unknown(
    call, server, make, earlier: str, last: str
) -> None:
    class Always:
        def after_error(self, request, error, attempt):
            return 0 if attempt < 2 else None

        def after_response(self, request, response, attempt):
            return 0 if attempt < 2 else None

    client = make(retry=Always())
    first = ReadTimeout("x") if earlier == "lost" else server.plain(500)
    second = ConnectError("x") if last == "unreachable" else server.plain(403)
    server.will(first, second)
    with pytest.raises((Forbidden, ConnectError)) as caught:
        call(client.v3.x.post, {})
    assert caught.value.outcome == "unknown"


#: Answers of 4xx that do not say that nothing was done.
OPEN = {
    "SYSTEM_ERROR": lambda server: server.plain(403, {"code": "SYSTEM_ERROR"}),
    "BANKERROR": lambda server: server.plain(400, {"code": "BANKERROR"}),
    "a page": lambda server: Response(429, {"Content-Type": "text/html"}, b"<html>"),
    "cut off": lambda server: Response(429, body=Body(None, CutOff())),
}


class CutOff:
    """The body of an answer, in either mode, whose line breaks."""

    def read(self) -> bytes:
        raise ReadError("cut off")

    async def aread(self) -> bytes:
        raise ReadError("cut off")

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("earlier", OPEN.values(), ids=OPEN)
@pytest.mark.parametrize("last", ["refused", "unreachable"])
def test_a_4xx_may_leave_it_open_too(
    call, server, client, earlier: Any, last: str
) -> None:
    refused = server.plain(403, {"code": "NO_AUTH"})
    second = [ConnectError("x")] * 2 if last == "unreachable" else [refused]
    server.will(earlier(server), *second)
    with pytest.raises((Forbidden, ConnectError)) as caught:
        call(client.v3.pay.transactions.native.post, ORDER)
    assert caught.value.outcome == "unknown"
    assert len(server.requests) == 1 + len(second)


def test_after_a_4xx_that_refuses_nothing_is_open(call, server, client) -> None:
    server.will(FAILURES["429"](server), *[ConnectError("x")] * 2)
    with pytest.raises(ConnectError) as caught:
        call(client.v3.pay.transactions.native.post, ORDER)
    assert caught.value.outcome == "not_sent"


def test_one_attempt_is_one(call, server, make) -> None:
    server.will(ConnectError("no route"))
    with pytest.raises(ConnectError):
        call(make(retry=1).v3.x.get)
    assert len(server.requests) == 1
