"""The reference, made once for all tests of a process."""

from __future__ import annotations

import pytest

from wechatpay_chain import catalogue
from wechatpay_chain.catalogue.pages import Site


@pytest.fixture(scope="session")
def reference() -> Site:
    """The site; its pages are made as they are asked for."""
    return Site(catalogue.operations())
