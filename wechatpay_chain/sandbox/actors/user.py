"""Who acts beside the merchant: the user of the app; the bank is :mod:`.bank`.

No part of the real API. What they do goes through the same tables as every call; what
those do not allow raises :class:`IllegalMove`.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..lifecycles.orders import Event, State
from ..lifecycles.permissions import PermissionState
from ..lifecycles.trades import TradeState
from ..products.combined import Combined
from ..products.order_amounts import is_exempt
from ..products.orders import Order
from ..products.permission_records import Permission
from ..products.trades import Payment, Trade
from ..recording.journal import noted
from ..refusals import Refusal
from . import payers

if TYPE_CHECKING:
    from ..gateway import Gateway

#: The user (用户) of the default world.
OPENID = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"


class IllegalMove(ValueError):
    """What was asked cannot happen to the order in its state, or at all."""


@contextmanager
def moves() -> Generator[None, None, None]:
    """Raise :class:`IllegalMove` for what the tables refuse."""
    try:
        yield
    except Refusal as refusal:
        sandbox = refusal.detail.get("sandbox", {})
        raise IllegalMove(sandbox.get("message") or refusal.message) from None


class _Actor:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @contextmanager
    def _order(self, number: str | tuple[str, str]) -> Generator[Order, None, None]:
        with self._acting():
            yield self._gateway.orders[number]

    @contextmanager
    def _acting(self) -> Generator[None, None, None]:
        with self._gateway.lock, moves():
            self._gateway.settle()
            yield


@noted("user")
class User(_Actor):
    """The user: ``gateway.user.confirm(out_order_no)``.

    An order of another merchant is named by a pair, ``(mchid, out_order_no)``.
    """

    def open(self, package: str) -> Order:
        """Open the confirm page with the ``package`` of a create answer.

        Good for an hour; creating again with the same parameters gives another one.
        """
        with self._acting():
            at = _redeemed(self._gateway.payscore.packages.redeem, package)
            order = self._gateway.orders.at(at)
            assert order is not None
        return order

    def confirm(
        self,
        out_order_no: str | tuple[str, str],
        openid: str = OPENID,
        *,
        deposit: bool = False,
    ) -> Order:
        """Confirm the order (确认订单) in the app.

        *deposit*: pay a deposit, as a user does who fails the evaluation.
        """
        with self._order(out_order_no) as order:
            self._gateway.payscore.standing.check(openid, deposit=deposit)
            if deposit and not is_exempt(order.request):
                raise IllegalMove(
                    "a deposit is paid for exempt-first (先免) orders only"
                )
            self._gateway.payscore.acts.confirm(order, openid, self._gateway.clock())
            order.deposit_paid = deposit
        return order

    def refuse(self, out_order_no: str | tuple[str, str]) -> Order:
        """Refuse the order, or leave the page; the order stays as it is."""
        with self._order(out_order_no) as order:
            order.happen(Event.USER_REFUSES, self._gateway.clock())
        return order

    def pay(
        self, number: str | tuple[str, str], openid: str | None = None
    ) -> Order | Payment | Combined:
        """Pay: a completed PayScore order, in its page, or a payment.

        *number* is the ``out_order_no`` of the one, and of the other the
        ``out_trade_no``, ``prepay_id``, ``code_url``, ``h5_url`` or
        ``combine_out_trade_no``.
        """
        gateway = self._gateway
        with self._acting():
            trade = payers.find(gateway, number)
            if trade is not None and not _is_order(gateway, number, trade):
                return payers.pay(gateway, trade, payers.payer(trade, openid, OPENID))
            if number not in gateway.orders:
                raise KeyError(
                    f"there is no PayScore order {number!r}, and no payment, combined "
                    "order or token: look into gateway.orders and gateway.payments"
                )
            order = gateway.orders[number]
            gateway.payscore.acts.pay(order, Event.USER_PAYS, gateway.clock())
        return order

    def fail(self, number: str | tuple[str, str]) -> Payment | Combined:
        """Try to pay a payment, and fail: it stays ``NOTPAY``. Named as in `pay`."""
        with self._acting():
            trade = payers.find(self._gateway, number)
            if trade is None:
                raise payers.unknown()
            return payers.fail(self._gateway, trade)

    def enter_cashier(self, out_order_no: str | tuple[str, str]) -> Order:
        """Enter the cashier (收银台): locks the order until the user leaves it."""
        with self._order(out_order_no) as order:
            if order.state is not State.PAYING:
                raise IllegalMove(
                    f"the cashier opens for an order that is {State.PAYING}; this one "
                    f"is {order.state}"
                )
            order.in_cashier = True
        return order

    def leave_cashier(self, out_order_no: str | tuple[str, str]) -> Order:
        """Leave the cashier without having paid."""
        with self._order(out_order_no) as order:
            order.in_cashier = False
        return order

    def fail_evaluation(self, reason: str = "evaluation", openid: str = OPENID) -> None:
        """Be turned away from now on, for a failed evaluation (综合评估不通过).

        *reason* may also be ``overdue``, ``running`` (more than three orders at a time)
        or ``youth``.
        """
        with self._acting():
            self._gateway.payscore.standing.turn_away(openid, reason)

    def pass_evaluation(self, openid: str = OPENID) -> None:
        """Be accepted again, after :meth:`fail_evaluation`."""
        with self._acting():
            self._gateway.payscore.standing.welcome(openid)

    def authorize(
        self,
        openid: str = OPENID,
        service_id: str | None = None,
        *,
        token: str | None = None,
        sub_openid: str | None = None,
    ) -> None:
        """Authorise a no-confirm service (授权免确认服务).

        With the *token* of a pre-authorisation, in its page; without one, the service
        of that number, by default the gateway's, for the merchant in all its roles.
        """
        gateway = self._gateway
        permissions = gateway.payscore.permissions
        with self._acting():
            if token is not None:
                at = _redeemed(permissions.tokens.redeem, token)
                record = permissions.records.at(at)
                assert record is not None
                permissions.authorise(record, openid, sub_openid)
                return
            service = service_id or gateway.no_confirm_service_id
            for sub_mchid in (None, *sorted(gateway.merchant.sub_mchids)):
                permissions.grant(
                    gateway.mchid, sub_mchid, service, gateway.appid, openid
                )

    def close_authorization(
        self, openid: str = OPENID, service_id: str | None = None
    ) -> None:
        """End what :meth:`authorize` began (关闭授权), for the merchant in all roles.

        Orders that run already can be completed and collected all the same.
        """
        permissions = self._gateway.payscore.permissions
        service = service_id or self._gateway.no_confirm_service_id
        with self._acting():
            given = [
                record
                for record in permissions.records
                if record.service_id == service and _is_of(record, openid)
            ]
            if not given:
                raise IllegalMove(f"the user {openid} has not authorised {service}")
            for record in given:
                permissions.close(record)

    def __repr__(self) -> str:
        return f"<User {OPENID}>"


def _is_order(gateway: Gateway, number: str | tuple[str, str], trade: Trade) -> bool:
    """Whether *number* is rather that of a PayScore order that waits for money."""
    if number not in gateway.orders or gateway.orders[number].state is not State.PAYING:
        return False
    if trade.state is TradeState.NOTPAY:
        raise IllegalMove(
            f"{number} is an order and a payment; name the payment by its token"
        )
    return True


def _redeemed(redeem: Any, text: str) -> str:
    try:
        return str(redeem(text))
    except ValueError as error:
        raise IllegalMove(str(error)) from None


def _is_of(record: Permission, openid: str) -> bool:
    user = openid in (record.openid, record.sub_openid)
    return user and record.state is PermissionState.AVAILABLE
