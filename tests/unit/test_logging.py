"""What is logged of an attempt, and the handler of WECHATPAY_LOG."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from key_material import KEYS, MCHID, PUBLIC_KEY_ID, SERIAL, private, public
from leaks import APIV3_KEY, leaked, rendered

from wechatpay_chain import (
    ConfigurationError,
    ConnectError,
    ReadTimeout,
    Request,
    Response,
    WeChatPay,
)
from wechatpay_chain._config import from_env
from wechatpay_chain._flow import Entry
from wechatpay_chain._logging import configure
from wechatpay_chain._run import Run
from wechatpay_chain.middleware import Headers

# A line per attempt.

POST = Request(
    "POST",
    "https://api.mch.weixin.qq.com/v3/x/ORDER-1/close?openid=oUpF8uMuAJO",
    body=b'{"secret": 1}',
    template="v3/x/{out_order_no}/close?openid={openid}",
)


class Records(logging.Handler):
    """Keeps what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


@pytest.fixture
def records() -> Iterator[list[Any]]:
    logger, handler = logging.getLogger("wechatpay_chain"), Records()
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    yield handler.found
    logger.removeHandler(handler)
    logger.setLevel(before)


def fields(record: Any) -> dict[str, Any]:
    names = ("method", "template", "attempt", "status", "request_id", "outcome")
    return {name: getattr(record, name) for name in (*names, "error")}


def answer(status: int = 200, **headers: str) -> Response:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, Headers(given))


def test_an_answered_attempt_is_one_line_with_fields(records: Any) -> None:
    run = Run(())
    attempt = run.sending(POST.replace(attempt=2))
    run.answered(attempt, answer(Request_ID="08D8-1"))
    run.close()
    (record,) = records
    assert record.name == "wechatpay_chain.http"
    assert record.levelno == logging.INFO
    assert fields(record) == {
        "method": "POST",
        "template": "v3/x/{out_order_no}/close",
        "attempt": 2,
        "status": 200,
        "request_id": "08D8-1",
        "outcome": "answered",
        "error": None,
    }
    assert 0 <= record.ms < 60_000
    start, _, end = record.getMessage().partition(" in ")
    assert start == "POST v3/x/{out_order_no}/close: 200"
    assert end.endswith(" ms (try 2, Request-ID 08D8-1)")


@pytest.mark.parametrize("status", [302, 400, 404, 429, 500, 503])
def test_an_answer_that_is_no_success_is_a_warning(records: Any, status: int) -> None:
    run = Run(())
    run.answered(run.sending(POST), answer(status))
    (record,) = records
    assert record.levelno == logging.WARNING
    assert (record.status, record.outcome) == (status, "answered")
    assert record.getMessage().endswith("ms (try 1)")  # there is no Request-ID


@pytest.mark.parametrize(
    ("error", "outcome"), [(ConnectError, "not_sent"), (ReadTimeout, "unknown")]
)
def test_an_attempt_without_an_answer_names_the_error_and_not_its_text(
    records: Any, error: Any, outcome: str
) -> None:
    run = Run(())
    run.failed(run.sending(POST), error("the text of a library, ORDER-1"))
    run.close()
    (record,) = records
    assert record.levelno == logging.WARNING
    assert (record.error, record.outcome) == (error.__name__, outcome)
    assert record.status is None
    assert f"{error.__name__} after" in record.getMessage()
    assert "ORDER-1" not in repr(record.__dict__) + record.getMessage()


def test_an_attempt_that_was_given_up_has_a_line_when_its_call_ends(
    records: Any,
) -> None:
    run = Run(())
    first, second = run.sending(POST), run.sending(POST.replace(attempt=2))
    run.answered(second, answer())
    run.close()
    done, left = records
    assert (done.attempt, done.outcome) == (2, "answered")
    assert (left.attempt, left.outcome, left.error) == (1, "unknown", "abandoned")
    assert left.levelno == logging.WARNING
    assert left.ms >= done.ms
    assert first[0] is POST


def test_the_attempts_of_a_nested_call_have_lines_too(records: Any) -> None:
    outer = Run([Entry("verify", lambda request: iter(()))])
    inner = outer.inner(frozenset({"verify"}))
    inner.answered(inner.sending(POST), answer())
    inner.sending(POST)
    outer.leave(inner, POST)
    assert [record.outcome for record in records] == ["answered", "unknown"]


def test_debug_tells_host_bytes_and_layers(
    records: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "wechatpay_chain")
    run = Run([Entry(name, lambda request: iter(())) for name in ("retry", "sign")])
    run.answered(run.sending(POST), answer(Content_Length="17"))
    sending, answered = records
    assert sending.levelno == logging.DEBUG
    assert sending.host == "api.mch.weixin.qq.com"
    assert sending.bytes_sent == 13
    assert sending.layers == ["retry", "sign"]
    assert sending.ms is None
    assert "through retry > sign" in sending.getMessage()
    assert answered.bytes_received == 17
    assert answered.getMessage().endswith("17 bytes)")
    for record in records:
        text = record.getMessage() + repr(record.__dict__)
        assert not {"ORDER-1", "openid", "secret"} & set(text.replace("'", " ").split())
        assert "ORDER-1" not in text
        assert "oUpF8uMuAJO" not in text


@pytest.mark.parametrize("length", [None, "", "many", "-1", "9" * 16])
def test_a_length_that_is_none_is_not_told(
    records: Any, caplog: pytest.LogCaptureFixture, length: str | None
) -> None:
    caplog.set_level(logging.DEBUG, "wechatpay_chain")
    run = Run(())
    headers = {} if length is None else {"Content_Length": length}
    run.answered(run.sending(POST), answer(**headers))
    assert not hasattr(records[-1], "bytes_received")
    assert "no layer" in records[0].getMessage()


def test_a_peer_forges_no_line(records: Any) -> None:
    run = Run(())
    forged = "08D8\r\nINFO wechatpay_chain.http: POST v3/pay: 200" + "x" * 200
    run.answered(run.sending(POST), answer(Request_ID=forged))
    (record,) = records
    assert "\n" not in record.getMessage()
    assert record.request_id.startswith("08D8??INFO?")
    assert len(record.request_id) == 128


def test_below_its_level_nothing_is_recorded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "wechatpay_chain")
    run = Run(())
    run.answered(run.sending(POST), answer())
    assert caplog.records == []
    run.answered(run.sending(POST), answer(500))
    assert [record.status for record in caplog.records] == [500]


# WECHATPAY_LOG.


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> logging.Logger:
    """The outermost logger of a program that has set up nothing.

    Not that of this process, at which pytest listens.
    """
    root = logging.Logger("root", logging.WARNING)
    monkeypatch.setattr(logging.getLogger("wechatpay_chain"), "parent", root)
    return root


@pytest.fixture
def logger(
    monkeypatch: pytest.MonkeyPatch, root: logging.Logger
) -> Iterator[logging.Logger]:
    """The package's logger, before the first client is built."""
    logger = logging.getLogger("wechatpay_chain")
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])
    level = logger.level
    logger.setLevel(logging.NOTSET)
    configure.cache_clear()
    yield logger
    configure.cache_clear()
    logger.setLevel(level)


def build() -> WeChatPay:
    return WeChatPay(
        mchid=MCHID,
        serial=SERIAL,
        private_key=private(),
        certs={PUBLIC_KEY_ID: public()},
    )


def stderr_handlers(logger: logging.Logger) -> list[logging.Handler]:
    return [h for h in logger.handlers if isinstance(h, logging.StreamHandler)]


@pytest.mark.parametrize(
    ("value", "level"),
    [("debug", "DEBUG"), ("INFO", "INFO"), (" Warning ", "WARNING")],
)
def test_the_first_client_attaches_one_handler_to_stderr(
    logger: logging.Logger,
    root: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str,
    level: str,
) -> None:
    monkeypatch.setenv("WECHATPAY_LOG", value)
    before = stderr_handlers(logger)
    build()
    build()
    assert before == []
    assert len(stderr_handlers(logger)) == 1
    assert logging.getLevelName(logger.level) == level
    assert (root.handlers, root.level) == ([], logging.WARNING)
    logging.getLogger("wechatpay_chain.http").warning("POST v3/x: 500")
    said = capsys.readouterr().err
    assert said.endswith(" WARNING wechatpay_chain.http: POST v3/x: 500\n")
    assert said[:2] == "20"  # the time comes first
    assert said.count("\n") == 1


@pytest.mark.parametrize("value", [None, "", "  "])
def test_without_a_level_nothing_is_touched(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("WECHATPAY_LOG", value)
    before = list(logger.handlers), logger.level
    build()
    assert (logger.handlers, logger.level) == before


def test_a_wrong_level_is_refused_and_not_repeated(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECHATPAY_LOG", APIV3_KEY)
    before = list(logger.handlers), logger.level
    for _ in range(2):  # as often as it is tried
        with pytest.raises(ConfigurationError) as caught:
            build()
        assert str(caught.value) == "WECHATPAY_LOG: debug, info or warning expected"
        assert not leaked(rendered(caught.value))
    assert (logger.handlers, logger.level) == before


@pytest.mark.parametrize("early", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("place", ["", "wechatpay_chain", "wechatpay_chain.http"])
def test_a_program_with_logging_of_its_own_gets_each_line_once(
    logger: logging.Logger,
    root: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    place: str,
    early: bool,
) -> None:
    monkeypatch.setenv("WECHATPAY_LOG", "info")
    own = io.StringIO()
    handler = logging.StreamHandler(own)
    if not early:
        build()
    theirs = logging.getLogger(place) if place else root
    theirs.addHandler(handler)
    try:
        build()
        logging.getLogger("wechatpay_chain.http").info("a line")
    finally:
        theirs.removeHandler(handler)
    assert own.getvalue() == "a line\n"
    assert capsys.readouterr().err == ""


def test_a_handler_that_takes_only_errors_does_not_silence_ours(
    logger: logging.Logger,
    root: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WECHATPAY_LOG", "info")
    reports = logging.StreamHandler(io.StringIO())
    reports.setLevel(logging.ERROR)
    root.addHandler(reports)
    build()
    logging.getLogger("wechatpay_chain.http").info("a line")
    assert capsys.readouterr().err.endswith(": a line\n")


def test_a_logger_that_does_not_propagate_is_not_heard_further_out(
    logger: logging.Logger,
    root: logging.Logger,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WECHATPAY_LOG", "info")
    own = io.StringIO()
    root.addHandler(logging.StreamHandler(own))
    monkeypatch.setattr(logger, "propagate", False)
    build()
    logging.getLogger("wechatpay_chain.http").info("a line")
    assert own.getvalue() == ""
    assert capsys.readouterr().err.endswith(": a line\n")


def test_threads_that_build_the_first_client_at_once_attach_one_handler(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WECHATPAY_LOG", "info")
    together = threading.Barrier(8)

    def start() -> None:
        together.wait(30)
        configure()

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stderr_handlers(logger)) == 1


def test_importing_the_package_reads_no_level() -> None:
    program = (
        "import logging, wechatpay_chain, wechatpay_chain._assembly\n"
        "logger = logging.getLogger('wechatpay_chain')\n"
        "print(*(type(handler).__name__ for handler in logger.handlers), logger.level)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"WECHATPAY_LOG": "nonsense"},
    )
    assert (done.stdout, done.stderr) == ("NullHandler 0\n", "")


def test_the_level_is_no_misspelt_option() -> None:
    found = from_env(
        "WECHATPAY_",
        {
            "WECHATPAY_MCHID": MCHID,
            "WECHATPAY_SERIAL": SERIAL,
            "WECHATPAY_PRIVATE_KEY": KEYS["merchant_private_key_pkcs8_der_base64"],
            "WECHATPAY_LOG": "debug",
        },
    )
    assert set(found.reveal()) == {"mchid", "serial", "private_key"}
