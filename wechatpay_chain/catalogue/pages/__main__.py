"""``python -m wechatpay_chain.catalogue.pages [FOLDER]``: builds the reference."""

from __future__ import annotations

import argparse
import sys

from ...errors import ConfigurationError
from . import build


def main() -> None:
    """Build, and say where the first page is."""
    parser = argparse.ArgumentParser(
        prog="python -m wechatpay_chain.catalogue.pages",
        description="Build the reference: one page per endpoint.",
    )
    parser.add_argument(
        "folder", nargs="?", default="build/reference", help="default: %(default)s"
    )
    try:
        first = build(parser.parse_args().folder)
    except ConfigurationError as error:
        sys.exit(str(error))
    except FileExistsError as error:
        sys.exit(f"{error}: give another folder")
    sys.stdout.write(f"{first}\n")


if __name__ == "__main__":
    main()
