"""Names for annotations: the types of bodies, queries, answers and notifications.

>>> from wechatpay_chain.types.v3 import payscore
>>> def order() -> payscore.ServiceorderPostBody: ...

They are types for checkers and editors: at run time each is ``dict``, which is what the
values are. ``docs/types.md`` tells how they are named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .._tree import BodyOptions, Files, Options, TypedNode
else:
    from .._node import Node as TypedNode

    BodyOptions = Options = Files = dict

__all__ = ["BodyOptions", "Files", "Options", "TypedNode"]
