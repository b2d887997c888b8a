"""The texts that are signed, for client and sandbox alike.

Pure string work; protocol sections 3 (request), 5 (response) and 12 (client payment).
"""

from __future__ import annotations

from collections.abc import Mapping


def request_message(
    method: str, target: str, timestamp: int | str, nonce: str, body: bytes | str
) -> bytes:
    """The five lines that a request signature covers (protocol section 3).

    *target* is path and query exactly as on the request line; *body* the bytes that
    count as body: empty without one, the ``meta`` text for an upload.

    >>> request_message("GET", "/v3/certificates", 1717225200, "N0", b"")
    b'GET\\n/v3/certificates\\n1717225200\\nN0\\n\\n'
    """
    head = f"{method}\n{target}\n{timestamp}\n{nonce}\n".encode()
    return head + _bytes(body) + b"\n"


def authorization(
    *,
    mchid: str,
    serial: str,
    timestamp: int | str,
    nonce: str,
    signature: str,
    scheme: str = "WECHATPAY2-SHA256-RSA2048",
) -> str:
    """The value of the ``Authorization`` header (protocol section 4)."""
    return (
        f'{scheme} mchid="{mchid}",nonce_str="{nonce}",timestamp="{timestamp}",'
        f'serial_no="{serial}",signature="{signature}"'
    )


def response_message(timestamp: int | str, nonce: str, body: bytes | str) -> bytes:
    """The three lines that a response or notification signature covers (section 5).

    >>> response_message("1717225200", "n0nce", b"")
    b'1717225200\\nn0nce\\n\\n'
    """
    # A header that is no UTF-8 comes with surrogates: such a text verifies nothing.
    head = f"{timestamp}\n{nonce}\n".encode("utf-8", "surrogatepass")
    return head + _bytes(body) + b"\n"


def statement_body(sha1: str) -> bytes:
    """What is signed for the body of an overseas statement (section 5)."""
    return b'{"sha1":"%b"}' % sha1.encode()


def lines_message(*lines: str) -> bytes:
    """Lines each ended by LF: the text of a client payment signature (section 12)."""
    return "".join(f"{line}\n" for line in lines).encode()


def fields_message(fields: Mapping[str, object]) -> str:
    """The sorted ``k=v`` text of an APIv2 signature, without the key (section 16).

    Empty values and ``sign`` itself are left out; values are raw, not percent-encoded.

    >>> fields_message({"b": "2", "a": "1", "sign": "x", "empty": ""})
    'a=1&b=2'
    """
    return "&".join(
        f"{name}={fields[name]}"
        for name in sorted(fields)
        if name != "sign" and fields[name] is not None and fields[name] != ""
    )


def _bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body
