"""The reference: one page per endpoint, as static files that open from disk.

``python -m wechatpay_chain.catalogue.pages`` builds it, with the extra ``docs``.
The calls as source text need no extra: ``wxpay api`` shows them too.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import ConfigurationError
from .. import operations
from ..model import Operation

if TYPE_CHECKING:
    from .site import Site, address

__all__ = ["Site", "address", "build", "render"]

#: The file by which an earlier build is known.
_MARK = "search-index.js"


def __getattr__(name: str) -> object:
    if name not in ("Site", "address"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(_site(), name)


def _site() -> Any:
    """The module with the extra behind it. Raises ``ConfigurationError``."""
    try:
        from . import site
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == __name__.partition(".")[0]:
            raise
        raise ConfigurationError(
            f"the reference needs {error.name}: pip install 'wechatpay-chain[docs]'"
        ) from error
    return site


def build(folder: str | Path) -> Path:
    """Write the site into *folder*, in place of an earlier one; its first page.

    Raises ``FileExistsError`` for a folder that holds anything else, and
    ``ConfigurationError`` without the extra ``docs``.
    """
    site = _site()
    folder = Path(folder)
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).is_file():
            raise FileExistsError(f"{folder} is not empty, and no earlier reference")
        shutil.rmtree(folder)
    for name, text in site.Site(operations()).files():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "index.html"


def render(operation: Operation) -> str:
    """The page of one operation, as HTML.

    >>> from wechatpay_chain.catalogue import find
    >>> "获取平台证书列表" in render(find("GET", "v3/certificates"))
    True
    """
    page: str = _site().Site(operations()).page(operation)
    return page
