"""What ``import wechatpay_chain`` takes, against what it needs anyway."""

from __future__ import annotations

import json
import subprocess
import sys

from measure import Effort, Result
from report import Row, Target, against_floor

NEEDED = """\
import requests
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
import wrapt"""
OURS = "import wechatpay_chain"
#: What the first client and its first call load beyond that.
CALLING = """\
import wechatpay_chain
from wechatpay_chain import _assembly, _reply
from wechatpay_chain.transports import on_requests"""

#: What a plain import must not load: every extra, and what only some programs use.
UNWANTED = (
    "aiohttp",
    "click",
    "starlette",
    "uvicorn",
    "opentelemetry",
    "wechatpay_chain.catalogue",
    "wechatpay_chain.cli",
    "wechatpay_chain.contrib",
    "wechatpay_chain.sandbox",
    "wechatpay_chain.testing",
)

PROGRAM = """\
from time import perf_counter as wall, process_time as cpu
started, used = wall(), cpu()
{statements}
took = wall() - started, cpu() - used
import json, sys
print(json.dumps([*took, sorted(sys.modules)]))
"""


def importing(effort: Effort) -> tuple[list[Row], str]:
    """Import in fresh processes, in turns; the rows, and a word on what was loaded."""
    contenders = (
        (Result("requests, cryptography, wrapt"), NEEDED),
        (Result("wechatpay_chain and all of a first call"), CALLING),
        (Result("wechatpay_chain"), OURS),
    )
    loaded: list[str] = []  # by the last of them
    for at in range(effort.rounds + 1):
        for result, statements in contenders:
            wall, cpu, loaded = _import(statements)
            if at:  # the first one compiles and fills the page cache
                result.wall.append(wall)
                result.cpu.append(cpu)
    targets = {"wechatpay_chain": (Target("time", 1.15),)}
    rows = against_floor("import", [result for result, _ in contenders], targets)
    return rows, _word(loaded)


def _import(statements: str) -> tuple[float, float, list[str]]:
    # -I: neither the directory nor the environment of this program counts.
    command = [sys.executable, "-I", "-c", PROGRAM.format(statements=statements)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    wall, cpu, modules = json.loads(done.stdout)
    return wall, cpu, modules


def _word(modules: list[str]) -> str:
    found = [
        name
        for name in UNWANTED
        if any(m == name or m.startswith(name + ".") for m in modules)
    ]
    if found:
        return f"import wechatpay_chain loads what it must not: {', '.join(found)}"
    return f"import wechatpay_chain loads none of {', '.join(UNWANTED)}"
