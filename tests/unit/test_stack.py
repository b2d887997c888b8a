"""The stack: layers by name, atomic changes."""

from __future__ import annotations

import sys
from threading import Thread
from typing import Any

import pytest

from wechatpay_chain import Stack, middleware
from wechatpay_chain._flow import Entry
from wechatpay_chain._stack import entry_of


def layer(request):
    return (yield request)


def made(*names: str) -> Stack:
    return Stack(Entry(name, layer) for name in names)


@pytest.mark.parametrize(
    ("change", "names"),
    [
        (lambda s: s.push(layer), "layer a b c"),
        (lambda s: s.push(layer, "x"), "x a b c"),
        (lambda s: s.before("a", layer), "layer a b c"),
        (lambda s: s.before("c", layer), "a b layer c"),
        (lambda s: s.before("b", layer, "x"), "a x b c"),
        (lambda s: s.after("a", layer), "a layer b c"),
        (lambda s: s.after("c", layer, name="x"), "a b c x"),
        (lambda s: s.replace("b", layer), "a b c"),
        (lambda s: s.replace("b", layer, "x"), "a x c"),
        (lambda s: s.remove("a"), "b c"),
        (lambda s: s.remove("a").remove("b").push(layer), "layer c"),
        (lambda s: s.push(middleware(layer, name="y")), "y a b c"),
    ],
)
def test_changes_go_by_name(change: Any, names: str) -> None:
    stack = made("a", "b", "c")
    assert change(stack) is stack
    assert stack.names == tuple(names.split())


def test_replacing_puts_the_new_layer_in_place() -> None:
    def other(request):
        return (yield request)

    stack = made("a", "b").replace("a", other)
    assert stack.entries == (Entry("a", other), Entry("b", layer))


@pytest.mark.parametrize(
    "change",
    [
        lambda s, name: s.before(name, layer),
        lambda s, name: s.after(name, layer),
        lambda s, name: s.replace(name, layer),
        lambda s, name: s.remove(name),
    ],
)
def test_an_unknown_name_is_answered_with_a_suggestion(change: Any) -> None:
    stack = made("verify", "sign")
    with pytest.raises(LookupError) as caught:
        change(stack, "verfy")
    assert "no layer 'verfy' - did you mean 'verify'?" in str(caught.value)
    assert "(layers: verify, sign)" in str(caught.value)
    assert stack.names == ("verify", "sign")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s.push(layer, "a"),
        lambda s: s.after("b", layer, "a"),
        lambda s: s.before("b", layer, "b"),
        lambda s: s.replace("b", layer, "a"),
    ],
)
def test_a_name_is_not_given_twice(change: Any) -> None:
    stack = made("a", "b")
    with pytest.raises(ValueError, match="already; give this one another name"):
        change(stack)
    assert stack.names == ("a", "b")


@pytest.mark.parametrize("thing", [None, "sign", 5, [layer]])
def test_what_cannot_be_called_is_no_layer(thing: Any) -> None:
    with pytest.raises(TypeError, match="a layer is a generator function"):
        made().push(thing)
    with pytest.raises(TypeError):
        entry_of(thing)


def test_a_class_is_no_layer_but_what_it_makes_is() -> None:
    class Tag:
        def __call__(self, request):
            return (yield request)

    with pytest.raises(TypeError, match=r"not the class Tag; give Tag\(\)"):
        made().push(Tag)
    assert made().push(Tag()).names == ("Tag",)


def test_a_copy_changes_on_its_own() -> None:
    stack = made("a", "b")
    copy = stack.copy().remove("a")
    assert (stack.names, copy.names) == (("a", "b"), ("b",))
    assert copy.entries[0] == stack.entries[1]


def test_it_reads_like_a_collection_of_names() -> None:
    stack = made("a", "b")
    assert list(stack) == ["a", "b"]
    assert len(stack) == 2
    assert "a" in stack
    assert "x" not in stack
    assert repr(stack) == "<Stack a > b > transport>"
    assert repr(Stack(end="memory")) == "<Stack memory>"


class Callable_:
    def __call__(self, request):
        return (yield request)


def test_it_draws_itself_outermost_first() -> None:
    stack = made("sign").push(Callable_(), "a")
    lines = str(stack).splitlines()
    assert "request" in lines[0]
    assert "  response" in lines[0]
    assert lines[1].split() == ["a", f"{__name__}.Callable_"]
    assert lines[2].split() == ["sign", f"{__name__}.layer"]
    assert lines[3].strip() == "transport"
    assert str(Stack()).splitlines()[-1].strip() == "transport"


def test_a_snapshot_is_not_disturbed() -> None:
    stack = made("a", "b")
    snapshot = stack.entries
    stack.remove("a").push(layer)
    assert [entry.name for entry in snapshot] == ["a", "b"]


def test_concurrent_changes_are_all_kept_and_never_half_seen() -> None:
    stack = made("pair-0", "pair-1")
    torn: list[tuple[str, ...]] = []

    def swap() -> None:
        for _ in range(300):
            stack.replace("pair-0", layer)
            names = stack.names
            if len(set(names)) != len(names) or names[-2:] != ("pair-0", "pair-1"):
                torn.append(names)

    def push(thread: int) -> None:
        for number in range(50):
            stack.push(layer, f"{thread}-{number}")

    threads = [Thread(target=swap)]
    threads += [Thread(target=push, args=(number,)) for number in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # as many switches as there can be
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert torn == []
    assert len(stack) == 2 + 4 * 50


class ByCatalogue:
    """A layer that has work only where the catalogue gives it some."""

    name = "idle"
    by_catalogue = True

    def __call__(self, request):
        return (yield request)


def test_a_call_may_leave_out_what_has_nothing_to_do() -> None:
    stack = Stack([])
    stack.push(ByCatalogue()).push(lambda request: iter(()), "mine")
    assert stack.names == ("mine", "idle")
    assert [entry.name for entry in stack.lean] == ["mine"]
    stack.replace("idle", lambda request: iter(()))
    assert stack.lean == stack.entries
