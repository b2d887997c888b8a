"""Words to endpoints: in titles, paths, tags, error codes, field names and labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from . import store
from .index import Entry, defined, entries, plain, vocabulary
from .model import Field, Operation

#: What a word is worth where it is found; a whole name is worth half as much again.
_NAME, _TITLE, _PATH, _TAG, _ERROR, _FIELD = 70.0, 60.0, 40.0, 15.0, 12.0, 6.0
#: A word of the table of synonyms stands for another, a little less sure.
_SYNONYM = 0.8
#: A Chinese word of which only the parts, or the characters, are in the title.
_PARTS, _CHARACTERS = 0.6, 0.3

_SPACES = re.compile(r"[\s,，、;；。！!？?]+")
_ENDINGS = re.compile(r"(?:ing|ed|es|s|e)$")
_CHINESE = re.compile(r"[\u4e00-\u9fff]{3,}")
#: Between Chinese and anything else: 服务商Native下单 is three words.
_SCRIPTS = re.compile(
    r"(?<=[\u4e00-\u9fff])(?=[^\u4e00-\u9fff])|(?<=[^\u4e00-\u9fff])(?=[\u4e00-\u9fff])"
)
#: What a question has beside its words.
FILLERS = frozenset(
    (
        *("a", "an", "the", "of", "for", "from", "to", "in", "on", "up", "with"),
        *("i", "me", "my", "we", "how", "do", "does", "is", "can", "please"),
        *("api", "endpoint"),
    )
)


class Match(NamedTuple):
    """Where one word was found, ``"title"``, ``"path"``, ``"field"``, and in what."""

    word: str
    where: str
    text: str


@dataclass(frozen=True)
class Hit:
    """An operation that was found, and why."""

    operation: Operation
    matches: tuple[Match, ...]


def search(words: str, limit: int = 20) -> list[Hit]:
    """The operations in which all of *words* are found, the best first.

    Chinese or English; case, ``-`` and ``_`` do not matter, nor do words such as "how
    to". Common English words also find the Chinese ones of titles. Where nothing has
    all the words, one that is part Chinese may be several, a word may be inflected, and
    the characters of a Chinese one may stand apart; else those are found that have the
    most of them.
    """
    wanted = wanted_of(words)
    if not wanted:
        return []
    parts = [part for word in wanted for part in parts_of(word)]
    found: list[tuple[float, Entry, list[_Found]]] = []
    for way, loose in ((wanted, False), (parts, False), (wanted, True), (parts, True)):
        if not found and (way is wanted or parts != wanted):
            found = _found([_Word(word, loose) for word in way], len(way))
    found = found or _found([_Word(word, True) for word in parts], 1)
    found.sort(key=lambda one: (-len(one[2]), -one[0], one[1].order))
    return [_hit(entry, where) for _, entry, where in found[:limit]]


def wanted_of(words: str) -> list[str]:
    """The words that are looked for: all but those of which a question is made.

    >>> wanted_of("how to refund"), wanted_of("to")
    (['refund'], ['to'])
    """
    given = [word for word in _SPACES.split(words) if plain(word)]
    return [word for word in given if word.lower() not in FILLERS] or given


def parts_of(word: str) -> list[str]:
    """The words that one is made of which is part Chinese; else the word itself.

    >>> parts_of("服务商Native下单"), parts_of("退款的API"), parts_of("out_trade_no")
    (['服务商', 'Native', '下单'], ['退款的'], ['out_trade_no'])
    """
    return wanted_of(_SCRIPTS.sub(" ", word))


def near(words: str, limit: int = 5) -> list[str]:
    """What may have been meant by words that are found nowhere."""
    from difflib import get_close_matches

    known = vocabulary()
    return [
        suggestion
        for word in map(plain, _SPACES.split(words))
        if word and not search(word, 1)
        for suggestion in get_close_matches(word, known, limit, 0.5)
    ][:limit]


class _Word:
    """One word that is looked for, with what else it may be called."""

    def __init__(self, word: str, loose: bool) -> None:
        self.given = word
        self.loose = loose
        # PayScore is written as one word in paths, outTradeNo as three.
        self.word = word = plain(word.lower())
        parted = plain(self.given)
        table = store.synonyms()
        stem = _stem(word) if loose else word
        self.forms = tuple(dict.fromkeys((word, parted, _one(word), stem)))
        self.joined = _one(word).replace("_", "")
        names = dict.fromkeys((word, _one(word), self.joined, stem, f"{stem}e"))
        self.synonyms = tuple(
            chinese for name in names for chinese in table.get(name, ())
        )
        self.chinese = frozenset(word if _CHINESE.fullmatch(word) else "")
        self._defined = {name: self._named(text) for name, text in defined().items()}

    def score(self, entry: Entry) -> tuple[float, str, str]:
        """What it is worth in *entry*, where it was found, and in which text."""
        return max(self._candidates(entry), default=(0.0, "", ""))

    def _candidates(self, entry: Entry) -> Iterator[tuple[float, str, str]]:
        for form in self.forms:
            if form in entry.title:
                yield _share(_TITLE, form, entry.title), "title", entry.title
            if form in entry.path:
                yield self._in_path(form, entry.path), "path", entry.path
            for where, worth, texts in (
                ("name", _NAME, entry.names),
                ("tag", _TAG, entry.tags),
                ("error", _ERROR, entry.errors),
            ):
                for text in texts:
                    if form in text:
                        yield _share(worth, form, text), where, text
        if self.joined and self.joined in entry.joined:
            yield self._in_path(self.joined, entry.joined) * _SYNONYM, "path", ""
        for form in self.synonyms:
            if form in entry.title:
                worth = _share(_TITLE, form, entry.title) * _SYNONYM
                yield worth, "title", form
            for text in entry.tags:
                if form in text:
                    yield _share(_TAG, form, text) * _SYNONYM, "tag", text
        if self.chinese:
            if _in_parts(self.word, entry.title):
                yield _share(_TITLE, self.word, entry.title) * _PARTS, "title", ""
            elif self.loose and self.chinese <= set(entry.title):
                yield _TITLE * _CHARACTERS, "title", ""
        worth = self._named(entry.fields)
        for name in entry.definitions:
            worth = max(worth, self._defined[name])
        if worth:
            yield worth, "field", ""

    def _in_path(self, form: str, path: str) -> float:
        if f"/{form}/" in f"{path}/":
            return _PATH * 1.5
        at = path.find(form)
        return _PATH if path[at - 1] in "/_{" else _PATH / 2

    def _named(self, fields: str) -> float:
        if any(f"\n{form}\n" in fields for form in self.forms):
            return _FIELD * 1.5
        return _FIELD if any(form in fields for form in self.forms) else 0.0


def _one(word: str) -> str:
    """*word* in the singular, as far as that is one letter less."""
    many = len(word) > 3 and word.isascii() and word[-2:] not in ("ss", "us", "is")
    return word.removesuffix("s") if many else word


def _stem(word: str) -> str:
    """An English word without its ending, where enough of it is left.

    >>> _stem("refunds"), _stem("cancelled"), _stem("bus"), _stem("退款")
    ('refund', 'cancel', 'bus', '退款')
    """
    if not word.isascii():
        return word
    stem = _ENDINGS.sub("", word)
    if len(stem) > 2 and stem != word and stem[-1] == stem[-2]:
        stem = stem[:-1]
    return stem if len(stem) > 2 else word


def _in_parts(word: str, title: str) -> bool:
    """Whether *word* is made of parts of *title*: 取消 and 订单, each two or more.

    >>> _in_parts("取消订单", "取消支付分订单"), _in_parts("取消订单", "取消分单")
    (True, False)
    """
    if word in title:
        return True
    return any(
        word[:at] in title and _in_parts(word[at:], title)
        for at in range(2, len(word) - 1)
    )


def _share(worth: float, form: str, text: str) -> float:
    """More, the more of *text* the word is."""
    return worth * (1 + len(form) / len(text) / 2)


class _Found(NamedTuple):
    """Where a word was found, in the text as it is searched."""

    word: _Word
    where: str
    text: str


def _found(words: list[_Word], least: int) -> list[tuple[float, Entry, list[_Found]]]:
    """The entries that have *least* of *words* or more."""
    out: list[tuple[float, Entry, list[_Found]]] = []
    for entry in entries():
        total = 0.0
        found: list[_Found] = []
        for word in words:
            worth, where, text = word.score(entry)
            if worth:
                total += worth
                found.append(_Found(word, where, text))
            elif least == len(words):
                break
        if len(found) >= least:
            out.append((total + entry.bonus, entry, found))
    return out


def _hit(entry: Entry, found: Iterable[_Found]) -> Hit:
    method, _, template = entry.key.partition(" ")
    where = store.segment_of(template)
    operation = where.find(method, template) if where is not None else None
    assert operation is not None, entry.key
    matches = (Match(f.word.given, f.where, _told(f, operation)) for f in found)
    return Hit(operation, tuple(matches))


def _told(found: _Found, operation: Operation) -> str:
    """The text in which it was found, as the catalogue has it."""
    if found.where == "title":
        return operation.title
    if found.where == "path":
        return operation.template
    if found.where == "field":
        return _place(found.word.forms, operation)
    if found.where == "name":
        names = store.names()[str(operation)]
        return next(text for text in names if plain(text) == found.text)
    texts = (*operation.tags, *operation.roles, *operation.errors)
    return next(text for text in texts if plain(text) == found.text)


def _place(forms: Iterable[str], operation: Operation) -> str:
    """The first field that a word is in, with its label."""
    places = list(_places(operation))
    for form in forms:
        for place, value in places:
            name = place.rpartition(".")[2].removesuffix("[]")
            if form in plain(name) or form in plain(value.label):
                return f"{place} {value.label}".rstrip()
    raise AssertionError(f"{forms} in {operation}")  # it was found there


def _places(operation: Operation) -> Iterator[tuple[str, Field]]:
    for part in ("path", "query", "headers"):
        fields: Mapping[str, Field] = getattr(operation, part)
        for name, value in fields.items():
            yield from _within(value, f"{part}.{name}")
    bodies = [("body", operation.body)]
    bodies += [("answer", answer) for answer in operation.answers.values()]
    for part, body in bodies:
        if body is not None:
            yield from _within(body, part)


def _within(value: Field, place: str) -> Iterator[tuple[str, Field]]:
    """*value* and everything in it, each with a label of its own."""
    yield place, value
    for name, inner in (value.fields or {}).items():
        yield from _within(inner, f"{place}.{name}")
    if value.items is not None:
        yield from _within(value.items, f"{place}[]")
    if value.content is not None:
        yield from _within(value.content, f"{place}<{value.content_kind}>")
    for number, option in enumerate(value.options):
        yield from _within(option, f"{place}|{number}")
