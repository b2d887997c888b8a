"""Create, confirm and cancel a PayScore order (支付分订单) on the built-in gateway.

    python examples/payscore_cancel.py

With your own credentials replace the first two lines of ``main`` by
``client = WeChatPay.from_file("wechatpay.toml")``; the user confirms in WeChat then.
"""

from __future__ import annotations

from wechatpay_chain import APIError, WeChatPayError
from wechatpay_chain.sandbox import Gateway


def main() -> None:
    gateway = Gateway(seed=1)
    client = gateway.client()

    order = client.v3.payscore.serviceorder.post(
        {
            "out_order_no": "EXAMPLE-1",
            "appid": gateway.appid,
            "service_id": gateway.service_id,
            "service_introduction": "共享充电宝",
            "time_range": {"start_time": "OnAccept"},
            "risk_fund": {"name": "DEPOSIT", "amount": 10000},  # fen
            "notify_url": "https://merchant.example/notify",
        }
    )
    print(order["state"], order["order_id"])
    gateway.user.confirm("EXAMPLE-1")

    cancel = client.v3.payscore.serviceorder._out_order_no_.cancel
    body = {
        "appid": gateway.appid,
        "service_id": gateway.service_id,
        "reason": "下错单",
    }
    try:
        reply = cancel.post(body, out_order_no="EXAMPLE-1")
    except APIError as error:
        print("refused:", error.code, error.message)
    except WeChatPayError as error:
        if error.outcome == "unknown":
            print("not known: query the order, or repeat with the same number")
        raise
    else:
        print("cancelled", reply["out_order_no"], "Request-ID", reply.request_id)


if __name__ == "__main__":
    main()
