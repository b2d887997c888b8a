"""Bills: asked for, downloaded, taken up where the line broke, proven, saved."""

from __future__ import annotations

import gzip
import os
from datetime import date, datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from bill_server import HOST, trade_bill

from wechatpay_chain import (
    APIError,
    BadRequest,
    DecodeError,
    DecryptionError,
    EncodeError,
    InvalidSignature,
    ReadError,
)
from wechatpay_chain.bills import FundRow, Row, TradeRow

DAY = "2024-06-01"
KEY = b"Zq3t6w9zC4FcJaNdRgUkXp2s5v8yB1ED"


def numbers(found: list[TradeRow]) -> list[str]:
    return [row.out_trade_no for row in found]


# Asking.


@pytest.mark.parametrize("day", [DAY, date(2024, 6, 1)])
def test_the_day_is_a_date_or_its_text(call, server, client, day) -> None:
    call(client.bills.trade, day)
    url = urlsplit(server.requests[0].url)
    assert url.path == "/v3/bill/tradebill"
    assert parse_qs(url.query) == {"bill_date": [DAY], "tar_type": ["GZIP"]}


@pytest.mark.parametrize(
    "day", ["2024-6-1", "2024-02-30", "20240601", 20240601, None, datetime(2024, 6, 1)]
)
def test_what_is_no_day_is_refused(call, server, client, day) -> None:
    with pytest.raises(EncodeError, match="date:"):
        call(client.bills.trade, day)
    assert server.requests == []


@pytest.mark.parametrize(
    ("name", "given", "path", "query", "kind"),
    [
        ("trade", {"bill_type": "REFUND", "sub_mchid": "190"}, "bill/tradebill",
         {"bill_type": "REFUND", "sub_mchid": "190"}, TradeRow),
        ("fundflow", {"account_type": "FEES"}, "bill/fundflowbill",
         {"account_type": "FEES"}, FundRow),
        ("profit_sharing", {"sub_mchid": "190"}, "profitsharing/bills",
         {"sub_mchid": "190"}, Row),
        ("sub_merchant_fundflow", {"sub_mchid": "190"},
         "bill/sub-merchant-fundflowbill",
         {"sub_mchid": "190", "account_type": "BASIC",
          "algorithm": "AEAD_AES_256_GCM"}, FundRow),
        ("ecommerce_fundflow", {}, "ecommerce/bill/fundflowbill",
         {"account_type": "ALL", "algorithm": "AEAD_AES_256_GCM"}, FundRow),
        ("payscore", {"service_id": "500001"}, "payscore/merchant-bill",
         {"service_id": "500001", "encryption_algorithm": "AEAD_AES_256_GCM"}, Row),
    ],
)  # fmt: skip
def test_each_bill_has_its_path_and_query(
    call, rows, server, client, name, given, path, query, kind
) -> None:
    if "algorithm" in str(query):
        server.key = KEY
    bill = call(getattr(client.bills, name), DAY, **given)
    url = urlsplit(server.requests[0].url)
    assert url.path == f"/v3/{path}"
    sent = {k: v[0] for k, v in parse_qs(url.query).items()}
    assert sent == {"bill_date": DAY, "tar_type": "GZIP", **query}
    assert {type(row) for row in rows(bill)} == {kind}


def test_any_other_bill_is_asked_for_by_its_path(call, rows, server, client) -> None:
    path = "v3/merchant/fund/withdraw/bill-type/NO_SUCC"
    bill = call(client.bills.ask, path, {"bill_date": DAY})
    assert len(rows(bill)) == 3
    assert bill.sha1 == (server._entry(0)["hash_value"],)


# Rows.


@pytest.mark.parametrize("packed", [True, False])
def test_rows_come_as_the_file_arrives(call, rows, server, client, packed) -> None:
    server.packed = packed
    bill = call(client.bills.trade, DAY)
    assert numbers(rows(bill)) == ["order0", "order1", "order2"]
    assert server.downloads[0].stream
    assert all(stream.closed for stream in server.streams)


def test_the_download_url_is_signed_as_it_was_given(call, rows, server, client) -> None:
    rows(call(client.bills.trade, DAY))
    (request,) = server.downloads
    assert request.target == "/v3/billdownload/file?token=a%2Fb_1&part=0&tartype=gzip"


def test_the_totals_are_known_after_the_rows(call, rows, server, client) -> None:
    bill = call(client.bills.trade, DAY)
    rows(bill)
    assert bill.summary.count == 3
    assert len(server.downloads) == 1


def test_the_totals_can_be_asked_for_first(call, server, client) -> None:
    bill = call(client.bills.trade, DAY)
    found = bill.summary if call.mode == "sync" else call.wait(bill.summary_async())
    assert found.total.fen == 300


def test_a_bill_can_be_read_twice(call, rows, server, client) -> None:
    bill = call(client.bills.trade, DAY)
    assert rows(bill) == rows(bill)


def test_rows_that_are_left_alone_close_the_stream(call, server, client) -> None:
    bill = call(client.bills.trade, DAY)
    if call.mode == "sync":
        found = iter(bill)
        next(found)
        found.close()
    else:

        async def first() -> None:
            found = bill.__aiter__()
            await found.__anext__()
            await found.aclose()

        call.wait(first())
    assert server.streams[0].closed


# What goes wrong on the way.


@pytest.mark.parametrize("tag", [None, '"v1"', 'W/"v1"'])
@pytest.mark.parametrize("cut", [0, 1, 70, 200, 300])
def test_a_download_that_breaks_goes_on_from_a_fresh_url(
    call, rows, server, client, cut: int, tag: str | None
) -> None:
    server.cuts, server.tag = [cut], tag
    bill = call(client.bills.trade, DAY)
    assert numbers(rows(bill)) == ["order0", "order1", "order2"]
    assert server.asked == 2
    second = server.downloads[1]
    whole = tag != '"v1"' or cut == 0
    assert second.headers.get("Range") == (None if whole else f"bytes={cut}-")
    assert bill.summary.count == 3


def test_a_line_that_breaks_behind_the_last_byte(call, rows, server, client) -> None:
    server.tag, server.cuts = '"v1"', [len(server.sent(0))]
    assert len(rows(call(client.bills.trade, DAY))) == 3
    # There is no rest of it to ask for: 416, and then all of it.
    ranges = [one.headers.get("Range") for one in server.downloads]
    assert ranges == [None, f"bytes={len(server.sent(0))}-", None]


def test_it_may_break_again_and_again_as_long_as_something_comes(
    call, rows, server, client
) -> None:
    server.files = [trade_bill(200)]
    server.packed = False
    server.cuts = [5000, 9000, 13000, 16000, 20000, 25000]
    assert len(rows(call(client.bills.trade, DAY))) == 200
    assert server.asked == 7


def test_it_is_given_up_when_nothing_new_comes(call, rows, server, client) -> None:
    server.cuts = [200, 200, 200, 200]
    bill = call(client.bills.trade, DAY)
    with pytest.raises(ReadError, match="cut off"):
        rows(bill)
    assert len(server.downloads) <= 4


def test_a_file_without_its_end_is_one_that_broke(call, rows, server, client) -> None:
    sent = server.sent
    server.sent = lambda number: sent(number)[: 100 if server.asked == 1 else None]
    assert len(rows(call(client.bills.trade, DAY))) == 3
    assert server.asked == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_url_that_has_expired_is_replaced(call, rows, server, client, status) -> None:
    server.refusals = [status]
    assert len(rows(call(client.bills.trade, DAY))) == 3
    assert server.asked == 2


def test_a_fresh_url_that_is_refused_too_is_an_error(
    call, rows, server, client
) -> None:
    server.refusals = [400, 400, 400]
    bill = call(client.bills.trade, DAY)
    with pytest.raises(BadRequest, match="token已过期"):
        rows(bill)
    assert server.asked == 2


def test_the_server_in_trouble_is_an_error(call, rows, server, client) -> None:
    server.refusals = [500]
    bill = call(client.bills.trade, DAY)
    with pytest.raises(APIError, match="HTTP 500"):
        rows(bill)


def test_a_bill_that_was_made_anew_is_refused(call, rows, server, client) -> None:
    server.cuts, server.anew = [300], [[trade_bill(4)]]
    bill = call(client.bills.trade, DAY)
    with pytest.raises(DecodeError, match="made the bill again"):
        rows(bill)


def test_a_beginning_that_differs_the_second_time_is_refused(
    call, rows, server, client
) -> None:
    server.packed = False
    server.cuts = [2000]
    true = server.sent(0)
    server.sent = lambda number: (
        true.replace(b"order0", b"order9") if server.asked == 1 else true
    )
    bill = call(client.bills.trade, DAY)
    with pytest.raises(InvalidSignature, match="its beginning differs"):
        rows(bill)


def test_a_file_that_was_changed_is_refused(call, rows, server, client) -> None:
    server.says = {"hash_value": "0" * 40}
    bill = call(client.bills.trade, DAY)
    with pytest.raises(InvalidSignature, match="the signed answer says 0000"):
        rows(bill)


def test_the_hash_is_that_of_the_plain_bytes_in_either_case(
    call, rows, server, client
) -> None:
    server.says = {"hash_value": server._entry(0)["hash_value"].upper()}
    assert len(rows(call(client.bills.trade, DAY))) == 3


def test_what_does_not_unzip_is_refused(call, rows, server, client) -> None:
    server.sent = lambda number: b"\x1f\x8b" + b"x" * 500
    bill = call(client.bills.trade, DAY)
    with pytest.raises(DecodeError, match="cannot be unzipped"):
        rows(bill)


def test_gzip_members_behind_one_another_are_one_file(
    call, rows, server, client
) -> None:
    plain = server.files[0]
    server.sent = lambda number: gzip.compress(plain[:100]) + gzip.compress(plain[100:])
    assert len(rows(call(client.bills.trade, DAY))) == 3


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        ({"download_url": None}, "no download_url"),
        ({"download_url": "ftp://x/y"}, "no download_url"),
        ({"hash_type": "MD5"}, "hash_type: SHA1 expected"),
        ({"hash_value": 5}, "hash_type: SHA1 expected"),
        ({"encrypt_key": 5, "nonce": "x"}, "encrypt_key and nonce"),
        ({"download_bill_count": 2, "download_bill_list": []}, "counts 2 files"),
    ],
)
def test_an_answer_that_names_no_file_is_refused(
    call, server, client, says, reason
) -> None:
    server.says = says
    with pytest.raises(DecodeError, match=reason):
        call(client.bills.trade, DAY)


@pytest.mark.parametrize(
    "host", ["https://evil.example", "http://api.mch.weixin.qq.com",
             "https://api.mch.weixin.qq.com.evil.example", "https://xmch.weixin.qq.com",
             "https://user@evil.example", "https://evil.example?.mch.weixin.qq.com",
             "https://evil.example\\.mch.weixin.qq.com"],
)  # fmt: skip
def test_no_signature_goes_to_another_host(call, rows, server, client, host) -> None:
    server.host = host
    bill = call(client.bills.trade, DAY)
    with pytest.raises(DecodeError, match="nothing is sent there"):
        rows(bill)
    assert server.downloads == []


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        (HOST, "https://api2.mch.weixin.qq.com"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://proxy.example/wechat", HOST),
        ("https://proxy.example/wechat", "https://proxy.example"),
    ],
)
def test_files_are_taken_from_wechat_pay_and_from_the_base_url(
    call, rows, server, base_url, host
) -> None:
    server.host = host
    client = server.client(base_url=base_url)
    assert len(rows(call(client.bills.trade, DAY))) == 3
    assert server.downloads[0].url.startswith(f"{host}/v3/billdownload/")


# Encrypted ones.


def test_encrypted_files_are_read_in_their_order(call, rows, server, client) -> None:
    server.key = KEY
    server.files = [trade_bill(2), trade_bill(3).replace(b"order", b"later")]
    bill = call(client.bills.payscore, DAY, service_id="500001")
    assert [row["商户订单号"] for row in rows(bill)] == [
        "order0", "order1", "later0", "later1", "later2",
    ]  # fmt: skip
    assert len(bill.sha1) == 2


def test_a_key_that_the_client_has_opened_already_is_taken(
    call, rows, server, client
) -> None:
    # This endpoint's encrypt_key is a sensitive field in the catalogue.
    server.key = KEY
    bill = call(client.bills.ecommerce_fundflow, DAY)
    assert len(rows(bill)) == 3


@pytest.mark.parametrize("tag", [None, '"v1"'])
@pytest.mark.parametrize("cut", [5, 200])
def test_an_encrypted_download_that_breaks_begins_anew(
    call, rows, server, client, cut, tag
) -> None:
    server.key, server.cuts, server.tag = KEY, [cut], tag
    bill = call(client.bills.payscore, DAY, service_id="500001")
    assert len(rows(bill)) == 3
    assert "Range" not in server.downloads[1].headers


def test_an_encrypted_file_that_was_changed_is_refused(
    call, rows, server, client
) -> None:
    server.key, server.packed = KEY, False
    sent = server.sent
    server.sent = lambda number: sent(number)[:-1] + b"\x00"
    bill = call(client.bills.payscore, DAY, service_id="500001")
    with pytest.raises(DecryptionError, match="tag of the bill does not match"):
        rows(bill)


def test_a_key_that_does_not_open_is_refused(call, server, client) -> None:
    server.key = KEY
    listed = [{**server._entry(0), "encrypt_key": "AAAA"}]
    server.says = {"download_bill_list": listed}
    with pytest.raises(DecryptionError):
        call(client.bills.payscore, DAY, service_id="500001")


def test_a_key_of_another_size_is_refused(call, server, client) -> None:
    server.key = KEY[:16]
    with pytest.raises(DecodeError, match="32 bytes expected, 16 came out"):
        call(client.bills.payscore, DAY, service_id="500001")


def test_no_bill_of_sub_merchants_is_an_empty_one(call, rows, server, client) -> None:
    server.key, server.files = KEY, []
    bill = call(client.bills.payscore, DAY, service_id="500001")
    assert rows(bill) == []
    assert bill.summary is None


# Files.


def test_a_bill_is_saved_plain(call, server, client, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    bill = call(client.bills.trade, DAY)
    path = tmp_path / "bill.csv"
    call(bill.save, path, progress=lambda *now: told.append(now))
    assert path.read_bytes() == trade_bill(3)
    assert bill.summary.count == 3
    total = len(server.sent(0))
    assert told[-1] == (total, total)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(server.downloads) == 1


def test_a_bill_without_totals_is_saved_with_none(
    call, server, client, tmp_path: Path
) -> None:
    server.files = ["商户号,费率\r\n`1,`2\r\n".encode()]
    bill = call(client.bills.trade, DAY)
    call(bill.save, tmp_path / "bill.csv")
    assert bill.summary is None


def test_what_fails_leaves_the_old_file(call, server, client, tmp_path: Path) -> None:
    server.says = {"hash_value": "0" * 40}
    path = tmp_path / "bill.csv"
    path.write_bytes(b"old")
    bill = call(client.bills.trade, DAY)
    with pytest.raises(InvalidSignature):
        call(bill.save, path)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["bill.csv"]


def test_a_file_keeps_the_permissions_of_the_one_it_replaces(
    call, server, client, tmp_path: Path
) -> None:
    path = tmp_path / "bill.csv"
    path.touch()
    path.chmod(0o640)
    call(call(client.bills.trade, DAY).save, path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_several_files_are_saved_behind_one_another(
    call, server, client, tmp_path: Path
) -> None:
    server.key = KEY
    server.files = [trade_bill(1), trade_bill(2)]
    bill = call(client.bills.payscore, DAY, service_id="500001")
    told: list[int | None] = []
    call(bill.save, tmp_path / "all.csv", progress=lambda _, total: told.append(total))
    assert (tmp_path / "all.csv").read_bytes() == trade_bill(1) + trade_bill(2)
    assert set(told) == {None}


def test_a_file_that_unzips_to_much_more_is_taken_in_pieces(client, server) -> None:
    server.files = [trade_bill(0) + b"`" * 50_000_000]
    bill = client.bills.trade(DAY)
    assert max(len(piece) for piece in bill._pieces()) <= 256 * 1024


def test_repr_shows_the_day_and_no_key(server, client) -> None:
    server.key = KEY
    bill = client.bills.payscore(DAY, service_id="500001")
    assert repr(bill) == "<Bill v3/payscore/merchant-bill 2024-06-01>"
    assert KEY.decode() not in repr(vars(bill))


# What only a strange server does.


def test_a_part_that_nobody_asked_for_is_refused(call, rows, server, client) -> None:
    server.tag = '"v1"'
    bill = call(client.bills.trade, DAY)
    whole = server._download

    def partly(request):
        return whole(request).replace(status_code=206)

    server._download = partly
    with pytest.raises(DecodeError, match="asked for in full, and came in part"):
        rows(bill)


def test_the_rest_from_another_place_is_refused(call, rows, server, client) -> None:
    server.tag, server.cuts = '"v1"', [200]
    bill = call(client.bills.trade, DAY)
    whole = server._download

    def shifted(request):
        response = whole(request)
        if response.status_code == 200:
            return response
        headers = response.headers.merge({"Content-Range": "bytes 7-9/*"})
        return response.replace(headers=headers)

    server._download = shifted
    with pytest.raises(DecodeError, match="came in part"):
        rows(bill)


def test_an_encrypted_file_shorter_than_its_tag_was_cut_off(
    call, rows, server, client
) -> None:
    server.key = KEY
    sent = server.sent
    server.sent = lambda number: sent(number)[: 9 if server.asked == 1 else None]
    bill = call(client.bills.payscore, DAY, service_id="500001")
    assert len(rows(bill)) == 3
    assert server.asked == 2


def test_an_empty_file_is_an_empty_bill(call, rows, server, client) -> None:
    server.files, server.packed = [b""], False
    bill = call(client.bills.trade, DAY)
    assert rows(bill) == []
    assert bill.summary is None


@pytest.mark.parametrize("content", [b"", b"a", b"\x1f"])
def test_a_file_of_a_byte_is_no_gzip(call, server, client, tmp_path, content) -> None:
    server.files, server.packed = [content], False
    call(call(client.bills.trade, DAY).save, tmp_path / "x")
    assert (tmp_path / "x").read_bytes() == content


def test_files_without_numbers_are_taken_as_they_are_listed(
    call, rows, server, client
) -> None:
    server.key, server.files = KEY, [trade_bill(1), trade_bill(2)]
    listed = [server._entry(number) for number in range(2)]
    for entry in listed:
        del entry["bill_sequence"]
        entry["download_url"] = entry["download_url"].replace("_0", "_1")
    server.says = {"download_bill_list": listed}
    assert len(rows(call(client.bills.payscore, DAY, service_id="500001"))) == 3
