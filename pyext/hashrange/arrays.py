"""Arrays: attributes of many items as columns, and columns to items.

Theory of operation. `read_columns` turns paths and a filter into what `ddbcore.columns` reads with,
and gives a `Columns` of what it found. A column stays as it was read, in plain buffers: a NumPy
array is a view of them, or made of them when it is asked for (strings, binary, documents); Arrow
consumers take them as they are, through the Arrow C stream interface, without pyarrow.

`load_rows` goes the other way. Whatever has `__arrow_c_stream__` is read through it; NumPy arrays
are dressed up as Arrow columns first; other columns are lists of Python values.

NumPy is imported when it is needed, and nowhere else. Threads: as tables; a `Columns` may be used
from any thread.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, KeysView, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ddbcore.arrow import ArrowReader, export_stream
from ddbcore.batch import Batch
from ddbcore.column import ColumnData
from ddbcore.columns import ColumnReader
from ddbcore.cursor import Query, Scan, limit_parse
from ddbcore.errors import ValidationError
from ddbcore.rows import RowWriter
from ddbcore.table import CoreTable
from hashrange.conditions import condition_arguments, is_condition
from hashrange.expr import compile_program, refuse_unused
from hashrange.search import lacking_error, refuse_bounds, resolved, view_of

if TYPE_CHECKING:
    import numpy
    import pandas
    import pyarrow

    from hashrange.indexes import IndexView
    from hashrange.table import Table

__all__ = ["Columns", "load_rows", "read_columns"]

_ELEMENT = re.compile(r"([^.\[\]]+)|\[([0-9]{1,9})\]")
_RANGE = ("between", "ge", "gt", "le", "lt", "eq", "begins_with")
_FORMATS = {
    "i1": "c", "i2": "s", "i4": "i", "i8": "l",
    "u1": "C", "u2": "S", "u4": "I", "u8": "L",
    "f4": "f", "f8": "g",
}  # fmt: skip


class Columns:
    """Columns of items by name: `columns["total"]` is a NumPy array.

    | values | array |
    |---|---|
    | numbers, all of them integers of 64 bits | int64 |
    | other numbers | float64, each the nearest double; with exact=True objects, int or Decimal |
    | booleans | bool |
    | strings, binary | objects, str or bytes |
    | lists, maps, sets; mixed="object" | objects, as `get` gives them |

    Where an item lacks the attribute, or has NULL, the array is a masked one (numpy.ma), and
    `valid(name)` tells which rows have a value. Arrays are views of memory that the Columns and
    what was made of it share: copy before changing one in place.
    """

    def __init__(self, columns: dict[str, ColumnData], count: int, last_key: Any) -> None:
        self._columns = columns
        self._count = count
        self._last_key = last_key
        self._arrays: dict[str, Any] = {}

    def __repr__(self) -> str:
        columns = ", ".join(f"{name!r}: {data.kind}" for name, data in self._columns.items())
        return f"<hashrange.Columns of {self._count} rows, {{{columns}}}>"

    @property
    def count(self) -> int:
        """Number of rows."""
        return self._count

    @property
    def last_key(self) -> Any:
        """Key of the last item read, hash value or (hash, range): after= goes on behind it.

        None when none was read.
        """
        return self._last_key

    # A mapping, but no collections.abc.Mapping: what takes dicts of arrays and Arrow streams should
    # take the stream.

    def __len__(self) -> int:
        return len(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._columns.keys()

    def values(self) -> list[Any]:
        """Return the arrays."""
        return [self[name] for name in self._columns]

    def items(self) -> list[tuple[str, Any]]:
        """Return the names with their arrays."""
        return [(name, self[name]) for name in self._columns]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __getitem__(self, name: str) -> Any:
        array = self._arrays.get(name)
        if array is None:
            array = self._arrays.setdefault(name, self._array(self._columns[name]))
        return array

    def kind(self, name: str) -> str:
        """Return what a column holds.

        "int64", "float64", "number" (exact=True), "bool", "text", "binary", "object", or "null"
        when no row has a value.
        """
        return self._columns[name].kind

    def valid(self, name: str) -> numpy.ndarray[Any, Any]:
        """Return an array of bool: which rows have a value in this column."""
        array: numpy.ndarray[Any, Any] = _view(self._columns[name].valid, "bool")
        return array

    def _array(self, data: ColumnData) -> Any:
        numpy = _numpy()
        if data.kind in ("int64", "float64", "bool"):
            array = _view(data.values, data.kind)
        else:
            array = numpy.empty(data.count, dtype=object)     # of None
            if data.kind != "null":
                data.fill(array)
        if data.absent_count == 0:
            return array
        return numpy.ma.MaskedArray(array, mask=~_view(data.valid, "bool"))

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return the rows as an Arrow C stream, in a capsule.

        The consumer gets what there is, whatever schema it requests, as the interface allows.
        Raises ValidationError for columns without an Arrow type.
        """
        return _stream(self._columns, self._count)

    def to_arrow(self) -> pyarrow.Table:
        """Return a pyarrow.Table: int64, double, bool, large_string, large_binary, null.

        With exact=True numbers that are no int64 are decimal128 of 38 digits. Buffers are shared,
        not copied. Raises ValidationError for columns of lists, maps, sets and mixed types, and
        ImportError without pyarrow.
        """
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Return a pandas.DataFrame, without pyarrow.

        Integers and booleans with missing values become pandas' Int64 and boolean, so that they
        stay what they are; missing floats are NaN, other missing values None. Raises ImportError
        without pandas.
        """
        import pandas

        made: dict[str, Any] = {}
        for name, data in self._columns.items():
            array = self[name]
            if data.absent_count and data.kind == "int64":
                array = pandas.arrays.IntegerArray(array.data, array.mask)
            elif data.absent_count and data.kind == "bool":
                array = pandas.arrays.BooleanArray(array.data, array.mask)
            elif data.absent_count:
                array = array.data
            made[name] = array
        return pandas.DataFrame(made, index=pandas.RangeIndex(self._count), copy=True)


def _numpy() -> Any:
    try:
        import numpy
    except ImportError as error:
        raise ImportError(
            "arrays need NumPy: pip install 'hashrange[arrays]' (to_arrow does without)"
        ) from error
    return numpy


def _view(block: Any, dtype: str) -> Any:
    numpy = _numpy()
    return numpy.frombuffer(block, dtype=dtype) if len(block) else numpy.empty(0, dtype=dtype)


def _stream(columns: Mapping[str, ColumnData], count: int) -> object:
    fields = []
    for name, data in columns.items():
        try:
            kind, buffers = data.arrow()
        except ValidationError as error:
            raise ValidationError(f"column {name!r}: {error}") from None
        fields.append((name, kind, data.absent_count, buffers))
    return export_stream(fields, count)


# ---- reading -------------------------------------------------------------------------------------


class _Paths:
    """Columns asked for: their names, and their paths as `ddbcore.columns` takes them."""

    def __init__(self, columns: object, names: Mapping[str, str] | None) -> None:
        if isinstance(columns, str) or not isinstance(columns, (Mapping, Sequence)):
            raise ValidationError(
                f"columns is a list of attribute names, or a dict of paths, not {columns!r:.100}"
            )
        if not isinstance(columns, Mapping):
            columns = _by_name(columns)
        self.texts = tuple(columns)
        self.numbers: dict[str, int] = {}
        self.names: tuple[str, ...] = ()  # placeholders, for the check that each is used
        self.firsts: set[int] = set()  # numbers of the attributes, with which paths begin
        self.paths = tuple([self._path(path, names or {}) for path in columns.values()])

    def _path(self, text: object, names: Mapping[str, str]) -> tuple[int, ...]:
        elements = []
        for element in path_elements(text):
            if isinstance(element, int):
                elements.append(element)
                continue
            name = element
            if element.startswith("#"):
                if element not in names:
                    raise ValidationError(
                        f"column {text!r}: names= does not say what {element} stands for"
                    )
                self.names += (element,)
                name = names[element]
            elements.append(-1 - self.numbers.setdefault(name, len(self.numbers)))
        self.firsts.add(-1 - elements[0])
        return tuple(elements)


def _by_name(columns: Sequence[Any]) -> dict[str, Any]:
    made = {}
    for name in columns:
        if not isinstance(name, str):
            raise ValidationError(f"a column is named by a str, not {name!r:.100}")
        if name in made:
            raise ValidationError(f"column {name!r} is asked for twice")
        made[name] = name
    return made


def path_elements(text: object) -> list[str | int]:
    """Return the names and indexes of a document path, "a.b[0]". Raises ValidationError."""
    found: list[str | int] = []
    if not isinstance(text, str):
        raise ValidationError(f"the path of a column is a str, not {text!r:.100}")
    position = 0
    while position < len(text):
        inner = bool(found) and text[position] == "."
        match = _ELEMENT.match(text, position + inner)
        # A name stands first or behind a dot, an index behind another element.
        if match is None or bool(match[1]) == (bool(found) and not inner):
            break
        found.append(match[1] or int(match[2]))
        position = match.end()
    if not found or position < len(text):
        raise ValidationError(
            f"column {text!r} is no document path, such as 'a', 'a.b' or 'a[0].b'; for a name with "
            "dots or brackets in it give names={'#n': name} and '#n'"
        )
    return found


def read_columns(
    table: Table,
    columns: Sequence[str] | Mapping[str, str],
    filter: object,
    names: dict[str, str] | None,
    values: dict[str, Any] | None,
    *,
    exact: bool,
    mixed: str,
    limit: int | None,
    index: str | None,
    walk: dict[str, Any],
) -> Columns:
    """Read columns of a table: see Table.columns.

    walk: what Query or Scan take besides, and key; None stands for what is not given.
    """
    if mixed not in ("raise", "object"):
        raise ValidationError(f'mixed is "raise" or "object", not {mixed!r}')
    limit_parse(limit)
    paths = _Paths(columns, names)
    source = _Source(table, index, names, values, walk)
    text, all_names, all_values = condition_arguments(filter, source.names, source.values)
    program = None if text is None else compile_program(None, text, "FilterExpression")
    refuse_unused(all_names, all_values, program, paths, *source.used)
    view = source.view
    if view is not None:
        _refuse_lacking(view, paths)
    untyped = [False] * len(paths.texts)
    while True:
        # A filter drops what the cursor counts: then the reader counts.
        cursor = source.cursor(None if program else limit)
        reader = ColumnReader(
            cursor,
            paths.paths,
            tuple(paths.numbers),
            tuple(untyped),
            exact=exact,
            program=program,
            condition_names=all_names,
            condition_values=all_values,
            limit=limit if program else None,
            table=table,
            index=index,
            visible=None if view is None or view.projected is None else frozenset(view.projected),
        )
        found = reader.read()
        if found is not None:
            by_name = dict(zip(paths.texts, found, strict=True))
            return Columns(by_name, reader.count, source.last_key(cursor))
        assert reader.conflict is not None
        place, first, second, key = reader.conflict
        if mixed == "raise":
            raise ValidationError(
                f"column {paths.texts[place]!r} has values of types {first} and {second} (first in "
                f"the item {key!r:.200}): filter with attribute_type, or take them as they are "
                "with mixed='object'"
            )
        # From the start again, since values taken so far have lost their form.
        untyped[place] = True


def _refuse_lacking(view: IndexView, paths: _Paths) -> None:
    """Refuse columns of what a global index does not project, as projections are."""
    if view.is_global and view.projected is not None:
        firsts = {name for name, number in paths.numbers.items() if number in paths.firsts}
        lacking = sorted(firsts - set(view.projected))
        if lacking:
            raise lacking_error(view, lacking)


class _Source:
    """Which items, and in which order: a table's or an index's, all of them or a hash key's."""

    def __init__(
        self,
        table: Table,
        index: str | None,
        names: dict[str, str] | None,
        values: dict[str, Any] | None,
        walk: dict[str, Any],
    ) -> None:
        given = {name: value for name, value in walk.items() if value is not None}
        self.table = table
        self.view = None if index is None else view_of(table, index)
        self.used: list[Any] = []
        self.after = given.pop("after", None)
        self.bounds = {word: given.pop(word) for word in _RANGE if word in given}
        self.hash = given.pop("hash", None)
        key = given.pop("key", None)
        if is_condition(self.hash):
            if key is not None:
                raise ValidationError("give the key condition once: key= is for expressions")
            self.hash, key = None, self.hash
        if key is not None:
            if self.hash is not None or self.bounds:
                raise ValidationError(
                    "a key condition takes the place of the hash key and all bounds"
                )
            self.hash, self.bounds, names, values = resolved(
                table, self.view, key, names, values, self.used
            )
        self.names = names
        self.values = values
        self.others = given
        if self.hash is None:
            if alone := sorted([*self.bounds, *(["reverse"] if "reverse" in given else [])]):
                raise ValidationError(
                    f"{', '.join(alone)} is for one hash key's items: give hash= too"
                )
        elif "segment" in given or "total_segments" in given:
            raise ValidationError("segment= and total_segments= are for a scan, without hash=")

    def cursor(self, limit: int | None) -> Query | Scan:
        """Return a cursor at the start, over the items or over the entries of the index."""
        table, after, view = self.table, self.after, self.view
        if view is None:
            if self.hash is None:
                return Scan(table, limit=limit, after=after, **self.others)
            return Query(table, self.hash, limit=limit, after=after, **self.bounds, **self.others)
        start = None if after is None else view.position(after)
        if self.hash is None:
            return Scan(view.entries, limit=limit, after=start, **self.others)
        refuse_bounds(self.bounds)
        encoded: dict[str, Any] = view.bounds(self.bounds)
        hash_key = view.hash_bytes(self.hash)
        return Query(view.entries, hash_key, limit=limit, after=start, **encoded, **self.others)

    def last_key(self, cursor: Query | Scan) -> Any:
        """Return the cursor's place as after= takes it."""
        key = cursor.last_key
        return key if key is None or self.view is None else self.view.key_of(*key)


# ---- loading -------------------------------------------------------------------------------------


def load_rows(
    table: CoreTable, source: object, *, floats: str, nan: str, durability: str | None
) -> int:
    """Put the rows of columns as items: see Table.load."""
    if floats not in ("decimal", "refuse"):
        raise ValidationError(f'floats is "decimal" or "refuse", not {floats!r}')
    if nan not in ("refuse", "null"):
        raise ValidationError(f'nan is "refuse" or "null", not {nan!r}')
    stream, lists = _source(source)
    reader = None if stream is None else ArrowReader(stream)
    with Batch(table, durability) as batch:
        writer = RowWriter(batch, reader, lists, floats == "decimal", nan == "null")
        return writer.write()


def _source(source: object) -> tuple[object, dict[str, list[Any]]]:
    """Return an Arrow stream, or None, and the columns beside it."""
    if isinstance(source, Columns):
        columns = source._columns
        plain = {name: data for name, data in columns.items() if data.kind != "object"}
        lists = {name: data.objects() for name, data in columns.items() if data.kind == "object"}
        if any(data.kind == "number" for data in plain.values()):
            # Decimals of one scale may not have room for all of them.
            lists |= {name: data.objects() for name, data in plain.items() if data.kind == "number"}
            plain = {name: data for name, data in plain.items() if data.kind != "number"}
        return (_stream(plain, source.count) if plain else None), lists
    if hasattr(source, "__arrow_c_stream__"):
        return source, {}
    if isinstance(source, Mapping):
        return _mapping(source)
    raise ValidationError(
        "load takes what has __arrow_c_stream__ (a pyarrow Table, a polars or pandas DataFrame), "
        f"Columns, or a dict of arrays or lists, not {type(source).__qualname__}"
    )


def _mapping(source: Mapping[Any, Any]) -> tuple[object, dict[str, list[Any]]]:
    fields = []
    lists: dict[str, list[Any]] = {}
    counts: dict[str, int] = {}
    for name, values in source.items():
        if not isinstance(name, str):
            raise ValidationError(f"a column is named by a str, not {name!r:.100}")
        field = _field(name, values)
        if field is not None:
            fields.append(field)
            counts[name] = len(values)
            continue
        lists[name] = _list(name, values)
        counts[name] = len(lists[name])
    if len(set(counts.values())) > 1:
        shown = ", ".join(f"{name!r}: {count}" for name, count in counts.items())
        raise ValidationError(f"the columns differ in their numbers of rows: {shown}")
    count = next(iter(counts.values()), 0)
    return (export_stream(fields, count) if fields else None), lists


def _list(name: str, values: Any) -> list[Any]:
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            made = getattr(values, method)()
            break
    else:
        made = values
    if isinstance(made, (str, bytes)) or not isinstance(made, Sequence):
        raise ValidationError(
            f"column {name!r} is an array or a list, not {type(values).__qualname__}"
        )
    return list(made)


def _field(name: str, values: Any) -> tuple[str, str, int, tuple[Any, ...]] | None:
    """Return a NumPy array of numbers or booleans as an Arrow field; None for all others."""
    if not (hasattr(values, "dtype") and hasattr(values, "__array_interface__")):
        return None
    numpy = _numpy()
    if values.ndim != 1:
        raise ValidationError(f"column {name!r} is an array of {values.ndim} dimensions, not of 1")
    kind = values.dtype.kind
    format = "b" if kind == "b" else _FORMATS.get(f"{kind}{values.dtype.itemsize}")
    if format is None:
        if kind in "OUST":
            return None
        raise ValidationError(
            f"column {name!r} is an array of {values.dtype}, which DynamoDB has no type for: "
            "cast it to int64, float64, bool, str or bytes first"
        )
    valid = None
    null_count = 0
    if isinstance(values, numpy.ma.MaskedArray):
        mask = numpy.ma.getmaskarray(values)
        null_count = int(mask.sum())
        valid = numpy.packbits(~mask, bitorder="little")
        values = values.data
    if kind == "b":
        data = numpy.packbits(values, bitorder="little")
    else:
        data = numpy.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    return name, format, null_count, (valid, data)
