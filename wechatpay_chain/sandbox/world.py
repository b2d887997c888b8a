"""The world of one gateway: its time, its numbers, and who lives in it.

Nothing here is random and nothing reads the wall clock unless it is told to: the same
seed and the same calls give the same world, ids and nonces included.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from threading import Lock

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from ..errors import ConfigurationError
from .checks import given
from .notices.outbox import Outbox
from .state.agenda import Agenda
from .state.tables import Tables

#: 2024-06-01 15:00 in Beijing: where a frozen clock stands.
START = 1717225200
BEIJING = timezone(timedelta(hours=8))
#: In the year 2286: the last second that has the ten digits of a timestamp (protocol
#: section 4). No clock goes on after it.
LATEST = 9_999_999_999


class Clock:
    """The only source of *now*: Unix seconds, frozen until it is advanced.

    With *source*, say ``time.time``, it runs as that does, plus what it was advanced.

    >>> clock = Clock(100)
    >>> clock.advance(20)
    >>> clock()
    120.0

    Raises ``ValueError`` for a time that the protocol cannot write.
    """

    def __init__(
        self, start: float = START, source: Callable[[], float] | None = None
    ) -> None:
        given.number("start", start, most=LATEST)
        self._start = float(start)
        self._source = source
        #: Seconds that it was advanced.
        self.ahead: float = 0.0
        #: By how much it jumped when it began to run.
        self.jumped: float = 0.0

    @property
    def runs(self) -> bool:
        """Whether it goes by itself."""
        return self._source is not None

    def __call__(self) -> float:
        """Unix seconds."""
        base = self._start if self._source is None else self._source()
        return min(base + self.ahead, LATEST)

    @property
    def left(self) -> float:
        """How many seconds it can be advanced."""
        return LATEST - self()

    def check(self, seconds: float) -> None:
        """Raise ``ValueError`` where it cannot go forward so far."""
        given.finite("seconds", seconds)
        if seconds < 0:
            raise ValueError(f"time goes forward only, not by {seconds:g} s")
        if seconds > self.left:
            raise ValueError(
                f"time ends at {rfc3339(LATEST)}, when timestamps get an eleventh "
                f"digit; {seconds:g} s from {rfc3339(self())} is after that"
            )

    def advance(self, seconds: float) -> None:
        """Go forward. Raises ``ValueError`` for the other direction, and the end."""
        self.check(seconds)
        self.ahead += seconds

    def run(self, source: Callable[[], float]) -> float:
        """Let a clock that stands run as *source* does; the seconds that it jumps.

        One that runs already is left alone. Raises ``ConfigurationError`` for one that
        was advanced so far that it would be past the end.
        """
        if self._source is not None:
            return 0.0
        jump = source() - self._start
        if self._start + jump + self.ahead > LATEST:
            raise ConfigurationError(
                f"clock: the present time and {self.ahead:g} s, by which it was "
                f"advanced, are after {rfc3339(LATEST)}, when time ends"
            )
        self._source, self.jumped = source, jump
        return jump

    def __repr__(self) -> str:
        return f"<Clock {rfc3339(self())}>"


def rfc3339(seconds: float) -> str:
    """*seconds* as APIv3 writes times: ``2024-06-01T15:00:00+08:00``."""
    return datetime.fromtimestamp(int(seconds), BEIJING).isoformat()


def compact(seconds: float) -> str:
    """*seconds* as PayScore writes them: ``20240601150000``."""
    return f"{datetime.fromtimestamp(int(seconds), BEIJING):%Y%m%d%H%M%S}"


def told_time(seconds: float) -> str:
    """What time it is in a sandbox, for who took it for the real one.

    >>> told_time(START)
    'in the sandbox it is 2024-06-01 15:00:00 (gateway.clock; gateway.advance moves it)'
    """
    told = f"{datetime.fromtimestamp(int(seconds), BEIJING):%Y-%m-%d %H:%M:%S}"
    return f"in the sandbox it is {told} (gateway.clock; gateway.advance moves it)"


class Ids:
    """Numbers and nonces that look like WeChat Pay's, the same for the same seed.

    >>> Ids(seed=1).order_id(START)
    '1000000000202406010010000000001'
    """

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed
        #: How many of each kind were given out.
        self.counts: dict[str, int] = {}
        self._lock = Lock()

    def order_id(self, now: float) -> str:
        """A service order: 31 digits, the date among them (payscore section 3.1)."""
        return f"1000000000{compact(now)[:8]}{self._number('order', 13)}"

    def transaction_id(self, now: float) -> str:
        """A payment: 28 digits beginning with 4200 (payscore section 10.2)."""
        return f"4200000001{compact(now)[:8]}{self._number('transaction', 10)}"

    def prepay_id(self, now: float) -> str:
        """A prepay session (预支付交易会话): 36 characters (payscore section 10.2)."""
        return f"wx{compact(now)}{self._text('prepay')[:20]}"

    def refund_id(self, now: float) -> str:
        """A refund: 29 digits beginning with 50 (payscore section 10.2)."""
        return f"5030000001{compact(now)[:8]}{self._number('refund', 11)}"

    def trade_no(self, now: float) -> str:
        """The number that WeChat Pay gives a deduction (payscore section 9)."""
        return f"PS{compact(now)}{self._number('trade', 10)}"

    def notification_id(self) -> str:
        """A notification: a UUID, as the documents show them (protocol section 9)."""
        text = self._text("notification")
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:32]))

    def out_order_no(self) -> str:
        """A merchant's number for an order that the sandbox was asked to make up."""
        return f"SANDBOX{self._number('out_order_no', 9)}"

    def example(self, name: str) -> str:
        """A number for what only an example of is known: 16 digits."""
        return self._number(f"example {name}", 16)

    def request_id(self, number: int) -> str:
        """``Request-ID``; *number* is the internal error number, 0 on success."""
        return f"08{self._text('request')[:38].upper()}-{number}"

    def nonce(self, stream: str = "answer") -> str:
        """32 characters; each *stream* counts for itself."""
        return self._text(stream)

    def token(self, stream: str) -> str:
        """An opaque token such as ``package``: base64url without padding."""
        with self._lock:
            at = self._next(stream)
        raw = b"".join(self._digest(stream, at, part) for part in ("a", "b", "c"))
        return urlsafe_b64encode(raw).decode("ascii").rstrip("=")

    def query_id(self) -> str:
        """What a confirm page returns: 64 characters (protocol section 13)."""
        return self.token("query")[:64]

    def serial(self, owner: str) -> str:
        """A certificate serial: 40 upper-case hex characters."""
        # The first digit keeps it positive in 20 bytes, as X.509 demands.
        return "5" + self._digest("serial", 0, owner).hex()[:39].upper()

    def public_key_id(self, mchid: str) -> str:
        """The id of a WeChat Pay public key: digits, but no number."""
        return f"PUB_KEY_ID_01{mchid}{self.seed % 10**16:016d}"

    def key(self, name: str) -> str:
        """A symmetric key of 32 ASCII characters that is obviously no real one."""
        return ("sandbox" + name + self._digest("key", 0, name).hex())[:32]

    def _number(self, stream: str, digits: int) -> str:
        with self._lock:
            at = self._next(stream)
        # The seed stands in the first three digits, the count in the others.
        return f"{self.seed % 1000:03d}{at:0{digits - 3}d}"

    def _text(self, stream: str) -> str:
        with self._lock:
            at = self._next(stream)
        return self._digest(stream, at, "").hex()[:32]

    def _next(self, stream: str) -> int:
        self.counts[stream] = self.counts.get(stream, 0) + 1
        return self.counts[stream]

    def _digest(self, stream: str, at: int, part: str) -> bytes:
        return sha256(f"{self.seed}/{stream}/{at}/{part}".encode()).digest()

    def __repr__(self) -> str:
        return f"Ids(seed={self.seed})"


@dataclass(frozen=True)
class Service:
    """A PayScore service (支付分服务): what an order may be opened for."""

    service_id: str
    #: Need-confirm (需确认模式), or no-confirm (免确认模式).
    needs_confirm: bool = True
    #: Service risk ceiling (服务风险金额上限), in fen.
    ceiling: int = 1_000_000
    #: ``"exempt"`` (先免), ``"enjoy"`` (先享), or both.
    mode: str | None = None


@dataclass(frozen=True, repr=False)
class Merchant:
    """A merchant number (商户号): direct merchant and partner in one."""

    mchid: str
    #: Of its API certificate (商户API证书).
    certificate: x509.Certificate
    serial: str
    private_key: RSAPrivateKey
    apiv3_key: str
    secret: str
    appids: frozenset[str]
    #: The sub-merchants (子商户) it may act for.
    sub_mchids: frozenset[str]

    @property
    def public_key(self) -> RSAPublicKey:
        """What its signatures are checked with."""
        return self.private_key.public_key()

    def unbound(self, appid: str) -> str:
        """What is wrong with an *appid* that is not this merchant's."""
        return (
            f"appid {appid[:32]} is not bound to merchant {self.mchid}; it has "
            f"{', '.join(sorted(self.appids)) or 'none'} (gateway.appid, and in the "
            "wechatpay.toml of wxpay sandbox)"
        )

    def __repr__(self) -> str:
        return f"<Merchant {self.mchid}>"


@dataclass
class World:
    """Everything a gateway knows beside its orders."""

    clock: Clock
    ids: Ids
    agenda: Agenda = field(default_factory=Agenda)
    tables: Tables = field(default_factory=Tables)
    merchants: dict[str, Merchant] = field(default_factory=dict[str, Merchant])
    services: dict[str, Service] = field(default_factory=dict[str, Service])
    #: Notifications (回调通知) on their way to merchants.
    outbox: Outbox = field(init=False)

    def __post_init__(self) -> None:
        self.outbox = Outbox(self)

    def serve(self, services: Iterable[Service]) -> None:
        """Open *services*."""
        self.services.update({service.service_id: service for service in services})
