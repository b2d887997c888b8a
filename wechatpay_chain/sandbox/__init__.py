"""A local WeChat Pay gateway, to develop and test against without money.

>>> from wechatpay_chain.sandbox import Gateway
>>> gateway = Gateway(seed=1)
>>> client = gateway.client()
>>> client.v3.security.echo.post({"echo_message": "hello"}).data
{'echo_message': 'hello'}
"""

from .actors import IllegalMove
from .gateway import Gateway
from .keys import KeySet
from .lifecycle import Event, State
from .products.orders import Order
from .world import Clock, Ids, Service

__all__ = [
    "Clock",
    "Event",
    "Gateway",
    "Ids",
    "IllegalMove",
    "KeySet",
    "Order",
    "Service",
    "State",
]
