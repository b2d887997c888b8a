"""Example calls: of any endpoint, in every form, with values that are made up.

>>> from wechatpay_chain.catalogue import find
>>> from wechatpay_chain.catalogue.examples import arguments, forms
>>> close = find("POST", "v3/pay/transactions/out-trade-no/{out_trade_no}/close")
>>> print(forms(close, arguments(close))[0].code)
reply = client.v3.pay.transactions.outTradeNo._out_trade_no_.close.post(
    body, out_trade_no="TRADE-0001"
)
"""

from .arguments import Arguments, arguments, preparation
from .forms import Form, forms, paging, result

__all__ = [
    "Arguments",
    "Form",
    "arguments",
    "forms",
    "paging",
    "preparation",
    "result",
]
