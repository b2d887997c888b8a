"""The fixtures of the plugin, for the tests of what they give."""

from __future__ import annotations

from wechatpay_chain.testing.plugin import gateway, merchant, wechatpay

__all__ = ["gateway", "merchant", "wechatpay"]
