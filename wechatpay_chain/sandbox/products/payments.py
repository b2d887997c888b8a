"""All payments of a gateway: ordering, paying, closing, and what leads a user there.

The rules that hold for every API by which a payment can be ordered. How it is told of,
each API says for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ..lifecycles.trades import TRADE, TradeEvent, TradeState
from ..state.tables import Table, key, key_of
from ..world import World
from .ledger import Ledger
from .trades import H5_LIFE, PREPAY_LIFE, Payment, Token, Trade, over

#: The job that closes what nobody paid.
_CLOSING = "payment.closing"

CODE_URL = "weixin://wxpay/bizpayurl/up?pr="
H5_URL = "https://wx.tenpay.com/cgi-bin/mmpayweb-bin/checkmweb?prepay_id="


class Tokens:
    """What leads users to payments, and for how long (payscore section 10.2)."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: Table[Token] = world.tables.table("payment.tokens", Token)

    def issue(self, trade: Trade, *, combined: bool = False) -> str:
        """A new one: of the form that belongs to the trade type."""
        now, ids = self._world.clock(), self._world.ids
        value, life = ids.prepay_id(now), PREPAY_LIFE
        if trade.trade_type == "NATIVE":
            value = f"{CODE_URL}{ids.token('code')[:9]}"
        elif trade.trade_type == "MWEB":
            package = int(ids.token("h5").encode().hex()[:8], 16)
            value, life = f"{H5_URL}{value}&package={package}", H5_LIFE
        trade.usable_until = now + life
        self._tokens.put(_place(value), Token(value, trade.key, combined, now + life))
        return value

    def find(self, value: str) -> Token | None:
        """The token of that value, dead or alive."""
        return self._tokens.peek(_place(value))

    def redeem(self, value: str) -> Token:
        """The token. Raises :class:`Refusal` where it is unknown or too old."""
        token = self.find(value)
        if token is None:
            raise TRADE.unknown(TradeEvent.USER_PAYS)
        if self._world.clock() > token.until:
            raise over("this token", token.until)
        return token

    def age(self, seconds: float) -> None:
        """Make it as if all had been issued *seconds* earlier."""
        for token in self._tokens:
            token.until -= seconds


def _place(value: str) -> str:
    # A key may hold no joint, and a URL does.
    return value.replace("/", "|")


class Payments:
    """All payments of a gateway: ``payments[out_trade_no]``.

    Numbers are unique per merchant: ``payments[mchid, out_trade_no]`` is another one's.
    """

    def __init__(self, world: World, ledger: Ledger, mchid: str) -> None:
        self._world = world
        self._ledger = ledger
        #: Whose numbers are meant where no merchant is named.
        self._mchid = mchid
        self._payments: Table[Payment] = world.tables.table("payments", Payment)
        self._by_transaction: Table[str] = world.tables.table(
            "payment.transactions", str
        )
        self.tokens: Tokens = Tokens(world)
        #: Who tells the merchant that one was paid, by the API that ordered it.
        self.announcers: dict[str, Callable[[Payment], None]] = {}
        world.agenda.serve(_CLOSING, self._close_unpaid)

    def _key(self, number: str | tuple[str, str]) -> str:
        return key_of(number, self._mchid)

    def __getitem__(self, number: str | tuple[str, str]) -> Payment:
        at = self._key(number)
        payment = self._payments.get(at)
        if payment is None:
            mchid, _, name = at.partition("/")
            raise KeyError(f"merchant {mchid} has no payment {name!r}")
        return payment

    def __contains__(self, number: str | tuple[str, str]) -> bool:
        return self._key(number) in self._payments

    def __iter__(self) -> Iterator[Payment]:
        return iter(self._payments)

    def __len__(self) -> int:
        return len(self._payments)

    def seek(self, number: str | tuple[str, str]) -> Payment | None:
        """The payment of that number, if there is one."""
        return self._payments.get(self._key(number))

    def at(self, at: str) -> Payment | None:
        """The payment of that key in the table."""
        return self._payments.get(at)

    def find(self, mchid: str, out_trade_no: str) -> Payment | None:
        """The merchant's payment of that number."""
        return self._payments.get(key(mchid, out_trade_no))

    def find_transaction(self, mchid: str, transaction_id: str) -> Payment | None:
        """The merchant's payment of that ``transaction_id``."""
        at = self._by_transaction.peek(transaction_id)
        payment = None if at is None else self._payments.get(at)
        return payment if payment is not None and payment.mchid == mchid else None

    def order(self, draft: Payment) -> Payment:
        """Enter *draft*, or find what was ordered so before (payscore section 10.4).

        Raises :class:`Refusal` where its number is taken.
        """
        known = self._payments.get(draft.key)
        if known is not None:
            same = known.repeats(draft)
            known.happen(TradeEvent.ORDER, draft.created_at, same=same)
            return known
        draft.happen(TradeEvent.ORDER, draft.created_at)
        self._payments.put(draft.key, draft)
        if draft.combined is None:
            self._world.agenda.add(draft.closes_at, _CLOSING, draft.key)
        return draft

    def pay(self, payment: Payment, openid: str, *, tell: bool = True) -> None:
        """The user pays; *tell*: the merchant is notified. Raises :class:`Refusal`."""
        now = self._world.clock()
        payment.happen(TradeEvent.USER_PAYS, now)
        payment.paid_at = now
        if payment.openid is None and payment.sub_openid is None:
            payment.openid = openid
        payment.transaction_id = self._ledger.record(
            mchid=payment.mchid,
            sub_mchid=payment.sub_mchid,
            appid=payment.appid,
            openid=payment.openid or payment.sub_openid,
            amount=payment.amount,
            out_trade_no=payment.out_trade_no,
            at=now,
            trade_type=payment.trade_type,
            attach=payment.attach,
        )
        self._by_transaction.put(payment.transaction_id, payment.key)
        if tell and payment.combined is None:
            self.announcers[payment.door](payment)

    def age(self, seconds: float) -> None:
        """Make it as if everything had happened *seconds* earlier."""
        self.tokens.age(seconds)
        for payment in self._payments:
            payment.age(seconds)

    def _close_unpaid(self, at: str, due: float) -> None:
        payment = self._payments.get(at)
        if payment is not None and payment.state is TradeState.NOTPAY:
            payment.happen(TradeEvent.TIME_PASSES, due)

    def __repr__(self) -> str:
        return f"<Payments {len(self)}>"
