"""Forms: the compiled check of a request agrees with its shape.

A form may send a value that is fine to the slow check; it must never accept one that is not. Values
are made from the shapes themselves, here and there spoiled.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from ddbcore.forms import Form
from hashrange.errors import Error
from hashrange.ops.requests import SHAPES
from hashrange.ops.shape import (
    Blob,
    Flag,
    Mapping,
    Sequence,
    Shape,
    Structure,
    TableText,
    Text,
    Whole,
    examine,
)

ROUNDS = 300
SPOILED: tuple[Any, ...] = (
    None, 0, -1, 1 << 63, True, 1.5, "", "x", "\u00e9" * 3, "a b", "x" * 300, b"", b"x", [], [None],
    [[]], {}, {"": None}, {"S": "x"}, {1: 2}, (), set(),
)  # fmt: skip


def of_attribute_values(shape: Shape) -> bool:
    """Tell whether what is in a list or map is left to the codec."""
    return (isinstance(shape, Sequence) and shape.element.deferred) or (
        isinstance(shape, Mapping) and shape.value.deferred
    )


class Maker:
    """Values of shapes, each part spoiled with a chance of `spoil`."""

    def __init__(self, seed: int, spoil: float) -> None:
        self.choose = random.Random(seed)
        self.spoil = spoil

    def value(self, shape: Shape, depth: int = 0) -> Any:
        if not shape.deferred and self.choose.random() < self.spoil:
            return self.choose.choice(SPOILED[:13] if of_attribute_values(shape) else SPOILED)
        if isinstance(shape, Text):
            return self.text(shape)
        if isinstance(shape, Whole):
            return self.choose.choice([shape.least or 0, shape.most or 7])
        if isinstance(shape, Flag):
            return self.choose.random() < 0.5
        if isinstance(shape, Blob):
            return b"x"
        if isinstance(shape, Structure) and shape.deferred:
            return {"S": "x"}
        if isinstance(shape, Structure):
            return {
                name: self.value(member, depth + 1)
                for name, member in shape.members.items()
                if name in shape.required or self.choose.random() < 0.3 / (depth + 1)
            }
        assert isinstance(shape, Sequence | Mapping)
        count = max(shape.least or 0, min(self.choose.randrange(3), shape.most or 3))
        if isinstance(shape, Sequence):
            return [self.value(shape.element, depth + 1) for _ in range(count)]
        return {
            f"{self.text(shape.key)}{number}": self.value(shape.value, depth + 1)
            for number in range(count)
        }

    def text(self, shape: Text) -> str:
        if shape.enum is not None:
            return self.choose.choice(shape.enum)
        if isinstance(shape, TableText):
            shape = shape.name
        return "a" * max(shape.least or 0, min(3, shape.most or 3))


# What the form accepts has nothing wrong with it; what lies in attribute values is not looked at.
@pytest.mark.parametrize("operation", SHAPES)
def test_a_form_accepts_nothing_that_the_shape_refuses(operation: str) -> None:
    shape = SHAPES[operation]
    form = shape.form()
    accepted = 0
    for seed in range(ROUNDS):
        request = Maker(seed, 0.05).value(shape)
        if form.accepts(request):
            accepted += 1
            examine(shape, request)
    assert accepted > ROUNDS // 20, "the maker makes nothing that is fine"


# A request that is fine and has nothing unusual does not pay for the slow check.
@pytest.mark.parametrize("operation", SHAPES)
def test_a_form_accepts_what_is_plainly_fine(operation: str) -> None:
    shape = SHAPES[operation]
    form = shape.form()
    for seed in range(ROUNDS):
        request = Maker(seed, 0.0).value(shape)
        try:
            examine(shape, request)
        except Error:
            continue                      # the maker knows no rule that joins two members
        assert form.accepts(request), (seed, request)


def test_a_form_leaves_subclasses_to_the_slow_check() -> None:
    class Word(str):
        __slots__ = ()

    class Row(dict):  # type: ignore[type-arg]
        pass

    form = Form("object", needed={"a": Form("text")})
    assert form.accepts({"a": "x", "b": 1, "c": None})
    assert not form.accepts({"a": Word("x")})
    assert not form.accepts({Word("a"): "x"})
    assert not form.accepts(Row(a="x"))


def test_bounds_are_included() -> None:
    text = Form("text", 2, 4, characters="ab")
    assert [text.accepts("a" * count) for count in range(1, 6)] == [0, 1, 1, 1, 0]
    assert not text.accepts("abc")
    assert not text.accepts("a\u0161")
    whole = Form("whole", -1, 1)
    assert [whole.accepts(number) for number in (-2, -1, 0, 1, 2)] == [0, 1, 1, 1, 0]
    assert not whole.accepts(True)
    assert not Form("whole").accepts(1 << 63)
    rows = Form("list", 1, 2, element=Form("flag"))
    assert [rows.accepts([True] * count) for count in range(4)] == [0, 1, 1, 0]
    assert not rows.accepts([True, 1])


@pytest.mark.parametrize(
    "arguments", [{"kind": "map"}, {"kind": "object", "needed": {1: Form("flag")}}, {"kind": "?"}]
)
def test_a_form_that_makes_no_sense_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        Form(**arguments)
