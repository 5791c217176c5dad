"""Whatever the request, an operation answers or refuses in the service's terms."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hashrange.errors import Error
from hashrange.ops import requests
from hashrange.ops.service import ITEM_OPERATIONS
from hashrange.ops.shape import Blob, Flag, Mapping, Sequence, Structure, TableText, Text, Whole

TEXTS = st.sampled_from(["", "a", "pk", "sk", "#a", ":a", "abc", "xyz", "1", "x" * 300])
WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 2), st.just(1.5), st.just([]), st.just({}), TEXTS
)


def requests_like(shape, depth=0):
    """Return a strategy of values that look like the shape, with wrong ones among them."""
    if isinstance(shape, TableText):
        right = st.sampled_from(["abc", "xyz", "nope", "arn:aws:dynamodb:x:y:table/abc", "a;"])
    elif isinstance(shape, Text):
        right = st.sampled_from(shape.enum) if shape.enum else TEXTS
    elif isinstance(shape, Whole):
        right = st.integers(-1, 5)
    elif isinstance(shape, Flag):
        right = st.booleans()
    elif isinstance(shape, Blob):
        right = st.binary(max_size=3)
    elif isinstance(shape, Sequence):
        right = st.lists(requests_like(shape.element, depth + 1), max_size=3)
    elif isinstance(shape, Mapping):
        keys = requests_like(shape.key) if isinstance(shape.key, TableText) else TEXTS
        right = st.dictionaries(
            keys.filter(lambda key: isinstance(key, str)),
            requests_like(shape.value, depth + 1),
            max_size=3,
        )
    else:
        assert isinstance(shape, Structure)
        if shape.name == "AttributeValue":
            return attribute_values()
        required = {name: requests_like(shape.members[name], depth + 1) for name in shape.required}
        others = {
            name: requests_like(member, depth + 1)
            for name, member in shape.members.items()
            if name not in shape.required
        }
        return st.one_of(
            st.fixed_dictionaries(required, optional=others) if depth < 5 else st.just({}), WRONG
        )
    return st.integers(0, 9).flatmap(lambda chance: WRONG if chance == 0 else right)


def attribute_values():
    scalars = st.one_of(
        st.fixed_dictionaries({"S": TEXTS}),
        st.fixed_dictionaries({"N": st.sampled_from(["1", "x", "1E200", ""])}),
        st.fixed_dictionaries({"B": st.binary(max_size=2)}),
        st.fixed_dictionaries({"SS": st.lists(TEXTS, max_size=2)}),
        st.fixed_dictionaries({"NULL": st.booleans()}),
        st.fixed_dictionaries({"S": WRONG}),
        st.fixed_dictionaries({"L": WRONG}),
        st.just({}),
        WRONG,
    )
    return st.one_of(
        scalars,
        st.fixed_dictionaries({"L": st.lists(scalars, max_size=2)}),
        st.fixed_dictionaries({"M": st.dictionaries(TEXTS, scalars, max_size=2)}),
    )


@pytest.mark.parametrize("operation", sorted(requests.SHAPES))
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_an_operation_answers_or_refuses(operation, data, service, door):
    request = data.draw(requests_like(requests.SHAPES[operation]))
    door.effects.clear()
    try:
        answer = service.execute(operation, request)
    except Error as error:
        assert error.status in (400, 500)
        assert str(error) == "" or len(str(error)) < 20_000
    else:
        assert isinstance(answer, dict)
        if operation in ITEM_OPERATIONS:
            requests.examine(operation, request)
