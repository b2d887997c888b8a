"""Platform certificates (平台证书): when to download them, and who does (section 7).

One download at a time: whoever needs it first does it for all threads and tasks of the
client, in either mode. Nothing here holds a lock, so that nothing is held at a fork.
"""

from __future__ import annotations

import copy
import logging
import math
import re
from collections.abc import Callable

from .. import crypto
from .._flow import Flow, Sleep
from .._messages import Request
from .._secret import Secret
from ..errors import ConfigurationError, NotFound, WeChatPayError
from ..stores import CertificateStore, Stored
from .certificate_download import (
    FIRST,
    LATER,
    Limits,
    Need,
    check_answer,
    download,
    living,
    open_sealed,
    with_rest,
)
from .certificate_sharing import Sharing, reason
from .checking import CLOCK_WINDOW
from .single_flight import SingleFlight

log: logging.Logger = logging.getLogger("wechatpay_chain.certificates")

#: Seconds after which a set is renewed: WeChat's advice (section 7).
MAX_AGE = 12 * 3600
#: Least seconds between downloads, so that forged serials cause no storm (section 7).
MIN_INTERVAL = 60
#: Seconds from a renewal that failed to the next.
PAUSE = 600

#: Seconds between looks at what another process downloads: at first, and at most.
LOOKS = (0.05, 0.5)

_SERIAL = re.compile(r"[0-9A-Fa-f]+")


class Certificates:
    """Keeps a key ring filled from ``GET /v3/certificates``.

    *clock* gives Unix seconds, *timer* seconds that only go forward. A download that
    fails keeps the old set.
    """

    def __init__(
        self,
        *,
        mchid: str,
        keys: crypto.KeyRing,
        apiv3_key: Secret[bytes],
        clock: Callable[[], float],
        timer: Callable[[], float],
        store: CertificateStore | None = None,
    ) -> None:
        #: By which *started* below is measured.
        self.timer = timer
        self._keys = keys
        self._apiv3_key = apiv3_key
        self._clock = clock
        self._shared = Sharing(store, mchid)
        self._flight = SingleFlight()
        self._loaded: float | None = None
        self._tried: float | None = None
        #: Since when, and for how many seconds, nothing is renewed.
        self._resting = (0.0, 0.0)
        #: What WeChat Pay has said that must be configured, since when, for how long.
        self._refusal: tuple[ConfigurationError, float, float] | None = None
        #: A stored set of no use, which was reported.
        self._ignored: Stored | None = None

    # What is asked before and after a call is sent.

    @property
    def missing(self) -> bool:
        """Whether there is no key with which any answer could be verified."""
        return not self._keys.usable(self._clock())

    @property
    def old(self) -> bool:
        """Whether the set is to be renewed now."""
        if self._loaded is None or self._age() <= MAX_AGE:
            return False
        since, seconds = self._resting
        return self._refused() is None and abs(self._clock() - since) >= seconds

    def first(
        self, request: Request, started: float, limits: Limits = FIRST
    ) -> Flow[Request]:
        """Get the first set; *request* then has the time that is left since *started*.

        Raises what went wrong, with the outcome ``"not_sent"``.
        """
        need = Need(
            request,
            lambda: self._left(request, started),
            lambda: self.missing and self._refused() is None,
            lambda: not self.missing,
            limits,
        )
        while self.missing:
            refusal = self._refused()
            if refusal is not None:
                raise _copied(refusal, request)
            try:
                error = yield from self._flight.join(
                    lambda: self._work(need), need.patience
                )
            except WeChatPayError as own:
                own.outcome = "not_sent"  # *request* itself, that is
                raise
            if isinstance(error, WeChatPayError) and self.missing:
                raise _copied(error, request) from error.__cause__
        return with_rest(request, need.left())

    def refresh(self, request: Request, serial: str, started: float) -> Flow[None]:
        """Ask because an answer names *serial*; at most once a minute. Never raises."""
        if not _SERIAL.fullmatch(serial):
            return  # no download brings such a key: PUB_KEY_ID_..., or nonsense
        need = Need(
            request,
            lambda: self._left(request, started),
            self._may_ask,
            # One minute for all workers: what another has just got will do.
            lambda: serial in self._keys or self._age() < MIN_INTERVAL,
            LATER,
        )
        while serial not in self._keys and need.left() > 0:
            if not self._flight.underway and not need.due():
                return
            yield from self._try(need)

    def renew(self, request: Request, started: float) -> Flow[None]:
        """Replace an old set, unless another does so already. Never raises."""
        need = Need(
            request,
            lambda: self._left(request, started),
            lambda: self.old,
            lambda: self._age() <= MAX_AGE,
            LATER,
            patient=False,
        )
        if need.left() > 0:
            yield from self._try(need)

    def _age(self) -> float:
        """Seconds since the set was downloaded; clocks may go back."""
        return math.inf if self._loaded is None else abs(self._clock() - self._loaded)

    def _may_ask(self) -> bool:
        if self._refused() is not None:
            return False
        return self._tried is None or abs(self._clock() - self._tried) >= MIN_INTERVAL

    def _refused(self) -> ConfigurationError | None:
        if self._refusal is not None:
            error, since, seconds = self._refusal
            if abs(self._clock() - since) < seconds:
                return error
        return None

    def _refuse(self, text: str, seconds: float) -> ConfigurationError:
        """Remember what is to be configured. Not the error raised: it holds frames."""
        self._refusal = ConfigurationError(text), self._clock(), seconds
        return ConfigurationError(text)

    def _left(self, request: Request, started: float) -> float:
        if request.deadline is None:
            return math.inf
        return request.deadline - (self.timer() - started)

    # One download.

    def _try(self, need: Need) -> Flow[None]:
        try:
            yield from self._flight.join(lambda: self._work(need), need.patience)
        except Exception as error:  # a layer of the user's may raise anything
            log.warning(
                "platform certificates: refresh failed, old set kept: %s", reason(error)
            )

    def _work(self, need: Need) -> Flow[None]:
        if not need.due():
            return  # another has come and gone since this call looked
        before, now = (self._tried, self._resting), self._clock()
        self._tried = now
        if not need.patient:
            self._resting = now, PAUSE
        self._shared.begin()
        try:
            if (yield from self._turn(need)):
                yield from self._download(need)
        except GeneratorExit:
            # Cancelled, which counts for nothing: the next one may try.
            self._tried, self._resting = before
            raise
        except Exception:
            yield from self._shared.release()
            raise
        yield from self._shared.release()

    def _turn(self, need: Need) -> Flow[bool]:
        """Whether to download: not if another process has, or is about to."""
        yield from self._adopt()
        patience = need.patience
        end = self.timer() + (patience or 0)
        pause, longest = LOOKS
        while not need.met():
            claimed = yield from self._shared.claim()
            yield from self._adopt()  # it may have been saved just before the claim
            if need.met():
                return False
            if claimed:
                return True
            if patience is None:
                self._resting = self._clock(), MIN_INTERVAL
                return False
            if patience <= 0 or self.timer() >= end:
                return True
            yield Sleep(pause)
            # By both: the timer may stand still while this sleeps.
            patience -= pause
            pause = min(2 * pause, longest)
        return False

    def _adopt(self) -> Flow[None]:
        """Take the stored set, where it is newer than the one at hand."""
        stored = yield from self._shared.load()
        if stored is None or stored == self._ignored:
            return
        if self._loaded is not None and stored.time <= self._loaded:
            return
        now = self._clock()
        try:
            if stored.time > now + CLOCK_WINDOW:
                raise ConfigurationError("it is dated in the future")
            found = open_sealed(stored.body, self._apiv3_key)
            if not found:
                raise ConfigurationError("it is empty")
            self._take(living(found, now), min(stored.time, now))
        except Exception as error:  # whoever can write to the store wrote this
            self._ignored = stored
            log.warning(
                "platform certificates: the stored set is ignored: %s", reason(error)
            )

    def _download(self, need: Need) -> Flow[None]:
        try:
            response = yield from download(need)
        except NotFound as error:
            if not error.is_code("RESOURCE_NOT_EXISTS"):
                raise
            raise self._refuse(
                "this merchant has no platform certificates, only a WeChat Pay public "
                "key (微信支付公钥): pass "
                "certs={'PUB_KEY_ID_...': Path('pub_key.pem')}",
                math.inf,
            ) from error
        now = self._clock()
        found = open_sealed(response.content, self._apiv3_key)
        check_answer(response, found, self._keys, now)
        if not found:
            raise self._refuse(
                "/v3/certificates lists no certificate for this merchant: pass certs= "
                "with the WeChat Pay public key from the merchant console",
                MIN_INTERVAL,
            )
        self._take(living(found, now), now)
        yield from self._shared.save(Stored(response.content, now))

    def _take(self, found: list[crypto.WeChatKey], loaded: float) -> None:
        self._keys.replace_certificates(*found)
        self._loaded = loaded
        log.info("platform certificates at hand: %s", ", ".join(self._keys))


def _copied(error: WeChatPayError, request: Request) -> WeChatPayError:
    """The same error for another call: each has its own traceback."""
    mine = copy.copy(error)
    mine.request = request.sent()
    mine.outcome = "not_sent"
    return mine
