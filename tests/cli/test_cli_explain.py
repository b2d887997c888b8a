"""``wxpay explain``: what was saved is read in every form, and explained by name."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from wechatpay_chain import crypto
from wechatpay_chain.cli.program import program
from wechatpay_chain.sandbox.signatures.keys import certificate, pair

SERIAL = "5A" * 20
PUBLIC_KEY_ID = "PUB_KEY_ID_0119000000012024"
STAMP = 1717225200
URL = "https://api.mch.weixin.qq.com/v3/x/ORD%7C1?openid=oSECRETopenid"
TARGET = "/v3/x/ORD%7C1?openid=oSECRETopenid"
BODY = '{"openid":"oSECRETbody","reason":"用户"}'
SPACED = '{"openid": "oSECRETbody", "reason": "用户"}'


class Desk:
    """A folder with the keys of a merchant, and somebody who saves messages there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = pair("merchant")
        self.wechat = pair("public key")
        issued = certificate(self.key, serial=SERIAL, name="1900000001", now=STAMP)
        self.cert = self.write("cert.pem", issued.public_bytes(Encoding.PEM))
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.key_file = self.write("key.pem", pem)
        spki = self.wechat.public_key().public_bytes(
            Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
        )
        self.public = self.write("pub.pem", spki)
        options = {
            "mchid": "1900000001",
            "serial": SERIAL,
            "private_key": "key.pem",
            "certs": {PUBLIC_KEY_ID: "pub.pem"},
        }
        self.config = self.write("wechat.json", json.dumps(options).encode())

    def write(self, name: str, data: bytes | str) -> str:
        path = self.folder / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return str(path)

    def authorization(
        self, target: str = TARGET, body: str = BODY, key: Any = None, **changes: str
    ) -> str:
        message = crypto.request_message("POST", target, STAMP, "N0", body)
        values: dict[str, Any] = {
            "mchid": "1900000001",
            "serial": SERIAL,
            "timestamp": STAMP,
            "nonce": "N0",
            "signature": crypto.sign(message, key or self.key),
            **changes,
        }
        return crypto.authorization(**values)

    def headers(self, body: str = BODY, key: Any = None) -> dict[str, str]:
        """Those of an answer."""
        message = crypto.response_message(STAMP, "n0nce", body)
        return {
            "Wechatpay-Timestamp": str(STAMP),
            "Wechatpay-Nonce": "n0nce",
            "Wechatpay-Serial": PUBLIC_KEY_ID,
            "Wechatpay-Signature": crypto.sign(message, key or self.wechat),
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def run(*arguments: str, stdin: str | bytes = b"") -> Result:
    data = stdin.encode() if isinstance(stdin, str) else stdin
    return CliRunner().invoke(
        program, ["explain", *arguments], input=data, prog_name="wxpay"
    )


def explained(result: Result, status: int = 1) -> Any:
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def ids(found: Any) -> list[str]:
    return [finding["id"] for finding in found["findings"]]


def raw(desk: Desk, authorization: str, body: str = BODY, end: str = "\r\n") -> str:
    lines = [
        f"POST {TARGET} HTTP/1.1",
        "Host: api.mch.weixin.qq.com",
        "Content-Type: application/json",
        f"Authorization: {authorization}",
        f"Content-Length: {len(body.encode())}",
    ]
    return end.join([*lines, "", body])


def as_json(desk: Desk, authorization: str, body: str = BODY) -> str:
    headers = {"Authorization": authorization}
    return json.dumps({"method": "POST", "url": URL, "headers": headers, "body": body})


def as_listed(desk: Desk, authorization: str, body: str = BODY) -> str:
    headers = [{"name": "Authorization", "value": authorization}]
    packed = b64encode(body.encode()).decode()
    given = {"method": "POST", "url": TARGET, "headers": headers, "body_base64": packed}
    return json.dumps({"request": given})


def as_curl(desk: Desk, authorization: str, body: str = BODY) -> str:
    return f"curl -s '{URL}' \\\n  -H 'Authorization: {authorization}' -d '{body}'"


def as_browser(desk: Desk, authorization: str, body: str = BODY) -> str:
    escaped = body.replace("用户", r"\u7528\u6237")
    return (
        f"$ curl --url={URL} -sXPOST --compressed -A agent "
        f"--header 'Authorization: {authorization}' --data-raw $'{escaped}'"
    )


def as_file(desk: Desk, authorization: str, body: str = BODY) -> str:
    name = desk.write("body.json", body)
    return f'curl "{URL}" -H "Authorization: {_quoted(authorization)}" --json @{name}'


def _quoted(text: str) -> str:
    return text.replace('"', r"\"")


FORMS = [raw, as_json, as_listed, as_curl, as_browser, as_file]


@pytest.mark.parametrize("form", FORMS)
class TestForms:
    def test_right_signature_holds(self, desk: Desk, form: Any) -> None:
        found = run(
            "--cert", desk.cert, "--json", stdin=form(desk, desk.authorization())
        )
        assert explained(found, 0)["holds"] is True

    def test_wrong_text_is_named(self, desk: Desk, form: Any) -> None:
        wrong = desk.authorization("/v3/x/ORD%7C1", SPACED)
        saved = desk.write("saved", form(desk, wrong))
        found = explained(run("--request", saved, "--cert", desk.cert, "--json"))
        assert ids(found) == ["wrong_message"]
        assert found["mistakes"] == ["query_left_out", "body_json_spaced"]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("tail", ["", "\n"])
def test_line_end_at_the_end_of_a_file_is_not_taken_for_body(
    desk: Desk, end: str, tail: str
) -> None:
    text = raw(desk, desk.authorization(), end=end) + tail
    assert run("--cert", desk.cert, stdin=text).exit_code == 0
    without = "".join(
        line for line in text.splitlines(True) if "Content-Length" not in line
    )
    assert run("--cert", desk.cert, stdin=without).exit_code == 0


def test_body_that_ends_in_a_line_end_is_taken_as_it_is(desk: Desk) -> None:
    text = raw(desk, desk.authorization(body=BODY + "\n"), BODY + "\n")
    assert run("--cert", desk.cert, stdin=text).exit_code == 0


class TestKeys:
    def text(self, desk: Desk) -> str:
        return as_json(desk, desk.authorization())

    def test_private_key_does_as_well(self, desk: Desk) -> None:
        assert run("--cert", desk.key_file, stdin=self.text(desk)).exit_code == 0

    def test_config_does_as_well(self, desk: Desk) -> None:
        assert run("--config", desk.config, stdin=self.text(desk)).exit_code == 0

    def test_environment_does_as_well(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        values = {
            "MCHID": "1900000001",
            "SERIAL": SERIAL,
            "PRIVATE_KEY": desk.key_file,
            "CERTS": json.dumps({PUBLIC_KEY_ID: desk.public}),
        }
        for name, value in values.items():
            monkeypatch.setenv(f"WECHATPAY_{name}", value)
        assert run(stdin=self.text(desk)).exit_code == 0

    def test_file_that_the_environment_names_does_as_well(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("WECHATPAY_CONFIG", str(desk.config))
        assert run(stdin=self.text(desk)).exit_code == 0

    def test_file_in_the_working_directory_does_as_well(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("WECHATPAY_CONFIG", str(tmp_path / "none.toml"))
        assert "none.toml" in run(stdin=self.text(desk)).stderr
        monkeypatch.delenv("WECHATPAY_CONFIG")
        (tmp_path / "wechatpay.toml").write_text('mchid = "1900000001"')
        assert "serial: this option is required" in run(stdin=self.text(desk)).stderr

    def test_without_a_key_it_asks_for_one(self, desk: Desk) -> None:
        result = run(stdin=self.text(desk))
        assert result.exit_code == 2
        assert "give --config, --cert" in result.stderr

    def test_wrong_key_is_told_from_a_wrong_text(self, desk: Desk) -> None:
        text = as_json(desk, desk.authorization(key=pair("nobody knows it")))
        found = explained(run("--cert", desk.cert, "--json", stdin=text))
        assert ids(found) == ["wrong_key"]

    def test_key_of_wechat_is_recognised(self, desk: Desk) -> None:
        text = as_json(desk, desk.authorization(key=desk.wechat))
        found = explained(run("--config", desk.config, "--json", stdin=text))
        assert ids(found) == ["another_key"]
        assert PUBLIC_KEY_ID in found["findings"][0]["message"]

    @pytest.mark.parametrize(
        ("changes", "name"),
        [
            ({"serial": "6B" * 20}, "serial_other"),
            ({"serial": PUBLIC_KEY_ID}, "serial_of_wechat"),
            ({"mchid": "1900000002"}, "mchid_other"),
        ],
    )
    def test_who_the_request_names_is_compared(
        self, desk: Desk, changes: dict[str, str], name: str
    ) -> None:
        text = as_json(desk, desk.authorization(**changes))
        found = explained(run("--config", desk.config, "--json", stdin=text))
        assert ids(found) == [name]

    def test_header_that_is_no_good_needs_no_search(self, desk: Desk) -> None:
        text = as_json(desk, "Bearer abc")
        found = explained(run("--cert", desk.cert, "--json", stdin=text))
        assert ids(found) == ["scheme_unknown"]


class TestAnswers401:
    """What the 401 says beside the request."""

    def refusal(self, **information: Any) -> dict[str, Any]:
        told = {"method": "POST", "url": TARGET, **information}
        detail = {"field": "signature", "sign_information": told}
        return {"code": "SIGN_ERROR", "message": "x", "detail": detail}

    def ask(self, desk: Desk, answer: str, *more: str) -> Result:
        name = desk.write("answer", answer)
        text = as_json(desk, desk.authorization())
        return run("--cert", desk.cert, "--answer", name, "--json", *more, stdin=text)

    def test_change_on_the_way_is_named(self, desk: Desk) -> None:
        answer = json.dumps(self.refusal(url="/proxy" + TARGET))
        found = explained(self.ask(desk, answer))
        assert ids(found) == ["changed_on_the_way"]

    def test_clock_is_that_of_the_answer(self, desk: Desk) -> None:
        body = json.dumps(self.refusal())
        date = "Date: Sat, 01 Jun 2024 07:30:00 GMT"
        found = explained(self.ask(desk, f"HTTP/1.1 401 x\n{date}\n\n{body}"))
        assert ids(found) == ["timestamp_expired"]

    def test_what_wechat_says_is_told(self, desk: Desk) -> None:
        detail = {"field": "serial_no", "detail": {"issue": "serial_no is not valid"}}
        found = explained(self.ask(desk, json.dumps({"detail": detail})), 0)
        assert found["notes"][0].endswith("says of serial_no: serial_no is not valid")

    def test_page_of_a_proxy_tells_nothing(self, desk: Desk) -> None:
        assert explained(self.ask(desk, "HTTP/1.1 401 x\n\n<h1>"), 0)["findings"] == []

    def test_right_signature_leaves_whose_key_it_is(self, desk: Desk) -> None:
        found = explained(self.ask(desk, json.dumps(self.refusal())), 0)
        assert "may not belong together" in found["notes"][0]

    def test_answer_may_stand_in_the_saved_json(self, desk: Desk) -> None:
        given = {
            "request": json.loads(as_json(desk, desk.authorization())),
            "response": {"status": 401, "body": self.refusal(method="PUT")},
        }
        found = explained(run("--cert", desk.cert, "--json", stdin=json.dumps(given)))
        assert ids(found) == ["changed_on_the_way"]

    def test_sign_information_alone_does(self, desk: Desk) -> None:
        given = {
            **json.loads(as_json(desk, desk.authorization())),
            "sign_information": {"method": "PUT", "truncated_sign_message": ""},
        }
        found = explained(run("--cert", desk.cert, "--json", stdin=json.dumps(given)))
        assert ids(found) == ["changed_on_the_way"]


class TestResponses:
    def ask(self, desk: Desk, headers: dict[str, str], body: str, *more: str) -> Result:
        head = "".join(f"{name}: {value}\n" for name, value in headers.items())
        size = f"Content-Length: {len(body.encode())}\n"
        name = desk.write("answer", f"HTTP/2 200\n{head}{size}\n{body}")
        return run("--response", name, "--config", desk.config, "--json", *more)

    def test_right_one_holds(self, desk: Desk) -> None:
        assert explained(self.ask(desk, desk.headers(), BODY), 0)["holds"] is True

    @pytest.mark.parametrize(
        ("name", "here"),
        [
            ("answer_rewritten", SPACED),
            ("answer_line_ends", BODY + "\n"),
            ("answer_bom", "\ufeff" + BODY),
            ("answer_altered", BODY.replace("用户", "x")),
        ],
    )
    def test_altered_body_is_named(self, desk: Desk, name: str, here: str) -> None:
        assert ids(explained(self.ask(desk, desk.headers(), here))) == [name]

    @pytest.mark.parametrize(
        ("name", "change"),
        [
            ("headers_missing", {"Wechatpay-Nonce": ""}),
            ("serial_unknown", {"Wechatpay-Serial": "PUB_KEY_ID_9"}),
            ("answer_probe", {"Wechatpay-Signature": "WECHATPAY/SIGNTEST/abc"}),
            ("answer_not_base64", {"Wechatpay-Signature": "!"}),
            ("signature_type_unknown", {"Wechatpay-Signature-Type": "SM2"}),
            ("timestamp_malformed", {"Wechatpay-Timestamp": "now"}),
            ("clock_skew", {"Date": "Sat, 01 Jun 2024 09:00:00 GMT"}),
        ],
    )
    def test_header_is_named(
        self, desk: Desk, name: str, change: dict[str, str]
    ) -> None:
        found = explained(self.ask(desk, {**desk.headers(), **change}, BODY))
        assert ids(found) == [name]

    def test_wrong_key_is_named(self, desk: Desk) -> None:
        headers = desk.headers(key=pair("nobody knows it"))
        found = explained(self.ask(desk, headers, BODY))
        assert ids(found) == ["answer_of_unknown_key"]

    def test_local_clock_may_be_given(self, desk: Desk) -> None:
        found = explained(self.ask(desk, desk.headers(), BODY, "--now", "1717229200"))
        assert ids(found) == ["clock_skew"]

    def test_statement_is_checked_by_its_hash(self, desk: Desk) -> None:
        sha1 = "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"  # of "a"
        headers = desk.headers(f'{{"sha1":"{sha1}"}}')
        headers["Wechatpay-Statement-Sha1"] = sha1
        assert explained(self.ask(desk, headers, "a"), 0)["holds"] is True
        assert ids(explained(self.ask(desk, headers, "b"))) == ["statement_altered"]

    def test_notification_as_json_with_a_bare_key(self, desk: Desk) -> None:
        saved = desk.write("n", json.dumps({"headers": desk.headers(), "body": BODY}))
        result = run("--response", saved, "--cert", desk.public)
        assert result.exit_code == 0
        assert "signature   holds" in result.stdout

    def test_line_end_of_the_file_is_no_body(self, desk: Desk) -> None:
        head = "".join(f"{name}: {one}\r\n" for name, one in desk.headers().items())
        saved = desk.write("n", f"{head}\r\n{BODY}\r\n")
        assert run("--response", saved, "--cert", desk.public).exit_code == 0

    def test_without_a_key_of_wechat_it_asks_for_one(self, desk: Desk) -> None:
        options = {
            "mchid": "1900000001",
            "serial": SERIAL,
            "private_key": "key.pem",
            "apiv3_key": "k" * 32,
        }
        config = desk.write("other.json", json.dumps(options))
        saved = desk.write("n", json.dumps({"headers": desk.headers(), "body": BODY}))
        result = run("--response", saved, "--config", config)
        assert result.exit_code == 2
        assert "give the one that signed with --cert" in result.stderr


class TestWhatIsShown:
    def wrong(self, desk: Desk, form: Any = as_json) -> str:
        text: str = form(desk, desk.authorization("/v3/x/ORD%7C1", SPACED))
        return text

    @pytest.mark.parametrize("more", [[], ["--json"]])
    def test_no_body_openid_signature_or_key(self, desk: Desk, more: list[str]) -> None:
        authorization = desk.authorization("/v3/x/ORD%7C1", SPACED)
        result = run("--config", desk.config, *more, stdin=as_json(desk, authorization))
        assert result.exit_code == 1
        assert "oSECRET" not in result.output
        assert "用户" not in result.output
        assert authorization.partition('signature="')[2][:40] not in result.output
        assert "PRIVATE" not in result.output

    def test_body_is_shown_when_asked_for(self, desk: Desk) -> None:
        result = run("--cert", desk.cert, "--show-body", stdin=self.wrong(desk))
        assert f"expected    POST⏎{TARGET}⏎{STAMP}⏎N0⏎{BODY}⏎" in result.stdout
        assert f"you signed  POST⏎/v3/x/ORD%7C1⏎{STAMP}⏎N0⏎{SPACED}⏎" in result.stdout

    def test_people_read_one_clause_to_a_line(self, desk: Desk) -> None:
        lines = run("--cert", desk.cert, stdin=self.wrong(desk)).stdout.splitlines()
        assert lines[0] == f"POST {URL.partition('oSECRET')[0]}..."
        assert lines[1] == "signature   does not hold"
        assert lines[3] == "wrong_message"
        assert "query: left out of the signed text" in lines[4]
        assert lines[5].startswith("  body: the same JSON was written anew")

    def test_signed_text_without_a_body_is_shown(self, desk: Desk) -> None:
        authorization = desk.authorization("/v3/x/ORD%7C1", "")
        text = as_json(desk, authorization, "")
        found = explained(run("--cert", desk.cert, "--json", stdin=text))
        assert found["signed"] == f"POST⏎/v3/x/ORD%7C1⏎{STAMP}⏎N0⏎⏎"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "nothing in it"),
        ("{broken", "begins like JSON"),
        ("[" * 9, "a header 'Name: value'"),
        ("no request at all", "a header 'Name: value'"),
        ('{"url": 5}', "texts expected"),
        ('{"method": "GET", "url": "api"}', "https://"),
        ('{"method": "GET", "url": "/x", "headers": [1]}', "names with texts"),
        ('{"method": "GET", "url": "/x", "body": {}}', "exactly as it was sent"),
        ('{"method": "GET", "url": "/x", "body_base64": "!"}', "not base64"),
        ('{"headers": {}}', "no method or URL"),
        ("HTTP/1.1 401 Unauthorized\n\n{}", "no method or URL"),
        ("curl -H 'unclosed", "quote that is not closed"),
        ("curl -s", "has no URL"),
        ("curl https://h/x -F a=b", "--form"),
        ("curl https://h/x -d @/nowhere/at/all", "cannot be read"),
        ("curl https://h/x -H nonsense", "a header 'Name: value'"),
    ],
)
def test_what_cannot_be_read_is_said_with_status_2(
    desk: Desk, text: str, says: str
) -> None:
    result = run("--cert", desk.cert, stdin=text)
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.stderr.split())


def test_data_of_a_get_by_curl_is_its_query(desk: Desk) -> None:
    message = crypto.request_message("GET", "/v3/x?a=1&b=2&c=3", STAMP, "N0", b"")
    header = desk.authorization(signature=crypto.sign(message, desk.key))
    text = (
        f"curl -G '{URL[:29]}/v3/x?a=1' -d b=2 --data c=3 -H 'Authorization: {header}'"
    )
    assert run("--cert", desk.cert, stdin=text).exit_code == 0


def test_url_that_is_not_ascii_is_named(desk: Desk) -> None:
    text = as_json(desk, desk.authorization()).replace("ORD%7C1", "户")
    found = explained(run("--cert", desk.cert, "--json", stdin=text))
    assert ids(found) == ["url_not_ascii"]


def test_request_and_response_exclude_each_other(desk: Desk) -> None:
    result = run("--request", desk.cert, "--response", desk.cert)
    assert result.exit_code == 2
