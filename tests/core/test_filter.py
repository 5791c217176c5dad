"""Filters: a condition bound once for many records."""

from __future__ import annotations

import threading

import pytest
from core.programs import codec_make, record_of, refusal

from ddbcore.errors import CorruptError
from ddbcore.filter import Filter
from hashrange.expr import compile_program


def filter_make(codec, text, values=None, names=None, **options) -> Filter:
    return Filter(compile_program(None, text, "FilterExpression"), codec, names, values, **options)


def test_a_filter_is_bound_once_and_decides_on_many_records():
    codec = codec_make()
    chosen = filter_make(codec, "a.n > :v AND begins_with(#s, :s)", {":v": 5, ":s": "o"},
                         {"#s": "status"})
    for n in range(20):
        for status in ("open", "closed"):
            record = record_of(codec, {"a": {"n": n}, "status": status})
            assert chosen.test(record) == (n > 5 and status == "open")
    assert not chosen.test(None)
    with pytest.raises(CorruptError):
        chosen.test(record[:20])


def test_filters_of_one_program_are_independent():
    codec = codec_make()
    program = compile_program(None, "a = :v")
    filters = [Filter(program, codec, None, {":v": v}) for v in range(10)]
    record = record_of(codec, {"a": 3})
    assert [f.test(record) for f in filters].index(True) == 3
    assert program.test(codec, record, None, {":v": 3})
    del program
    assert filters[3].test(record)


def test_filters_refuse_as_programs_do():
    codec = codec_make()
    assert refusal(filter_make, codec, "a = :v") == (
        "Invalid FilterExpression: An expression attribute value used in expression is not "
        "defined; attribute value: :v"
    )
    assert refusal(filter_make, codec, "a = :v", {":v": 1, ":w": 1}).startswith("Value provided")
    assert filter_make(codec, "a = :v", {":v": 1, ":w": 1}, partial=True)
    assert refusal(filter_make, codec, "a = :v", {":v": 1}, typed=True)
    with pytest.raises(ValueError, match="condition"):
        Filter(compile_program("REMOVE a", None), codec)


def test_threads_share_a_filter():
    codec = codec_make()
    shared = filter_make(codec, "a.n = :v AND b < :v", {":v": 3})
    yes = record_of(codec, {"a": {"n": 3}, "b": 1})
    no = record_of(codec, {"a": {"n": 3}, "b": 5})
    counts = []
    threads = [
        threading.Thread(
            target=lambda: counts.append((shared.bench(yes, 20000), shared.bench(no, 20000)))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [(20000, 0)] * 4
