"""The reference without the extra that it is made with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = """
import runpy, sys
sys.modules["jinja2"] = None  # as if it were not installed
from wechatpay_chain import ConfigurationError, catalogue
from wechatpay_chain.catalogue import pages
try:
    pages.render(next(catalogue.operations()))
except ConfigurationError as error:
    print(error)
sys.argv = ["pages", sys.argv[1]]
runpy.run_module("wechatpay_chain.catalogue.pages", run_name="__main__")
"""


def test_the_extra_is_named(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PROGRAM, str(tmp_path / "reference")],
        capture_output=True,
        text=True,
        check=False,
    )
    told = "the reference needs jinja2: pip install 'wechatpay-chain[docs]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, told, told)
    assert not (tmp_path / "reference").exists()
