"""What the catalogue says of an endpoint, a value, a notification: plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from .._chain import expression

if TYPE_CHECKING:
    from .plan import Plan

#: Types of a value. ``"any"`` is one of several, or something not described.
Type = Literal[
    "string", "integer", "number", "boolean", "array", "object", "file", "any"
]

#: The host of an endpoint that names none.
HOST = "api.mch.weixin.qq.com"

#: Headers that an endpoint asks for, and that the client sets by itself.
OWN_HEADERS = frozenset({"wechatpay-serial", "accept-encoding"})

#: Where a document link that starts with ``/`` leads.
DOCUMENTS = "https://pay.weixin.qq.com"


@dataclass(frozen=True, repr=False)
class Field:
    """One value: its type, its limits, and what is inside.

    Lengths are in characters. Enumerations of answers grow: treat them as open there.
    """

    type: Type = "any"
    #: ``rfc3339``, ``int64``, ``MediaId``, ``url``, ...
    format: str | None = None
    #: WeChat's own short name of the field.
    label: str = ""
    required: bool = False
    #: Told by one source alone: checks only warn of it.
    unsure: bool = False
    #: ``rsa-platform`` (in requests), ``rsa-merchant`` (in answers), ``rsa-bank``, ...
    encrypted: str | None = None
    #: The text is a signature, made with the merchant's private key.
    signed: str | None = None
    enum: tuple[Any, ...] = ()
    default: Any = None
    #: Of a number.
    minimum: int | None = None
    maximum: int | None = None
    #: Of a text in characters, or of an array in items.
    shortest: int | None = None
    longest: int | None = None
    pattern: str | None = None
    #: Required, but may be empty.
    nullable: bool = False
    deprecated: bool = False
    #: The definition that it repeats, for types that share one name.
    name: str | None = None
    #: Of an array.
    items: Field | None = None
    #: Of an object, in the order of the documents; ``None``: anything may be in it.
    fields: Mapping[str, Field] | None = None
    #: Alternatives, one of which holds.
    options: tuple[Field, ...] = ()
    #: What a text holds, and how: ``"json"``, ``"urlencoded"``, ``"plain"``.
    content: Field | None = None
    content_kind: str | None = None
    #: Of a file: the body that a failure answers instead (APIv2).
    failure: Field | None = None

    def walk(self, path: str = "") -> Iterator[tuple[str, Field]]:
        """Each value below this one with its place: ``receivers[].name``.

        ``[]`` is any item of an array, ``<json>`` the content of a text, ``|0`` an
        alternative.
        """
        for name, inner in (self.fields or {}).items():
            place = f"{path}.{name}" if path else name
            yield place, inner
            yield from inner.walk(place)
        if self.items is not None:
            yield f"{path}[]", self.items
            yield from self.items.walk(f"{path}[]")
        if self.content is not None:
            yield from self.content.walk(f"{path}<{self.content_kind}>")
        for number, option in enumerate(self.options):
            yield from option.walk(f"{path}|{number}")

    def __repr__(self) -> str:
        said = (
            (one.name, getattr(self, one.name), one.default) for one in fields(self)
        )
        given = (f"{name}={value!r}" for name, value, usual in said if value != usual)
        return f"Field({', '.join(given)})"


@dataclass(frozen=True, repr=False)
class Operation:
    """One endpoint: a verb on a path template.

    >>> from wechatpay_chain.catalogue import find
    >>> cancel = find("POST", "v3/payscore/serviceorder/{out_order_no}/cancel")
    >>> cancel.title, list(cancel.body.fields)
    ('取消支付分订单', ['appid', 'service_id', 'reason'])
    """

    method: str
    #: As ``str(node)`` gives it: ``v3/pay/transactions/native``.
    template: str
    title: str
    roles: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    #: Date of the official document, ``YYYY.MM.DD``.
    updated: str | None = None
    deprecated: bool = False
    host: str = HOST
    #: Stands in the URL before the path.
    url_prefix: str = ""
    #: Further hosts that serve it.
    alt_hosts: tuple[str, ...] = ()
    #: The connection needs the merchant's client certificate (APIv2).
    cert: bool = False
    #: The request has no ``nonce_str`` (APIv2).
    nonceless: bool = False
    upload: bool = False
    #: Success is a file.
    download: bool = False
    #: A page for a browser, which answers 302.
    redirect: bool = False
    #: Where ``offset`` and ``limit`` are: ``"query"`` or ``"body"``.
    paginated: str | None = None
    #: ``"json"``, ``"xml"``, ``"multipart"``; ``None`` where there is no body.
    encoding: str | None = None
    body_optional: bool = False
    #: Error code to HTTP status, where the documents list them.
    errors: Mapping[str, Any] = field(default_factory=dict[str, Any])
    path: Mapping[str, Field] = field(default_factory=dict[str, Field])
    query: Mapping[str, Field] = field(default_factory=dict[str, Field])
    #: Names in the query or the body of which one at least is needed.
    any_of: tuple[tuple[str, ...], ...] = ()
    #: Names of which exactly one is.
    one_of: tuple[tuple[str, ...], ...] = ()
    headers: Mapping[str, Field] = field(default_factory=dict[str, Field])
    body: Field | None = None
    #: Status to what is answered, ``None`` for an empty body.
    answers: Mapping[int, Field | None] = field(
        default_factory=dict[int, "Field | None"]
    )
    links: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """``v3``, ``v2`` or ``hk``: the first segment."""
        return self.template.partition("/")[0]

    @property
    def further_headers(self) -> Mapping[str, Field]:
        """The :attr:`headers` that a caller has to give: the client sets the others."""
        given = self.headers.items()
        return {name: f for name, f in given if name.lower() not in OWN_HEADERS}

    @property
    def empty(self) -> bool:
        """Whether success has no body."""
        return all(answer is None for answer in self.answers.values())

    @property
    def answer(self) -> Field | None:
        """What success answers: of the first 2xx with a body, if any has one."""
        bodies = (body for status, body in self.answers.items() if status < 300)
        return next((body for body in bodies if body is not None), None)

    @property
    def signs_query(self) -> bool:
        """Whether the client signs its query, as it signs a body of APIv2."""
        return self.version == "v2" and self.body is None and "sign" in self.query

    @property
    def base_url(self) -> str:
        """Scheme, host and what stands before the path."""
        return f"https://{self.host}{self.url_prefix}"

    @property
    def docs(self) -> tuple[str, ...]:
        """The official documents, as URLs."""
        return tuple(DOCUMENTS + x if x.startswith("/") else x for x in self.links)

    @property
    def expression(self) -> str:
        """The Python expression for its node: ``client.v3.pay.transactions.native``."""
        return expression(self.template)

    @cached_property
    def concealed(self) -> tuple[tuple[str, Field], ...]:
        """Places of the request that are sent encrypted (敏感字段), query and body."""
        places = [*Field(fields=self.query).walk(), *(self.body or Field()).walk()]
        return tuple((place, f) for place, f in places if f.encrypted == "rsa-platform")

    @cached_property
    def revealed(self) -> tuple[tuple[str, Field], ...]:
        """Places of the answer that arrive encrypted for the merchant."""
        places = (self.answer or Field()).walk()
        return tuple((place, f) for place, f in places if f.encrypted == "rsa-merchant")

    @cached_property
    def plan(self) -> Plan:
        """What is checked, encrypted and decrypted in its calls, worked out once."""
        from .plan import Plan  # which knows this module

        return Plan(self)

    def __str__(self) -> str:
        return f"{self.method} {self.template}"

    def __repr__(self) -> str:
        return f"<Operation {self} {self.title}>"


@dataclass(frozen=True)
class Message:
    """A notification (回调通知) that WeChat Pay sends."""

    event_type: str
    title: str = ""
    #: Other values of ``event_type`` that the same document gives.
    also: tuple[str, ...] = ()
    #: The new ``event_type`` of one that was renamed.
    moved_to: str | None = None
    original_type: tuple[str, ...] = ()
    #: What the decrypted ``resource`` holds; of APIv2, the message's own fields.
    resource: Field | None = None
    #: What to answer, where it is more than ``code`` and ``message``.
    reply: Field | None = None
    links: tuple[str, ...] = ()
