"""A layer that measures every attempt, sync and async, from one body.

python examples/own_middleware.py
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from time import perf_counter

from wechatpay_chain import Request, Response, middleware
from wechatpay_chain.sandbox import Gateway


@middleware
def measure(request: Request) -> Generator[Request, Response, Response]:
    started = perf_counter()
    response = yield request
    milliseconds = (perf_counter() - started) * 1e3
    print(
        f"{request.method} {request.template} {response.status_code} {milliseconds:.1f}"
    )
    return response


def main() -> None:
    client = Gateway(seed=1).client()
    client.stack.before("sign", measure)
    client.v3.security.echo.post({"echo_message": "你好"})
    asyncio.run(client.v3.security.echo.post_async({"echo_message": "你好"}))


if __name__ == "__main__":
    main()
