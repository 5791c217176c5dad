"""returning= of put, update and delete: the item before or after, natively; None where none is."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

import hashrange
from hashrange import Attr


@pytest.fixture
def table(ranges: hashrange.Table) -> hashrange.Table:
    ranges.put({"h": "a", "r": 1, "n": 5, "tags": {"x"}, "doc": {"k": 1, "l": [1, 2]}})
    return ranges


# DynamoDB: ALL_OLD of a PutItem or DeleteItem that met no item has no Attributes.
@pytest.mark.parametrize("word", ["old", "ALL_OLD", "OLD"])
def test_put_and_delete_return_what_was_there(table: hashrange.Table, word: str) -> None:
    old = table.get("a", 1)
    assert table.put({"h": "a", "r": 1, "n": 6}, returning=word) == old
    assert table.put({"h": "a", "r": 2}, returning=word) is None
    assert table.delete("a", 1, returning=word) == {"h": "a", "r": 1, "n": 6}
    assert table.delete("a", 1, returning=word) is None
    assert table.get("a", 1) is None


def test_without_returning_nothing_is_returned(table: hashrange.Table) -> None:
    assert table.put({"h": "a", "r": 1}) is None
    assert table.update("a", 1, "SET n = :n", values={":n": 1}) is None
    assert table.delete("a", 1) is None
    assert table.put({"h": "a", "r": 1}, returning="none") is None


@pytest.mark.parametrize(
    ("returning", "wanted"),
    [
        ("old", {"h": "a", "r": 1, "n": 5, "tags": {"x"}, "doc": {"k": 1, "l": [1, 2]}}),
        ("new", {"h": "a", "r": 1, "n": 7, "doc": {"k": 1, "l": [1, 9]}, "add": Decimal("0.5")}),
        ("updated_old", {"n": 5, "tags": {"x"}, "doc": {"l": [2]}}),
        ("updated_new", {"n": 7, "doc": {"l": [9]}, "add": Decimal("0.5")}),
        ("ALL_NEW", {"h": "a", "r": 1, "n": 7, "doc": {"k": 1, "l": [1, 9]},
                     "add": Decimal("0.5")}),
        ("UPDATED_NEW", {"n": 7, "doc": {"l": [9]}, "add": Decimal("0.5")}),
        ("NONE", None),
    ],
)
def test_update_returns_images(
    table: hashrange.Table, returning: str, wanted: dict[str, Any] | None
) -> None:
    image = table.update(
        "a", 1, "SET n = n + :two, doc.l[1] = :nine ADD #a :half REMOVE tags",
        names={"#a": "add"}, values={":two": 2, ":nine": 9, ":half": Decimal("0.5")},
        returning=returning,
    )
    assert image == wanted


# The service too shows the key of an item that an update has made.
def test_update_of_an_absent_item(table: hashrange.Table) -> None:
    def change(returning: str, r: int) -> Any:
        return table.update("b", r, "SET n = :n", values={":n": 1}, returning=returning)

    assert change("old", 1) is None
    assert change("updated_old", 2) is None
    assert change("new", 3) == {"h": "b", "r": 3, "n": 1}
    assert change("updated_new", 4) == {"n": 1}


# An update that changes nothing writes nothing, and its images are the item as it is.
def test_update_that_changes_nothing(table: hashrange.Table) -> None:
    item = table.get("a", 1)
    for returning in ("old", "new"):
        assert table.update("a", 1, "SET n = :n", values={":n": 5}, returning=returning) == item
    for returning in ("updated_old", "updated_new"):
        image = table.update("a", 1, "SET n = :n", values={":n": 5}, returning=returning)
        assert image == {"n": 5}


def test_a_false_condition_returns_nothing(table: hashrange.Table) -> None:
    for write in (
        lambda **given: table.put({"h": "a", "r": 1}, **given),
        lambda **given: table.delete("a", 1, **given),
        lambda **given: table.update("a", 1, "REMOVE n", **given),
    ):
        with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
            write(condition=Attr("n").eq(6), returning="old")
        assert caught.value.code == "ConditionalCheckFailedException"
    assert table.get("a", 1)["n"] == 5


def test_a_true_condition_and_an_image(table: hashrange.Table) -> None:
    old = table.put({"h": "a", "r": 1, "n": 6}, condition=Attr("n").eq(5), returning="old")
    assert old is not None
    assert old["n"] == 5
    new = table.update(
        "a", 1, "ADD n :one", values={":one": 1, ":n": 6}, condition="n = :n", returning="new"
    )
    assert new == {"h": "a", "r": 1, "n": 7}
    assert table.delete("a", 1, condition=Attr("n").eq(7), returning="old") == new


@pytest.mark.parametrize("returning", ["", "all", "new_old", 1, True])
def test_other_words_are_refused(table: hashrange.Table, returning: Any) -> None:
    with pytest.raises(hashrange.ValidationError):
        table.update("a", 1, "SET n = :n", values={":n": 8}, returning=returning)
    with pytest.raises(hashrange.ValidationError):
        table.put({"h": "a", "r": 1}, returning=returning)
    assert table.get("a", 1)["n"] == 5


# DynamoDB's PutItem and DeleteItem take NONE and ALL_OLD only.
@pytest.mark.parametrize("returning", ["new", "updated_old", "UPDATED_NEW"])
def test_put_and_delete_have_no_other_image(table: hashrange.Table, returning: str) -> None:
    with pytest.raises(hashrange.ValidationError, match="put and delete"):
        table.put({"h": "a", "r": 1}, returning=returning)
    with pytest.raises(hashrange.ValidationError, match="put and delete"):
        table.delete("a", 1, returning=returning)


# Each increment's image is its own: no two threads see the same number, and none is left out.
def test_images_of_concurrent_updates_are_distinct(table: hashrange.Table) -> None:
    seen: list[int] = []

    def work() -> None:
        for _ in range(500):
            image = table.update("c", 1, "ADD n :one", values={":one": 1}, returning="updated_new")
            assert image is not None
            seen.append(image["n"])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 2001))


# Images are made while Python code of finalizers may write: the write is then done anew.
def test_images_are_those_of_the_write(
    table: hashrange.Table, busy_gc: None, finalizer: Any
) -> None:
    for number in range(200):
        finalizer(lambda n=number: table.put({"h": "a", "r": 9, "n": n, "list": [n, [n]]}))
        before = table.get("a", 9)
        old = table.put({"h": "a", "r": 9, "n": -number, "list": [[1], {"x": 1}]}, returning="old")
        assert old is None or old["n"] >= 0 or before is not None
        assert table.get("a", 9) is not None


def test_a_table_with_indexes_returns_images(db: hashrange.Database) -> None:
    table = db.create_table("things", ("id", "S"))
    table.create_index("by_n", ("n", "N"))
    assert table.put({"id": "a", "n": 1}, returning="old") is None
    assert table.update("a", "SET n = :n", values={":n": 2}, returning="new") == {"id": "a", "n": 2}
    assert list(table.query(2, index="by_n")) == [{"id": "a", "n": 2}]
    assert table.delete("a", returning="old") == {"id": "a", "n": 2}
    assert list(table.scan(index="by_n")) == []


# ReturnValuesOnConditionCheckFailure of the service's API; None where there is no item.
def test_a_false_condition_shows_the_item_that_failed_it(db: hashrange.Database) -> None:
    table = db.create_table("failing", ("id", "S"))
    item = {"id": "a", "n": 5, "tags": {"x"}, "deep": {"list": [1, None]}}
    table.put(item)

    def calls(key: str, **options: str) -> Iterator[Any]:
        false = Attr("n").gt(5)
        yield lambda: table.put({"id": key}, condition=false, **options)
        yield lambda: table.delete(key, condition=false, **options)
        yield lambda: table.update(key, "SET n = :n", values={":n": 1}, condition=false, **options)

    for word, key, shown in (
        ("old", "a", item), ("ALL_OLD", "a", item), ("none", "a", None), ("old", "b", None),
    ):
        for call in calls(key, returning_on_failure=word):
            with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
                call()
            assert caught.value.item == shown
    for call in calls("a"):
        with pytest.raises(hashrange.ConditionalCheckFailed) as caught:
            call()
        assert caught.value.item is None
    assert list(table.scan()) == [item]


# What is wrong with a call is found before anything is written.
@pytest.mark.parametrize(
    "option", [{"returning_on_failure": "new"}, {"returning_on_failure": 1}, {"durability": "x"}]
)
def test_an_option_that_is_none_changes_nothing(
    db: hashrange.Database, option: dict[str, Any]
) -> None:
    table = db.create_table("options", ("id", "S"))
    table.put({"id": "a"})
    for call in (
        lambda: table.put({"id": "b"}, **option),
        lambda: table.delete("a", **option),
        lambda: table.update("a", "SET n = :n", values={":n": 1}, **option),
    ):
        with pytest.raises(hashrange.ValidationError):
            call()
    assert list(table.scan()) == [{"id": "a"}]
