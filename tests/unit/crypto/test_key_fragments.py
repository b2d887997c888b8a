"""Missing files are named, damaged keys are never repeated, garbage is refused."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st
from key_material import (
    DER,
    MCHID,
    p12,
    private,
    public,
    request,
)

from wechatpay_chain._secret import Secret
from wechatpay_chain.crypto import load_private_key, load_public_key
from wechatpay_chain.crypto.load import is_pkcs12
from wechatpay_chain.errors import ConfigurationError


def damaged(pem: bytes) -> bytes:
    """A complete block whose content was overwritten near its beginning."""
    lines = pem.splitlines()
    lines[2:5] = [b"A" * 64] * 3
    return b"\n".join(lines)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


MISSING: dict[str, Callable[[Path], Any]] = {
    "suffix": lambda folder: str(folder / "nothing" / "apiclient_key.pem"),
    "folder": lambda folder: str(folder / "apiclient_key"),
    "suffix alone": lambda folder: "apiclient_key.p12",
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    path = MISSING[name](tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        load_private_key(path)
    assert str(caught.value) == f"private_key: no such file: {path}"
    with pytest.raises(ConfigurationError) as caught:
        load_private_key(Path(path))
    assert str(caught.value) == (
        f"private_key: cannot read {Path(path)}: No such file or directory"
    )


@pytest.mark.parametrize("name", [str, Path, Path.as_uri])
def test_a_folder_is_no_file(tmp_path: Path, name: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_private_key(name(tmp_path))
    assert str(caught.value) == f"private_key: cannot read {tmp_path}: Is a directory"


def test_a_folder_without_a_path_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keys").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError) as caught:
        load_private_key("keys")
    assert str(caught.value) == "private_key: cannot read keys: Is a directory"


def test_an_empty_file_is_said_to_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.touch()
    with pytest.raises(ConfigurationError, match=r"^private_key: it is empty$"):
        load_private_key(path)


def test_the_home_of_nobody_is_a_missing_file() -> None:
    with pytest.raises(ConfigurationError, match=r"no such file: ~nobody-there/a\.pem"):
        load_private_key("~nobody-there/a.pem")


class BytesPath:
    """A path whose name is bytes, as ``os.scandir(b"...")`` gives them."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __fspath__(self) -> bytes:
        return os.fsencode(self.path)


def test_a_path_in_bytes_is_a_path(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(private())
    assert isinstance(load_private_key(BytesPath(path)), rsa.RSAPrivateKey)


ONE_LINE = b64encode(private(DER)).decode()

#: A key that lost something on its way, by how it is given.
FRAGMENTS: dict[str, Any] = {
    "pem as a path": Path(private().decode()),
    "pem as a url": "file:" + private().decode(),
    "base64 as a path": Path(ONE_LINE[:180]),
    "base64 cut off": ONE_LINE[:-3],
    "short base64": ONE_LINE[:101],
    "base64 from its middle": ONE_LINE[ONE_LINE.index("/") :][:101],
    "base64 with dots": ONE_LINE[:60] + "..." + ONE_LINE[60:120],
    "pem without its head": private().decode().partition("\n")[2],
    "pem without its foot": private().decode()[:-20],
    "damaged pem": damaged(private()),
    "der cut off": cut(private(DER)),
}


@pytest.mark.parametrize("loader", [load_private_key, load_public_key])
@pytest.mark.parametrize("fragment", FRAGMENTS)
def test_a_damaged_key_is_never_repeated(loader: Any, fragment: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loader(FRAGMENTS[fragment])
    text = repr(caught.value)
    assert not [run for run in re.findall(r"[\w+/=]{12,}", text) if run in ONE_LINE]
    assert "\\x" not in text


DOCUMENTS = st.sampled_from(
    [private(), private(DER), p12(), public(), public(DER), request().public_bytes(DER)]
)


@settings(max_examples=60, deadline=None)
@given(document=DOCUMENTS, data=st.data())
def test_changed_material_loads_or_is_refused(document: bytes, data: Any) -> None:
    at = data.draw(st.integers(0, len(document)))
    stop = data.draw(st.integers(at, min(at + 8, len(document))))
    changed = document[:at] + data.draw(st.binary(max_size=8)) + document[stop:]
    for loader in (load_private_key, load_public_key):
        error = None
        try:
            loader(changed, MCHID)
        except ConfigurationError as caught:
            error = caught
        # A context would hold the key in its frames.
        assert error is None or error.__context__ is None


@settings(max_examples=60, deadline=None)
@given(material=st.one_of(st.text(), st.binary(), st.integers(), st.none()))
def test_nothing_but_a_configuration_error_comes_of_garbage(material: Any) -> None:
    for loader in (load_private_key, load_public_key):
        with pytest.raises(ConfigurationError):
            loader(material)


@pytest.mark.parametrize(
    ("material", "verdict"),
    [(p12(), True), (b64encode(p12()), True), (private(DER), False), (5, False)],
    ids=["der", "base64", "key", "number"],
)
def test_pkcs12_is_told_by_its_content(material: Any, verdict: bool) -> None:
    assert is_pkcs12(Secret(material)) is verdict
