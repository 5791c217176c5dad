"""Numbers, held to Python's decimal with a wide context and to the formats written down again."""

from __future__ import annotations

import decimal
import random
import subprocess
import sys
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ddbcore import number
from ddbcore.errors import CorruptError, ValidationError

EXACT = decimal.Context(
    prec=1000,
    Emin=decimal.MIN_EMIN,
    Emax=decimal.MAX_EMAX,
    traps=[decimal.Inexact, decimal.InvalidOperation],
)
TOO_LARGE = (
    "Number overflow. Attempting to store a number with magnitude larger than supported range"
)
TOO_SMALL = (
    "Number underflow. Attempting to store a number with magnitude smaller than supported range"
)
TOO_LONG = "Attempting to store more than 38 significant digits in a Number"
NOT_A_NUMBER = "The parameter cannot be converted to a numeric value"


def canonical(value) -> tuple[int, int, int]:
    """Return (sign, coefficient, exponent) without trailing zeros, by text alone."""
    sign, digits, exponent = Decimal(value).as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return 0, 0, 0
    stripped = text.rstrip("0")
    return sign, int(stripped), exponent + len(text) - len(stripped)


def reference_refusal(value) -> str | None:
    _sign, coefficient, exponent = canonical(value)
    first = exponent + len(str(coefficient)) - 1
    if coefficient == 0:
        return None
    if len(str(coefficient)) > 38:
        return TOO_LONG
    if first > 125:
        return TOO_LARGE
    return TOO_SMALL if first < -130 else None


def reference_key(value) -> bytes:
    """The key form, written down from the contract with digit strings."""
    sign, coefficient, exponent = canonical(value)
    if coefficient == 0:
        return b"\x01"
    digits = str(coefficient)
    first = exponent + len(digits) - 1
    digits += "0" * (len(digits) % 2)
    body = bytes([first + 130]) + bytes(
        int(digits[i : i + 2]) + 1 for i in range(0, len(digits), 2)
    )
    if sign:
        return b"\x00" + bytes(255 - byte for byte in body) + b"\xff"
    return b"\x02" + body


def reference_encode(value) -> bytes:
    """The tagged form, written down from the contract."""
    sign, coefficient, exponent = canonical(value)
    signed = -coefficient if sign else coefficient
    if exponent >= 0 and -(2**63) <= signed * 10**exponent < 2**63:
        whole = signed * 10**exponent
        if 0 <= whole < 64:
            return bytes([0x40 + whole])
        for tag, size in ((0x86, 1), (0x87, 2), (0x88, 4), (0x89, 8)):
            if -(1 << size * 8 - 1) <= whole < 1 << size * 8 - 1:
                return bytes([tag]) + whole.to_bytes(size, "little", signed=True)
    if -128 <= exponent <= 127:
        for tag, size in ((0x8A, 2), (0x8B, 4), (0x8C, 8)):
            if -(1 << size * 8 - 1) <= signed < 1 << size * 8 - 1:
                return (
                    bytes([tag])
                    + exponent.to_bytes(1, "little", signed=True)
                    + signed.to_bytes(size, "little", signed=True)
                )
    key = reference_key(value)
    return bytes([0x8D, len(key)]) + key


def reference_size(value) -> int:
    sign, coefficient, exponent = canonical(value)
    if coefficient == 0:
        return 1
    digits = len(str(coefficient))
    left = digits if exponent >= 0 else max(0, digits + exponent)
    return 1 + -(-left // 2) + -(-(digits - left) // 2) + sign


@st.composite
def decimals(draw, digits_max=38):
    """Numbers in range: any length, often at the limits, often with zeros at the ends."""
    digits = draw(st.integers(1, digits_max))
    coefficient = draw(
        st.one_of(
            st.integers(10 ** (digits - 1), 10**digits - 1),
            st.sampled_from(
                [
                    10 ** (digits - 1),
                    10**digits - 1,
                    2**63,
                    2**63 - 1,
                    2**64,
                    10**19,
                    10**19 - 1,
                ]
            ),
        )
    )
    digits = len(str(coefficient))
    first = draw(
        st.one_of(
            st.integers(-130, 125),
            st.integers(-25, 25),
            st.sampled_from([-130, -129, 124, 125]),
        )
    )
    sign = draw(st.booleans())
    return Decimal((sign, tuple(map(int, str(coefficient))), first - digits + 1))


integers = st.one_of(
    st.integers(-(2**63) - 2, 2**64 + 2),
    st.integers(-300, 300),
    st.builds(
        lambda n, e: n * 10**e,
        st.integers(-(10**38) + 1, 10**38 - 1),
        st.integers(0, 87),
    ),
    st.sampled_from(
        [
            s * (2**b + d)
            for b in (7, 8, 15, 16, 31, 32, 63, 64)
            for d in (-1, 0, 1)
            for s in (1, -1)
        ]
    ),
)
values = st.one_of(decimals(), integers, st.just(Decimal("-0")), st.just(0))


def refusal(function, *args) -> str | None:
    try:
        function(*args)
    except ValidationError as error:
        return str(error)
    return None


# The figures of the contract, so that neither encoder nor reference may drift.
@pytest.mark.parametrize(
    ("value", "tagged", "key"),
    [
        (0, "40", "01"),
        (1, "41", "02820b"),
        (63, "7f", "028340"),
        (64, "8640", "028341"),
        (-1, "86ff", "007df4ff"),
        (128, "878000", "02840d51"),
        (Decimal("9.9"), "8aff6300", "028264"),
        (Decimal("9.90"), "8aff6300", "028264"),
        (10**30, "8a1e0100", "02a00b"),
        (Decimal("1E-130"), "8d0302000b", "02000b"),
        (Decimal("-1E+125"), "8a7dffff", "0000f4ff"),
    ],
)
def test_forms_are_the_documented_bytes(value, tagged, key):
    assert number.encode(value).hex() == tagged
    assert number.key(value).hex() == key


@settings(max_examples=1500)
@given(values)
@example(-(2**63))
@example(Decimal("-9223372036854775808E-3"))
@example(Decimal("9" * 38 + "E+88"))
@example(Decimal("-" + "9" * 38 + "E-167"))
def test_both_forms_equal_the_reference_and_round_trip(value):
    tagged, key = number.encode(value), number.key(value)
    assert tagged == reference_encode(value)
    assert key == reference_key(value)
    for back in (
        number.decode(tagged),
        number.key_value(key),
        number.parse(str(value)),
    ):
        assert canonical(back) == canonical(value)
        assert back == value
        assert type(back) is (int if canonical(value)[2] >= 0 else Decimal)
        if type(back) is Decimal:
            sign, coefficient, exponent = canonical(value)
            assert back.as_tuple() == (
                sign,
                tuple(map(int, str(coefficient))),
                exponent,
            )


# 9.90 and 9.9 are one number: whatever zeros a value carries, its bytes are the same.
@settings(max_examples=500)
@given(decimals(), st.integers(0, 120))
def test_equal_numbers_have_one_encoding(value, zeros):
    sign, digits, exponent = value.as_tuple()
    padded = Decimal((sign, (0,) * (zeros % 3) + digits + (0,) * zeros, exponent - zeros))
    assert number.encode(padded) == number.encode(value)
    assert number.key(padded) == number.key(value)
    assert number.encode(number.parse(format(value, "f"))) == number.encode(value)
    if value == value.to_integral_value(context=EXACT):
        assert number.encode(int(value)) == number.encode(value)


def neighbours(value, places):
    """Numbers that share a prefix of digits with value."""
    sign, digits, exponent = value.as_tuple()
    longer = (digits + tuple(places))[:38]
    return Decimal((sign, longer, exponent - (len(longer) - len(digits))))


@settings(max_examples=1500)
@given(values, values, st.lists(st.integers(0, 9), max_size=6))
def test_key_order_is_the_order_of_the_numbers(left, right, places):
    numbers = [left, right]
    for value in (left, right):
        close = neighbours(Decimal(value), places)
        numbers += [v for v in (close, EXACT.copy_negate(close)) if reference_refusal(v) is None]
    for one in numbers:
        for two in numbers:
            expected = int(EXACT.compare(Decimal(one), Decimal(two)))
            key_one, key_two = number.key(one), number.key(two)
            assert (key_one > key_two) - (key_one < key_two) == expected
            assert number.compare(one, two) == expected


@settings(max_examples=500)
@given(values)
def test_size_is_the_measured_rule(value):
    assert number.size(value) == reference_size(value)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("1E125", 2),
        ("100", 2),
        ("1.5", 3),
        ("-42", 3),
        ("9" * 38, 20),
        ("0", 1),
        ("-0", 1),
        ("0.001", 2),
        ("100.001", 5),
        ("0." + "9" * 38, 20),
        ("9." + "9" * 37, 21),
        ("-9." + "9" * 37, 22),
    ],
)
def test_sizes_measured_on_the_service(value, size):
    assert number.size(Decimal(value)) == size


def check_sum(left, right, subtract):
    exact = (
        EXACT.subtract(Decimal(left), Decimal(right))
        if subtract
        else EXACT.add(Decimal(left), Decimal(right))
    )
    expected = reference_refusal(exact)
    if expected is None:
        total = number.add(left, right, subtract)
        assert total == exact
        assert number.encode(total) == reference_encode(exact)
    else:
        with pytest.raises(ValidationError) as caught:
            number.add(left, right, subtract)
        assert str(caught.value) in {TOO_LONG, TOO_LARGE, TOO_SMALL}
        # Between two refusals at once the order is ours.
        if canonical(exact)[1] < 10**38:
            assert str(caught.value) == expected


@settings(max_examples=1500)
@given(values, values, st.booleans())
@example(10**38, 1, True)
@example(Decimal("1E-130"), Decimal("1.5E-130"), True)
@example(Decimal("9E+125"), Decimal("1E+125"), False)
@example(Decimal("9" * 38), 1, False)
@example(Decimal("9" * 38), Decimal("9" * 38), False)
@example(Decimal("9" * 18), Decimal("9" * 18), False)
@example(0, Decimal("-0"), True)
@example(10**19 + 1, 9 * 10**19 - 1, False)
@example(-(10**19) - 1, 10**38 - 10**19 - 1, True)
def test_sums_are_exact_or_refused(left, right, subtract):
    check_sum(left, right, subtract)


@settings(max_examples=1500)
@given(
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-(10**38) + 1, 10**38 - 1),
    st.integers(-45, 45),
    st.integers(-80, 40),
    st.booleans(),
)
def test_sums_of_near_numbers_are_exact_or_refused(left, right, distance, exponent, subtract):
    left, right = (
        Decimal(f"{left}E{exponent}"),
        Decimal(f"{right}E{exponent + distance}"),
    )
    if reference_refusal(left) is None and reference_refusal(right) is None:
        check_sum(left, right, subtract)


@settings(max_examples=300)
@given(values)
def test_a_number_less_itself_is_zero(value):
    assert number.encode(number.add(value, value, True)) == b"\x40"
    assert number.add(value, 0) == number.add(0, value) == value
    assert number.add(0, value, True) == EXACT.minus(Decimal(value))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1E+125", None),
        ("1E+126", TOO_LARGE),
        ("9" * 38 + "E+88", None),
        ("9" * 38 + "E+89", TOO_LARGE),
        ("1E-130", None),
        ("9.9E-131", TOO_SMALL),
        ("1." + "0" * 36 + "1E-130", None),
        ("9" * 37, None),
        ("9" * 38, None),
        ("9" * 39, TOO_LONG),
        ("1" + "0" * 36 + "1", None),
        ("1" + "0" * 37 + "1", TOO_LONG),
        ("1" + "0" * 125, None),
        ("1" + "0" * 126, TOO_LARGE),
        ("1." + "0" * 5000, None),
        ("0." + "0" * 129 + "1", None),
        ("0." + "0" * 130 + "1", TOO_SMALL),
        ("1E+999999", TOO_LARGE),
        ("1E-999999", TOO_SMALL),
    ],
)
@pytest.mark.parametrize("sign", ["", "-"])
def test_limits_hold_for_text_and_decimals(text, message, sign):
    value = Decimal(sign + text)
    for function, argument in [
        (number.parse, sign + text),
        (number.encode, value),
        (number.key, value),
        (number.encode_slowly, value),
    ]:
        assert refusal(function, argument) == message
    if message is None:
        assert number.parse(sign + text) == value


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (10**125, None),
        (10**126 - 10**88, None),
        (10**126, TOO_LARGE),
        (10**38 - 1, None),
        (10**38, None),
        (10**38 + 1, TOO_LONG),
        (10**126 - 1, TOO_LONG),
        (2**419 - 1, TOO_LONG),
        (2**419, TOO_LARGE),
        (2**63, None),
        (2**64 - 1, None),
        (2**64, None),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_limits_hold_for_integers(value, message, sign):
    assert refusal(number.encode, sign * value) == message
    if message is None:
        assert number.decode(number.encode(sign * value)) == sign * value


# CPython refuses to print more than 4300 digits, and takes minutes for millions when allowed to.
@pytest.mark.parametrize("bits", [420, 14_285, 40_000_000])
def test_huge_integers_are_refused_before_any_conversion(bits):
    assert refusal(number.encode, 1 << bits) == TOO_LARGE
    assert refusal(number.encode, -(1 << bits)) == TOO_LARGE


# Exponents are bounded before anything is computed with them.
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1E+" + "9" * 100_000, TOO_LARGE),
        ("1E-" + "9" * 100_000, TOO_SMALL),
        ("0E" + "9" * 100_000, TOO_LARGE),
        ("1E9223372036854775807", TOO_LARGE),
        ("1E-9223372036854775808", TOO_SMALL),
        ("1E18446744073709551617", TOO_LARGE),
        ("0." + "0" * 99_999 + "1E100000", None),
        ("1" + "0" * 100_000 + "E-100000", None),
        ("9" * 100_000, TOO_LONG),
        ("1E" + "0" * 100_000 + "1", None),
    ],
)
def test_long_text_is_read_in_one_pass(text, message):
    assert refusal(number.parse, text) == message


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.", 1),
        (".5", Decimal("0.5")),
        ("+1", 1),
        ("-0", 0),
        ("007", 7),
        ("-12.50E+3", -12500),
        ("1e5", 100000),
        ("00.10", Decimal("0.1")),
        ("1E+0", 1),
        ("+.5e-0", Decimal("0.5")),
        ("5.e1", 50),
    ],
)
def test_text_takes_what_the_service_takes(text, value):
    assert number.parse(text) == value


@pytest.mark.parametrize(
    "text",
    [
        " 1",
        "1 ",
        "1\n",
        "\t1",
        "+",
        "-",
        ".",
        "+.",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1e-",
        "1e5.0",
        "1.2.3",
        "--1",
        "+-1",
        "1_000",
        "0x10",
        "NaN",
        "sNaN",
        "Infinity",
        "-inf",
        "1,5",
        "１",
        "٣",
        "1e5 ",
        "1f",
        "1\0",
        "\0",
        "1e٣",
    ],
)
def test_text_outside_the_grammar_is_refused(text):
    assert refusal(number.parse, text) == f"{NOT_A_NUMBER}: {text}"


def test_empty_text_is_refused_without_an_echo():
    assert refusal(number.parse, "") == NOT_A_NUMBER


def test_refused_text_is_repeated_up_to_1024_bytes():
    assert refusal(number.parse, "x" * 1024) == f"{NOT_A_NUMBER}: {'x' * 1024}"
    assert refusal(number.parse, "x" * 1025) == f"{NOT_A_NUMBER}: {'x' * 1024}..."
    assert refusal(number.parse, b"\xff\xfe") == f"{NOT_A_NUMBER}: \ufffd\ufffd"


NUMERIC = "0123456789+-.eE "


@settings(max_examples=1500)
@given(
    st.one_of(
        st.text(NUMERIC, max_size=45),
        st.from_regex(r"[+-]?[0-9]{0,45}(\.[0-9]{0,45})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    )
)
def test_text_is_read_as_decimal_reads_it(text):
    # Decimal() strips white space; the service does not.
    if " " in text:
        assert refusal(number.parse, text) == f"{NOT_A_NUMBER}: {text}"
        return
    try:
        value = Decimal(text)
    except decimal.InvalidOperation:
        assert (refusal(number.parse, text) or "").startswith(NOT_A_NUMBER)
        return
    expected = reference_refusal(value)
    if not value:
        exponent = value.as_tuple().exponent
        expected = TOO_LARGE if exponent > 125 else TOO_SMALL if exponent < -130 else None
    assert refusal(number.parse, text) == expected
    if expected is None:
        assert number.parse(text) == value


def check_hostile(data, decode, encode):
    try:
        value = decode(data)
    except CorruptError:
        return False
    assert encode(value) == data
    return True


TAGS = [*range(0x3E, 0x42), 0x7F, *range(0x80, 0x90)]


@settings(max_examples=3000)
@given(
    st.one_of(
        st.binary(max_size=26),
        st.builds(
            lambda tag, rest: bytes([tag]) + rest,
            st.sampled_from(TAGS),
            st.binary(max_size=25),
        ),
        st.builds(
            lambda e, n, s: (
                bytes([{2: 0x8A, 4: 0x8B, 8: 0x8C}[s], e])
                + n.to_bytes(8, "little", signed=True)[:s]
            ),
            st.integers(0, 255),
            st.integers(-(2**63), 2**63 - 1),
            st.sampled_from([2, 4, 8]),
        ),
    )
)
def test_hostile_tagged_bytes_are_damage_or_canonical(data):
    check_hostile(data, number.decode, number.encode)


@settings(max_examples=3000)
@given(
    st.one_of(
        st.binary(max_size=24),
        st.builds(
            lambda e, p: bytes([2, e]) + bytes(p),
            st.integers(0, 255),
            st.lists(st.integers(0, 101), max_size=20),
        ),
        st.builds(
            lambda e, p, t: bytes([0, e]) + bytes(p) + t,
            st.integers(0, 255),
            st.lists(st.integers(154, 255), max_size=20),
            st.sampled_from([b"", b"\xff", b"\xfe"]),
        ),
    )
)
def test_hostile_keys_are_damage_or_canonical(data):
    check_hostile(data, number.key_value, number.key)
    check_hostile(bytes([0x8D, len(data)]) + data, number.decode, number.encode)


@settings(max_examples=1000)
@given(values, st.integers(0, 23), st.integers(0, 255))
def test_one_changed_byte_is_damage_or_another_number(value, index, byte):
    for encode, decode in (
        (number.encode, number.decode),
        (number.key, number.key_value),
    ):
        data = bytearray(encode(value))
        data[index % len(data)] = byte
        check_hostile(bytes(data), decode, encode)


@settings(max_examples=300)
@given(values)
def test_every_truncation_is_damage(value):
    for data, decode, encode in (
        (number.encode(value), number.decode, number.encode),
        (number.key(value), number.key_value, number.key),
    ):
        for size in range(len(data)):
            check_hostile(data[:size], decode, encode)
        for extra in range(256):
            assert decode is number.key_value or not check_hostile(
                data + bytes([extra]), decode, encode
            )


# All tagged forms of one and two bytes, and those of three.
def test_each_short_form_is_damage_or_canonical():
    good = sum(check_hostile(bytes([tag]), number.decode, number.encode) for tag in range(256))
    assert good == 64
    good = sum(
        check_hostile(bytes([0x86, byte]), number.decode, number.encode) for byte in range(256)
    )
    assert good == 256 - 64
    good = sum(
        check_hostile(bytes([0x87]) + pair.to_bytes(2, "little"), number.decode, number.encode)
        for pair in range(65536)
    )
    assert good == 65536 - 256


def test_scaled_forms_are_canonical_at_every_exponent():
    for coefficient in (1, -1, 3, 10, 0, 32767, -32768, 12345):
        for exponent in range(-128, 128):
            value = Decimal(f"{coefficient}E{exponent}")
            data = (
                b"\x8a"
                + exponent.to_bytes(1, "little", signed=True)
                + coefficient.to_bytes(2, "little", signed=True)
            )
            canonical_here = reference_refusal(value) is None and reference_encode(value) == data
            assert check_hostile(data, number.decode, number.encode) == canonical_here


@pytest.mark.parametrize("text", ["NaN", "-NaN", "sNaN", "NaN123", "Infinity", "-Infinity"])
def test_special_values_are_refused_in_clear_words(text):
    name = "Infinity" if "Inf" in text else "NaN"
    for function in (number.encode, number.key, number.encode_slowly):
        assert refusal(function, Decimal(text)) == f"{name} is not supported: a Number is finite"


@pytest.mark.parametrize(
    "value", [1.5, float("nan"), True, False, None, "1", b"1", 1j, object(), [1]]
)
def test_other_types_are_refused_by_name(value):
    with pytest.raises(ValidationError, match=type(value).__name__):
        number.encode(value)


def test_numpy_scalars_are_refused_by_name():
    numpy = pytest.importorskip("numpy")
    for value in (numpy.int64(1), numpy.float32(1), numpy.bool_(True)):
        with pytest.raises(ValidationError, match=type(value).__name__):
            number.encode(value)


class LyingInt(int):
    """An int that overrides everything a careless reader may ask."""

    def bit_length(self):
        return 1

    def __abs__(self):
        return "x"

    def __lt__(self, other):
        raise AssertionError

    def __index__(self):
        return 5

    __int__ = __divmod__ = __neg__ = __index__


class LyingDecimal(Decimal):
    def as_tuple(self):
        return (0, (1,), 0)

    def __str__(self):
        return "1"


@settings(max_examples=300)
@given(values)
def test_subclasses_are_read_by_what_they_are(value):
    lying = (LyingInt if isinstance(value, int) else LyingDecimal)(value)
    assert number.encode(lying) == number.encode(value)


@pytest.fixture(scope="module")
def pure_decimal():
    """The pure-Python Decimal class, which number.pyx looks for only where it is loaded."""
    import _pydecimal

    return _pydecimal.Decimal


@settings(max_examples=300)
@given(value=values)
def test_pure_python_decimals_are_read_too(pure_decimal, value):
    assert number.encode(pure_decimal(str(value))) == number.encode(value)


def test_pure_python_decimals_of_any_exponent_are_bounded(pure_decimal):
    assert refusal(number.encode, pure_decimal((0, (1,), 10**5000))) == TOO_LARGE
    assert refusal(number.encode, pure_decimal((1, (1,), -(10**5000)))) == TOO_SMALL
    assert number.encode(pure_decimal((1, (0,), 10**5000))) == b"\x40"
    assert refusal(number.encode, pure_decimal("NaN")) == "NaN is not supported: a Number is finite"


@settings(max_examples=500)
@given(decimals(), st.integers(0, 100))
def test_slow_and_fast_ways_agree(value, zeros):
    sign, digits, exponent = value.as_tuple()
    padded = Decimal((sign, digits + (0,) * zeros, exponent - zeros))
    assert number.encode_slowly(padded) == number.encode(padded)
    if canonical(value)[2] < 0:
        made = number.decode(number.encode(value))
        assert number.scaled_slowly(value).as_tuple() == made.as_tuple()


@settings(max_examples=300)
@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 125))
def test_integral_scaled_values_are_ints(coefficient, exponent):
    value = number.scaled(coefficient, exponent)
    assert type(value) is int
    assert value == coefficient * 10**exponent


@pytest.mark.parametrize(
    "context",
    [
        decimal.Context(prec=1, Emin=-1, Emax=1, traps=list(decimal.Context().flags)),
        decimal.Context(
            prec=3,
            rounding=decimal.ROUND_UP,
            clamp=1,
            capitals=0,
            Emin=0,
            Emax=0,
            traps=[],
        ),
        decimal.Context(prec=2, traps=[decimal.Inexact, decimal.Rounded, decimal.FloatOperation]),
    ],
)
def test_the_context_of_the_thread_changes_nothing(context):
    generator = random.Random(20251122)
    samples = [
        Decimal(generator.randint(-(10**38) + 1, 10**38 - 1)).scaleb(
            generator.randint(-120, 60), EXACT
        )
        for _ in range(200)
    ]
    expected = [(number.encode(v), number.key(v), number.encode_slowly(v)) for v in samples]
    slow = [number.scaled_slowly(v) for v in samples]
    context.clear_flags()
    with decimal.localcontext(context) as current:
        found = [(number.encode(v), number.key(v), number.encode_slowly(v)) for v in samples]
        again = [number.decode(tagged) for tagged, _, _ in found]
        slow_again = [number.scaled_slowly(v) for v in samples]
        assert not any(current.flags.values())
    assert found == expected
    assert again == samples
    assert [v.as_tuple() for v in slow_again] == [v.as_tuple() for v in slow]


# Without the compiled decimal (PyPy, or a build that lacks it) everything goes the slow ways.
def test_all_of_it_works_without_the_compiled_decimal():
    generator = random.Random(20251123)
    samples = [
        f"{generator.randint(-(10**38) + 1, 10**38 - 1)}E{generator.randint(-160, 80)}"
        for _ in range(200)
    ]
    samples = [text for text in samples if reference_refusal(text) is None]
    code = (
        "import sys\n"
        "sys.modules['_decimal'] = None\n"
        "from decimal import Decimal\n"
        "from ddbcore import decimals, number\n"
        "assert decimals.layout_paths() == (False, False)\n"
        "for text in sys.argv[1:]:\n"
        "    tagged = number.encode(Decimal(text))\n"
        "    assert number.decode(tagged) == number.parse(text) == Decimal(text)\n"
        "    print(tagged.hex(), number.key(Decimal(text)).hex())\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *samples],
        capture_output=True,
        text=True,
        check=True,
    )
    expected = [f"{reference_encode(v).hex()} {reference_key(v).hex()}" for v in samples]
    assert result.stdout.splitlines() == expected
