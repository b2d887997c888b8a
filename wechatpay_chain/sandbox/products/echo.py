"""``POST /v3/security/echo``: a self-test of keys and ciphers (protocol section 17)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ... import crypto
from ...errors import DecryptionError
from ..checks.validation import Fields, text
from ..refusals import Problem, parameters
from ..routing import Answer, Call, Route
from ..signatures.signing import WeChatKeys
from ..world import World

_SECRET = "encrypted_echo_message"


class Echo:
    """The endpoint."""

    def __init__(self, world: World, keys: WeChatKeys) -> None:
        self._world = world
        self._keys = keys

    def routes(self) -> Iterator[Route]:
        """The one endpoint."""
        body = Fields(
            {"echo_message": text(1, 1024)},
            {_SECRET: text(1, 1024), "notify_url": text(1, 255)},
        )
        yield Route("POST", "/v3/security/echo", self.echo, body=body)

    def echo(self, call: Call) -> Answer:
        """Say the message again, and the encrypted one under the merchant's key."""
        answer = {"echo_message": call.body["echo_message"]}
        if _SECRET in call.body:
            plain = self._open(call)
            answer[_SECRET] = crypto.encrypt_oaep(plain, call.merchant.public_key)
        if "notify_url" in call.body:
            self._tell(call, answer)
        return Answer(200, answer)

    def _tell(self, call: Call, answer: dict[str, Any]) -> None:
        resource = {"echo_message": answer["echo_message"]}
        if _SECRET in answer:
            # The notification spells it another way than the answer.
            resource["encrypt_echo_message"] = answer[_SECRET]
        self._world.outbox.post(
            "SECURITY_ECHO.SUCCESS",
            resource,
            mchid=call.merchant.mchid,
            url=call.body["notify_url"],
            original_type="security",
            summary="回显成功",
        )

    def _open(self, call: Call) -> str:
        """Decrypt with the key that ``Wechatpay-Serial`` names (protocol section 6)."""
        name = "Wechatpay-Serial"
        serial = call.headers.get(name)
        if not serial:
            issue = f"required, as it names the key of {_SECRET}"
            raise parameters([Problem(name, issue, None, "header")])
        key = self._keys.find(serial)
        if key is None:
            raise parameters([Problem(name, "no key of WeChat Pay", serial, "header")])
        try:
            return crypto.decrypt_oaep(call.body[_SECRET], key)
        except DecryptionError:
            issue = f"does not open with the private key of {serial}"
            raise parameters([Problem(f"/{_SECRET}", issue)]) from None
