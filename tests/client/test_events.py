"""Events of a client: what handlers see and change, beside what boto3's client does with them."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.hooks import HierarchicalEmitter
from hypothesis import given
from hypothesis import strategies as st

import hashrange
from hashrange.client import events as hooks

KEY = {"pk": {"S": "a"}, "sk": {"N": "1"}}
NAMES = ["provide-client-params", "before-parameter-build", "after-call"]


def test_handlers_change_parameters_and_responses(client: Any, boto_client: Any) -> None:
    def story(one: Any) -> list[Any]:
        """Return what handlers see of two calls, and what the caller does."""
        seen: list[Any] = []

        def provide(params: dict[str, Any], model: Any, context: Any, **kwargs: Any) -> Any:
            seen.append(("provide", dict(params), model.name, kwargs["event_name"]))
            context["mark"] = 1
            return {"TableName": "things", **params}

        def build(params: dict[str, Any], context: Any, **_: Any) -> None:
            seen.append(("build", dict(params), context["mark"]))
            params["ReturnConsumedCapacity"] = "TOTAL"

        def after(http_response: Any, parsed: dict[str, Any], model: Any, context: Any,
                  **_: Any) -> None:  # fmt: skip
            seen.append(("after", http_response.status_code, sorted(parsed), model.name,
                         context["mark"]))  # fmt: skip
            parsed["More"] = True

        one.meta.events.register("provide-client-params.dynamodb.GetItem", provide)
        one.meta.events.register("before-parameter-build.*.GetItem", build)
        one.meta.events.register("after-call.dynamodb", after)
        try:
            one.meta.events.unregister("after-call.dynamodb", print)
            answer = one.get_item(Key=KEY)
            seen.append((answer["ConsumedCapacity"]["TableName"], answer["More"]))
            with pytest.raises(ClientError) as caught:
                one.get_item(TableName="nothing", Key=KEY)
            seen.append((str(caught.value), sorted(caught.value.response)))
        finally:
            one.meta.events.unregister("provide-client-params.dynamodb.GetItem", provide)
            one.meta.events.unregister("before-parameter-build.*.GetItem", build)
            one.meta.events.unregister("after-call.dynamodb", after)
        assert "More" not in one.get_item(TableName="things", Key=KEY)
        return seen

    ours = story(client)
    theirs = story(boto_client)
    assert ours[0] == theirs[0]
    assert ours[1:2] + ours[3:] == theirs[1:2] + theirs[3:]
    assert len(ours) == 8


# A resource's handlers see parameters with Python values, and responses before they get them.
def test_a_resource_has_the_events_of_its_client(resource: Any, boto_resource: Any) -> None:
    for one in (resource, boto_resource):
        table = one.Table("things")
        seen: list[Any] = []

        def build(params: dict[str, Any], seen: list[Any] = seen, **_: Any) -> None:
            seen.append(params["Item"]["n"])

        def after(parsed: dict[str, Any], seen: list[Any] = seen, **_: Any) -> None:
            seen.append(copy.deepcopy(parsed.get("Attributes")))

        events = table.meta.client.meta.events
        events.register("before-parameter-build.dynamodb.PutItem", build)
        events.register("after-call.dynamodb.PutItem", after)
        one.Table("things").delete_item(Key={"pk": "a", "sk": 1})
        for number in (1, 2):
            answer = table.put_item(Item={"pk": "a", "sk": 1, "n": number}, ReturnValues="ALL_OLD")
        events.unregister("before-parameter-build.dynamodb.PutItem", build)
        events.unregister("after-call.dynamodb.PutItem", after)
        assert seen == [1, None, 2, {**KEY, "n": {"N": "1"}}]
        assert answer["Attributes"]["n"] == 1


def recorder(name: str, calls: list[str], value: Any = None) -> Callable[..., Any]:
    def handler(**_: Any) -> Any:
        calls.append(name)
        return value

    return handler


PARTS = st.sampled_from(["dynamodb", "*", "s3", "PutItem", "GetItem"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["register", "register_first", "register_last", "unregister"]),
        st.builds(
            lambda first, rest: ".".join([first, *rest]),
            st.sampled_from([*NAMES, "*"]),
            st.lists(PARTS, max_size=2),
        ),
        st.integers(0, 4),
        st.sampled_from([None, None, "one", "two"]),
    ),
    max_size=25,
)


# Which handlers an event has, and in which order, is as in botocore.
@given(STEPS)
def test_handlers_are_called_in_boto3s_order(steps: list[tuple[str, str, int, Any]]) -> None:
    made = []
    for emitter in (hooks.Events(), HierarchicalEmitter()):
        calls: list[str] = []
        handlers = [recorder(str(number), calls) for number in range(5)]
        for verb, name, number, unique in steps:
            # botocore breaks on unregistering from a name that only others go on from.
            with contextlib.suppress(AttributeError):
                getattr(emitter, verb)(name, handlers[number], unique_id=unique)
        for event in ("after-call.dynamodb.PutItem", "provide-client-params.dynamodb.GetItem",
                      "before-parameter-build.s3", "after-call"):  # fmt: skip
            calls.append(event)
            emitter.emit(event, params={})
        made.append(calls)
    assert made[0] == made[1]


@given(st.lists(st.sampled_from(["register", "unregister"]), max_size=8))
def test_unique_ids_are_counted_as_in_boto3(verbs: list[str]) -> None:
    made = []
    for emitter in (hooks.Events(), HierarchicalEmitter()):
        calls: list[str] = []
        handler = recorder("x", calls)
        for verb in verbs:
            getattr(emitter, verb)("after-call", handler, unique_id="id", unique_id_uses_count=True)
            emitter.emit("after-call.dynamodb.PutItem")
            calls.append("-")
        made.append(calls)
    assert made[0] == made[1]


def test_the_first_response_ends_the_asking() -> None:
    events, calls = hooks.Events(), []
    events.register("after-call", recorder("c", calls, 3))
    events.register("after-call.dynamodb", recorder("a", calls))
    events.register("after-call.dynamodb", second := recorder("b", calls, 2))
    assert events.emit_until_response("after-call.dynamodb.PutItem") == (second, 2)
    assert calls == ["a", "b"]
    assert events.emit_until_response("before-parameter-build.dynamodb.PutItem") == (None, None)
    assert [response for _, response in events.emit("after-call.dynamodb")] == [None, 2, 3]


# A handler for what never happens would never be called, and nobody would know.
@pytest.mark.parametrize(
    "name", ["before-send.dynamodb.*", "request-created", "before-sign", "needs-retry.dynamodb",
             "before-call.dynamodb.PutItem", "before-parameter", ""],
)  # fmt: skip
def test_events_of_the_network_are_refused(client: Any, name: str) -> None:
    with pytest.raises(hashrange.ValidationError, match="attach" if name else "name of an event"):
        client.meta.events.register(name, lambda **_: None)
    client.meta.events.unregister(name or "x", print)


def test_what_is_no_handler_is_refused_in_boto3s_words(client: Any, boto_client: Any) -> None:
    for handler in (5, lambda params: None):
        texts = []
        for one in (client, boto_client):
            with pytest.raises(ValueError, match="Event handler") as caught:
                one.meta.events.register("after-call", handler)
            texts.append(str(caught.value))
        assert texts[0] == texts[1]
    events = client.meta.events
    events.register("after-call", recorder("x", []), unique_id="a", unique_id_uses_count=True)
    with pytest.raises(ValueError, match="with a counter"):
        events.register("after-call", recorder("x", []), unique_id="a")


def test_a_client_of_ours_is_not_attached(client: Any, db: hashrange.Database) -> None:
    with pytest.raises(TypeError, match="boto3 is needed"):
        hashrange.attach(client, db)
