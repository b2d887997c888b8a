"""A program for the tests: processes that are spawned build clients of their own.

It reads no options: they are in the environment, and in the file that it is given.
"""

from __future__ import annotations

import multiprocessing
import sys

from wechatpay_chain import WeChatPay


def work(path: str) -> None:
    """What a spawned process does."""
    with WeChatPay.from_env() as client:
        client.v3.env.post({})
    with WeChatPay.from_file(path) as client:
        client.v3.file.post({})


def main(path: str) -> int:
    with WeChatPay.from_env() as client:
        client.v3.parent.post({})
        process = multiprocessing.get_context("spawn").Process(
            target=work, args=(path,)
        )
        process.start()
        process.join()
        client.v3.parent.post({})
    return process.exitcode or 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
