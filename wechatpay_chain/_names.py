"""Names of WeChat Pay's that both the client and the catalogue go by."""

from __future__ import annotations

#: What APIv2 calls the merchant number (商户号): nearly always the first.
MCHIDS = ("mch_id", "mchid", "combine_mch_id")
