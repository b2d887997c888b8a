"""A shop that rents out power banks: its orders, and what notifications do to them.

No framework here; the applications beside this file put it on the web.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from sqlalchemy import Column, Connection, MetaData, String, Table, insert, select
from sqlalchemy import update as change

from wechatpay_chain import WeChatPay
from wechatpay_chain.inbox import Inbox, inbox_table
from wechatpay_chain.notifications import Notification

METADATA = MetaData()
INBOX = inbox_table(METADATA)
ORDERS = Table(
    "orders",
    METADATA,
    Column("number", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
)
#: Each event that was handled; a second handling would show.
HISTORY = Table(
    "history", METADATA, Column("number", String(32)), Column("event", String(64))
)
STATES = {"PAYSCORE.USER_CONFIRM": "in use", "PAYSCORE.USER_PAID": "paid"}
BEIJING = timezone(timedelta(hours=8))


class Shop:
    """Orders in a database, and in WeChat Pay."""

    def __init__(self, client: WeChatPay, url: str, own: dict[str, str]) -> None:
        self.client = client
        self.own = own  # appid and service_id
        self.inbox = Inbox(url, table=INBOX)
        METADATA.create_all(self.inbox.engine)
        self.inbox.within(*STATES)(self.move)

    def move(self, notification: Notification, connection: Connection) -> None:
        """Handle an event, in the transaction that remembers it."""
        number = notification.resource["out_order_no"]
        state = STATES[notification.event_type]
        connection.execute(
            change(ORDERS).where(ORDERS.c.number == number).values(state=state)
        )
        connection.execute(
            insert(HISTORY).values(number=number, event=notification.event_type)
        )

    def open(self, number: str, notify_url: str) -> str:
        """Create an order; what the user's app opens for confirmation."""
        with self.inbox.engine.begin() as connection:
            connection.execute(insert(ORDERS).values(number=number, state="new"))
        reply = self.client.v3.payscore.serviceorder.post(
            {
                **self.own,
                "out_order_no": number,
                "service_introduction": "共享充电宝",
                "time_range": {"start_time": "OnAccept"},
                "risk_fund": {"name": "DEPOSIT", "amount": 10000},  # fen
                "notify_url": notify_url,
            }
        )
        return str(reply["package"])

    def end(self, number: str) -> None:
        """Complete the order: WeChat Pay collects 3 yuan."""
        now = datetime.now(BEIJING)
        self.client.v3.payscore.serviceorder._out_order_no_.complete.post(
            {
                **self.own,
                "post_payments": [{"name": "租金", "amount": 300}],
                "total_amount": 300,
                "time_range": {"end_time": now.strftime("%Y%m%d%H%M%S")},
            },
            out_order_no=number,
        )

    def show(self, number: str) -> dict[str, object]:
        """The order as it stands, with the events that it went through."""
        with self.inbox.engine.begin() as connection:
            state = connection.scalar(
                select(ORDERS.c.state).where(ORDERS.c.number == number)
            )
            events = connection.scalars(
                select(HISTORY.c.event).where(HISTORY.c.number == number)
            ).all()
        return {"number": number, "state": state, "events": list(events)}
