"""A kit for the merchant's own notification handler: seven deliveries, one report.

What a receiver has to do is protocol section 9: verify, decrypt, say yes to what it has
had and to what it does not know, and refuse everything that is not WeChat Pay's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..sandbox.faults.signatures import BAD, EXPIRED, PROBED, spoil
from ..sandbox.notices.applications import TIMEOUT, Reaction
from ..sandbox.notices.hints import judge
from ..sandbox.notices.notices import Notice
from ..sandbox.notices.targets import Handler, target

if TYPE_CHECKING:
    from .._messages import Request
    from ..sandbox import Gateway

#: Where a handler in this process believes to be.
URL = "https://merchant.example/notify"


@dataclass(frozen=True)
class Check:
    """One delivery, and what the handler made of it."""

    name: str
    #: What it should have done.
    expected: str
    passed: bool
    #: What it did.
    got: str
    #: How to mend it; ``""`` where nothing is to be mended.
    advice: str = ""

    def __str__(self) -> str:
        if self.passed:
            return f"ok    {self.name}: {self.got}"
        return (
            f"WRONG {self.name}: {self.expected} expected, {self.got}\n"
            f"      {self.advice}"
        )


@dataclass(frozen=True)
class Report:
    """What a handler got right and wrong; ``print`` it."""

    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is wrong."""
        return all(check.passed for check in self.checks)

    @property
    def wrong(self) -> tuple[Check, ...]:
        """The checks that did not pass."""
        return tuple(check for check in self.checks if not check.passed)

    def assert_passed(self) -> None:
        """Raise ``AssertionError`` with the report, where something is wrong."""
        if not self.passed:
            raise AssertionError(f"the notification handler:\n{self}")

    def __str__(self) -> str:
        return "\n".join(map(str, self.checks))


@dataclass(frozen=True)
class _Delivery:
    name: str
    accept: bool
    advice: str


_GOOD = _Delivery(
    "good",
    True,
    "it refuses a notification that is right: is it given the key ring, APIv3 key and "
    "clock of this gateway, and the body as it came, to the byte?",
)
_DUPLICATE = _Delivery(
    "duplicate",
    True,
    "the same notification comes again: answer yes, and do not do the work twice; go "
    "by the id, or by your own number and the event type",
)
_PROBE = _Delivery(
    "signature probe",
    False,
    "a signature probe (签名探测) is a wrong signature like any other, and often no "
    "base64: answer 4xx or 5xx",
)
_FORGED = _Delivery(
    "bad signature",
    False,
    "it said yes to a wrong signature: verify before anything else, and answer 4xx or "
    "5xx",
)
_EXPIRED = _Delivery(
    "expired timestamp",
    False,
    "the signature holds but is 301 s old: refuse what is more than 300 s away, or "
    "anybody can send an old notification again",
)
_UNKNOWN = _Delivery(
    "unknown event type",
    True,
    "new event types come without notice: say yes to those that mean nothing to you",
)
_PLAIN = _Delivery(
    "empty associated_data",
    True,
    "associated_data is taken from the message, and may be empty",
)


def conformance(
    handler: Handler,
    *,
    gateway: Gateway,
    url: str = URL,
    event_type: str = "TRANSACTION.SUCCESS",
    resource: Mapping[str, Any] | None = None,
    effects: Callable[[], int] | None = None,
) -> Report:
    """Deliver seven notifications to *handler*, and report what it got wrong.

    - ``handler``: what :meth:`.Gateway.deliver_to` takes; it verifies by the
      credentials and the clock of *gateway*.
    - ``url``: where it is sent; a handler in this process is called with its path.
    - ``event_type``, ``resource``: what is told; by default a payment that nobody made.
      Give one of your own where the handler looks its order up.
    - ``effects``: counts what the handler has done. With it a duplicate is not to add
      anything, nor is what is to be refused.

    The gateway's outbox stays as it is.
    """
    kit = _Kit(handler, gateway, url, event_type, resource, effects)
    return Report(tuple(kit.run()))


class _Kit:
    def __init__(
        self,
        handler: Handler,
        gateway: Gateway,
        url: str,
        event_type: str,
        resource: Mapping[str, Any] | None,
        effects: Callable[[], int] | None,
    ) -> None:
        self._gateway = gateway
        self._target = target(handler)
        self._sealer = gateway.courier.sealer
        self._url = handler if isinstance(handler, str) else url
        self._event_type = event_type
        self._resource = dict(resource or _payment(gateway))
        self._effects = effects

    def run(self) -> list[Check]:
        """The seven deliveries, in order."""
        good = self._notice()
        plain = replace(self._notice(), associated_data="")
        unknown = replace(self._notice(), event_type="SANDBOX.UNHEARD_OF")
        return [
            self._check(_GOOD, self._sealer.seal(good)),
            self._check(_DUPLICATE, self._sealer.seal(good), new=False),
            self._check(_PROBE, self._spoilt(PROBED), new=False),
            self._check(_FORGED, self._spoilt(BAD), new=False),
            self._check(_EXPIRED, self._spoilt(EXPIRED), new=False),
            self._check(_UNKNOWN, self._sealer.seal(unknown)),
            self._check(_PLAIN, self._sealer.seal(plain)),
        ]

    def _notice(self) -> Notice:
        gateway = self._gateway
        return Notice(
            gateway.ids.notification_id(),
            self._event_type,
            "transaction",
            gateway.mchid,
            self._url,
            gateway.clock(),
            "支付成功",
            self._resource,
            "transaction",
        )

    def _spoilt(self, way: str) -> Request:
        """A notification that would be new, if its signature were right."""
        request = self._sealer.seal(self._notice())
        now = self._gateway.clock()
        return request.replace(headers=spoil(way, request, self._sealer.keys, now))

    def _check(self, sent: _Delivery, request: Request, *, new: bool = True) -> Check:
        before = self._effects() if self._effects else 0
        reaction = self._sent(request)
        done = (self._effects() if self._effects else 0) - before
        accepted = reaction.status is not None and 200 <= reaction.status < 300
        refused = reaction.status is not None and reaction.status >= 400
        expected = "2xx" if sent.accept else "4xx or 5xx"
        right = (accepted if sent.accept else refused) and not reaction.timed_out
        got = _said(reaction)
        advice = sent.advice
        if right and not new and done:
            right, got = False, f"{got}, and did its work once more"
            expected += " and no effect"
        else:
            advice = _advice(reaction) or advice
        return Check(sent.name, expected, right, got, "" if right else advice)

    def _sent(self, request: Request) -> Reaction:
        """Deliver; a handler in memory is slow where it lets the clock go."""
        started = self._gateway.clock()
        reaction = self._target.send(request)
        if self._target.kind != "http" and self._gateway.clock() - started > TIMEOUT:
            return reaction._replace(timed_out=True)
        return reaction


def _advice(reaction: Reaction) -> str:
    """How to mend what is wrong whatever was delivered; ``""`` where it is not that."""
    if reaction.timed_out:
        return f"answer within {TIMEOUT:.0f} s, and do the work afterwards"
    if 300 <= (reaction.status or 0) < 400:
        return "redirects are not followed: let the handler itself answer at its URL"
    if reaction.status is None:
        return judge(reaction, "try").hint
    return ""


def _said(reaction: Reaction) -> str:
    if reaction.timed_out:
        return "no answer in time"
    if not reaction.sent or reaction.status is None:
        return reaction.error or "no answer"
    if reaction.error:
        return f"{reaction.error} ({reaction.status})"
    return f"it answered {reaction.status}"


def _payment(gateway: Gateway) -> dict[str, Any]:
    """A payment in the words of payscore section 10.5."""
    from ..sandbox.world import rfc3339

    now = gateway.clock()
    return {
        "mchid": gateway.mchid,
        "appid": gateway.appid,
        "out_trade_no": "CONFORMANCE0001",
        "transaction_id": "4200000001202406019999999999",
        "trade_type": "JSAPI",
        "trade_state": "SUCCESS",
        "trade_state_desc": "支付成功",
        "bank_type": "OTHERS",
        "attach": "",
        "success_time": rfc3339(now),
        "payer": {"openid": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"},
        "amount": {
            "total": 100,
            "payer_total": 100,
            "currency": "CNY",
            "payer_currency": "CNY",
        },
    }
