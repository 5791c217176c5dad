"""Decimals made through the memory against those that the decimal module makes of text."""

from __future__ import annotations

import copy
import decimal
import gc
import pickle
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddbcore import number
from ddbcore.decimals import layout_paths, make
from ddbcore.errors import ValidationError

RADIX = 10**19
EXACT = decimal.Context(
    prec=1000,
    Emin=decimal.MIN_EMIN,
    Emax=decimal.MAX_EMAX,
    traps=[decimal.Inexact, decimal.InvalidOperation],
)
coefficients = st.one_of(
    st.integers(0, 10**38 - 1),
    st.integers(0, RADIX - 1),
    st.builds(lambda power, less: 10**power - less, st.integers(0, 37), st.integers(0, 1)),
)


# On CPython the fast ways must be on: a silent fall to the slow ones is a regression.
@pytest.mark.skipif(
    sys.implementation.name != "cpython" or sys.maxsize < 2**32,
    reason="needs 64-bit CPython",
)
def test_the_layout_of_decimal_is_proved_here():
    assert layout_paths() == (True, True)


@settings(max_examples=1000)
@given(coefficients, st.integers(-400, 400), st.booleans(), st.booleans())
@example(0, -1, True, False)
@example(RADIX, 0, False, False)
@example(RADIX - 1, -128, True, False)
def test_made_decimals_cannot_be_told_from_others(coefficient, exponent, negative, slowly):
    made = make(*divmod(coefficient, RADIX), exponent, negative, slowly)
    twin = Decimal(f"{'-' if negative else ''}{coefficient}E{exponent}")
    assert type(made) is Decimal
    assert made == twin
    assert hash(made) == hash(twin)
    assert made.as_tuple() == twin.as_tuple()
    assert (str(made), repr(made), f"{made:.3f}") == (
        str(twin),
        repr(twin),
        f"{twin:.3f}",
    )
    assert gc.is_tracked(made) == gc.is_tracked(twin)
    assert sys.getsizeof(made) == sys.getsizeof(twin)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(made, protocol)).as_tuple() == twin.as_tuple()
    assert copy.copy(made) is made
    assert copy.deepcopy(made) is made
    other = Decimal("3.7")
    for operation in (EXACT.add, EXACT.subtract, EXACT.multiply, EXACT.compare):
        assert operation(made, other).as_tuple() == operation(twin, other).as_tuple()
        assert operation(other, made).as_tuple() == operation(other, twin).as_tuple()
    assert EXACT.minus(made).as_tuple() == EXACT.minus(twin).as_tuple()
    assert {made: 1}[twin] == 1


# Instances of a heap type hold a reference to it (Decimal is one from 3.13 on): made ones must
# give it back.
def test_made_decimals_live_and_die_like_others():
    before = sys.getrefcount(Decimal)
    made = [make(0, n * 10 + 1, -3, False) for n in range(10_000)]
    twins = [Decimal(f"{n * 10 + 1}E-3") for n in range(10_000)]
    assert sum(made, Decimal(0)) == sum(twins, Decimal(0))
    del twins
    held = sys.getrefcount(Decimal) - before
    assert held in {0, 10_000}
    del made
    gc.collect()
    assert sys.getrefcount(Decimal) == before


# Arithmetic with made decimals gives more words than fit inside; it must not write into operands.
def test_arithmetic_leaves_made_decimals_alone():
    made = make(RADIX - 1, RADIX - 1, -20, True)
    twin = Decimal("-" + "9" * 38 + "E-20")
    power = EXACT.power(made, 7)
    assert power == EXACT.power(twin, 7)
    assert made.as_tuple() == twin.as_tuple()
    del power
    gc.collect()
    assert str(made) == str(twin)


# The proof itself must hold when the first import happens in a thread with an unusual context.
def test_the_proof_does_not_depend_on_the_context():
    code = (
        "import decimal\n"
        "c = decimal.DefaultContext\n"
        "c.prec, c.Emax, c.Emin, c.capitals, c.clamp = 1, 1, -1, 0, 1\n"
        "c.traps = dict.fromkeys(c.traps, True)\n"
        "decimal.setcontext(c.copy())\n"
        "from ddbcore import decimals\n"
        "print(*decimals.layout_paths())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == [str(path) for path in layout_paths()]


# Observed on the service: a zero in text has the range of a digit at its place. The zero of a
# Decimal has none: Python's arithmetic makes such exponents though nobody has written them.
def test_a_zero_in_text_has_a_range():
    for text in ("0e125", "0e-130", "0." + "0" * 130, "000"):
        assert number.parse(text) == 0
    for text, word in (("0e126", "over"), ("-0.0e127", "over"), ("0." + "0" * 131, "under")):
        with pytest.raises(ValidationError, match=f"^Number {word}flow"):
            number.parse(text)
        assert number.encode(Decimal(text)) == number.encode(0)
