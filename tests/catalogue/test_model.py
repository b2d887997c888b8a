"""What an operation says of itself, beyond what its file has."""

from __future__ import annotations

import pytest

from wechatpay_chain.catalogue import Field, Operation, find


def test_a_walk_visits_every_value_with_its_place() -> None:
    text = Field(type="string")
    value = Field(
        type="object",
        fields={
            "list": Field(type="array", items=Field(type="object", fields={"a": text})),
            "json": Field(
                type="string", content=Field(fields={"b": text}), content_kind="json"
            ),
            "one": Field(
                options=(Field(fields={"c": text}), Field(fields={"d": text}))
            ),
        },
    )
    assert [place for place, _ in value.walk()] == [
        "list",
        "list[]",
        "list[].a",
        "json",
        "json<json>.b",
        "one",
        "one|0.c",
        "one|1.d",
    ]


def known(method: str, path: str) -> Operation:
    found = find(method, path)
    assert found is not None
    return found


def test_sensitive_fields_are_told_by_place() -> None:
    add = known("POST", "v3/profitsharing/orders")
    assert [place for place, _ in add.concealed] == ["receivers[].name"]
    assert not add.revealed


def test_answers_that_arrive_encrypted_are_told_by_place(
    every: list[Operation],
) -> None:
    both = [one for one in every if one.revealed]
    assert both
    for operation in both:
        assert all(field.encrypted == "rsa-merchant" for _, field in operation.revealed)


@pytest.mark.parametrize(
    ("method", "path", "base_url"),
    [
        ("GET", "v3/certificates", "https://api.mch.weixin.qq.com"),
        ("POST", "v3/customs/orders", "https://apihk.mch.weixin.qq.com/global"),
    ],
)
def test_the_base_url_is_host_and_prefix(method: str, path: str, base_url: str) -> None:
    assert known(method, path).base_url == base_url


@pytest.mark.parametrize(
    ("path", "version"),
    [("v3/x", "v3"), ("v2/pay/unifiedorder", "v2"), ("hk/v3/refunds", "hk")],
)
def test_the_version_is_the_first_segment(path: str, version: str) -> None:
    assert Operation("POST", path, "t").version == version


def test_the_answer_is_that_of_the_first_success_with_a_body() -> None:
    body = Field(type="object")
    assert Operation("GET", "v3/x", "t", answers={202: None, 200: body}).answer is body
    assert Operation("GET", "v3/x", "t", answers={302: body}).answer is None
