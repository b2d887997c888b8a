"""``docs/cli.md`` is the help of the commands, and lists their exit statuses."""

from __future__ import annotations

import re

from wechatpay_chain.cli import account, manual
from wechatpay_chain.cli.program import COMMANDS


def test_the_page_is_up_to_date() -> None:
    now = manual.PAGE.read_text("utf-8")
    assert manual.page(now) == now, "run python -m wechatpay_chain.cli.manual"


def test_each_command_is_on_it() -> None:
    text = manual.PAGE.read_text("utf-8")
    assert set(re.findall(r"^### wxpay ([a-z]+)$", text, re.M)) == set(COMMANDS)


def test_exit_statuses_are_those_of_the_program() -> None:
    text = manual.PAGE.read_text("utf-8")
    listed = {int(one) for one in re.findall(r"^\| ([0-9]) \|", text, re.M)}
    used = {account.REFUSED, account.USAGE, account.UNKNOWN, account.UNPROVEN}
    assert listed == {0, *used}
