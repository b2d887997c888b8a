"""What mypy and pyright, both strict, say of programs: nothing, or exactly this.

``good/`` has programs without a fault. In ``bad/`` each line with a fault says behind
it which errors are expected: ``# E: mypy[call-arg] pyright[reportCallIssue]``.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import wechatpay_chain

HERE = Path(__file__).parent
PROGRAMS = sorted(HERE.glob("good/*.py")) + sorted(HERE.glob("bad/*.py"))
CHECKERS = ("mypy", "pyright")

#: A line of a program, and the codes of what is wrong with it.
Findings = dict[tuple[str, int], set[str]]

_EXPECTED = re.compile(r"  # E:(.*)$")
_CODES = re.compile(r"(\w+)\[([\w, -]+)\]")
_MYPY = re.compile(r"(.+?):([0-9]+): error: .* \[([a-z-]+)\]")

#: An older requests has no types: to mypy a reply then has any attribute there is.
TYPED = (Path(requests.__file__).parent / "py.typed").exists()
NEEDS_TYPES = "  # with typed requests"


def marked() -> Iterator[tuple[tuple[str, int], str]]:
    """Each line that expects something: its place, and what."""
    for path in PROGRAMS:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = _EXPECTED.search(line)
            if found is not None:
                yield (place(path), number), found[1]


def expected(checker: str) -> Findings:
    """What *checker* is to say, by line."""
    out: Findings = {}
    for where, comment in marked():
        if checker == "mypy" and not TYPED and comment.endswith(NEEDS_TYPES):
            continue
        codes = dict(_CODES.findall(comment)).get(checker)
        if codes is not None:
            out[where] = set(codes.split(", "))
    return out


def place(path: Path) -> str:
    return path.relative_to(HERE).as_posix()


def run(*command: str, cwd: Path = HERE) -> str:
    """The output of a checker that belongs to this interpreter."""
    beside = Path(sys.executable).parent
    done = subprocess.run(
        [sys.executable, "-m", *command],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        check=False,
        env={**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}"},
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def pyright(*arguments: str, cwd: Path = HERE) -> Any:
    text = run("pyright", *arguments, "--outputjson", cwd=cwd)
    return json.loads(text[text.index("{") :])


def said_by_mypy(cache: Path) -> Findings:
    options = [
        "--strict",
        "--python-version=3.10",
        "--disable-error-code=import-untyped",
    ]
    text = run(
        "mypy", "--config-file=", f"--cache-dir={cache}", *options, "good", "bad"
    )
    out: Findings = {}
    for line in text.splitlines():
        found = _MYPY.fullmatch(line)
        if found is not None:
            where = Path(found[1]).as_posix(), int(found[2])
            out.setdefault(where, set()).add(found[3])
        else:
            assert ": note: " in line or line.startswith("Found "), line
    return out


def said_by_pyright() -> Findings:
    out: Findings = {}
    found = pyright("--project", ".", "--pythonpath", sys.executable)
    assert found["summary"]["filesAnalyzed"] == len(PROGRAMS)
    for said in found["generalDiagnostics"]:
        where = place(Path(said["file"])), said["range"]["start"]["line"] + 1
        out.setdefault(where, set()).add(said.get("rule", said["message"]))
    return out


@pytest.mark.timeout(300)
def test_mypy_says_what_is_expected_and_nothing_else(tmp_path: Path) -> None:
    assert said_by_mypy(tmp_path) == expected("mypy")


@pytest.mark.timeout(300)
def test_pyright_says_what_is_expected_and_nothing_else() -> None:
    assert said_by_pyright() == expected("pyright")


def test_many_mistakes_are_tried_and_both_checkers_see_each() -> None:
    comments = dict(marked())
    assert len(comments) >= 60
    for where, comment in comments.items():
        assert {name for name, _ in _CODES.findall(comment)} == {*CHECKERS}, where
        assert where[0].startswith("bad/")


@pytest.mark.timeout(300)
def test_the_types_of_the_public_api_are_complete(tmp_path: Path) -> None:
    # Not from the repository, where the package would be found as a local folder.
    found = pyright(
        "--verifytypes", wechatpay_chain.__name__, "--ignoreexternal", cwd=tmp_path
    )
    completeness = found["typeCompleteness"]
    vague = [
        symbol["name"]
        for symbol in completeness["symbols"]
        if symbol["isTypeAmbiguous"] or not symbol["isTypeKnown"]
    ]
    assert vague == []
    assert completeness["exportedSymbolCounts"]["withKnownType"] > 1000
    assert completeness["completenessScore"] == 1
