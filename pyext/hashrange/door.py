"""The engine behind the operations: items and tables in DynamoDB's own form.

Theory of operation. `EngineDoor` is what `hashrange.ops` asks for items: it compiles expressions
(once each), and hands typed items and keys to `ddbcore.writes` and `ddbcore.pages`, which work on
bytes.

Index entries lie in hidden tables under keys made of the parts of the index's key (see
`ddbcore.indexes`); a key condition becomes a range of those bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ddbcore import misfits, number
from ddbcore.cursor import Query, Scan
from ddbcore.errors import ConditionalCheckFailed, Error, ValidationError
from ddbcore.filter import Filter
from ddbcore.item import ItemCodec
from ddbcore.pages import index_part, index_position, read_page
from ddbcore.program import Program
from ddbcore.projection import Projection
from ddbcore.requests import plain_actions, plain_get, plain_reads, plain_write
from ddbcore.table import CoreTable
from ddbcore.writes import (
    CHECK,
    DELETE,
    PUT,
    UPDATE,
    WANT_AFTER,
    WANT_ARMS,
    WANT_BEFORE,
    WANT_FAILED,
    Action,
    read_all,
    read_item,
    read_keys,
    write_all,
    write_distinct,
)
from hashrange.catalog import EngineCatalog, change_index, resume_indexes
from hashrange.expr import (
    KeyCondition,
    KeyExpression,
    legacy,
    refuse_key_attributes,
    refuse_nested_keys,
    refuse_unused,
    tree,
)
from hashrange.expr.cache import ExpressionCache
from hashrange.ops import door
from hashrange.ops.keys import Index, KeyShape, indexes_of, key_shape
from hashrange.ops.reading import (
    check_condition_values,
    check_restart,
    start_of_another_segment,
)
from hashrange.ops.service import Service
from hashrange.ops.tables import Tables
from hashrange.ops.values import TypedItem, TypedValue
from hashrange.tokens import Tokens

if TYPE_CHECKING:
    from hashrange.database import Database

KINDS = {door.PUT: PUT, door.UPDATE: UPDATE, door.DELETE: DELETE, door.CHECK: CHECK}
NO_NAME = "\0" * 255  # of an attribute that is nowhere
TREES_MAX = 512                      # compiled forms found by the objects they were made of


def service_of(database: Database) -> Service:
    """Return the operations of a database, with no index left half made."""
    tables = Tables(EngineCatalog(database))
    if database.engine.writable:
        resume_indexes(database, tables)
    return Service(
        EngineDoor(database, tables),
        tables,
        lambda change: change_index(database, tables, change),
    )


# ---- items ---------------------------------------------------------------------------------------


class Marked(legacy.Symbols):
    """Placeholders of AttributeUpdates, other ones than those of Expected in the same request."""

    def path(self, name: str) -> tree.Path:
        """Return the path of an attribute."""
        token = f"#update{len(self.names)}"
        self.names[token] = name
        return tree.Path((token,))

    def value(self, value: Mapping[str, Any]) -> tree.Value:
        """Return the placeholder of a value."""
        token = f":update{len(self.values)}"
        self.values[token] = value
        return tree.Value(token)


def typed(symbols: legacy.Symbols) -> dict[str, TypedValue]:
    """Return the values of placeholders."""
    return {token: dict(value) for token, value in symbols.values.items()}


def merged(*parts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the placeholders of several expressions together; None when there are none."""
    found = None
    for part in parts:
        if part is None or part is found:
            continue
        if found is not None:
            return {token: value for given in parts if given for token, value in given.items()}
        found = part
    return found if found is None or isinstance(found, dict) else dict(found)


def transacted(outcomes: list[Any] | None) -> door.Transaction | None:
    """Return what became of a transaction's actions; None: they are not distinct."""
    if outcomes is None:
        return None
    return door.Transaction(
        [outcome if isinstance(outcome, Error) else written(outcome) for outcome in outcomes]
    )


def native_key(value: TypedValue, kind: str) -> Any:
    """Return a typed key value as the native API takes it. Raises ValidationError."""
    if value.get(kind) is None:
        raise ValidationError(
            "One or more parameter values were invalid: Condition parameter type does not match "
            "schema type"
        )
    inner: Any = value[kind]
    if kind == "N":
        return number.parse(inner)
    return misfits.blob(inner) if kind == "B" and isinstance(inner, str) else inner


class EngineDoor:
    """The door of one database; see `hashrange.ops.door.Door` for what each method promises."""

    def __init__(self, database: Database, tables: Tables) -> None:
        self.database = database
        self.engine = database.engine
        self.tables = tables
        self.cache = ExpressionCache()
        # Tables as they are in one version of the schemas.
        self.known: tuple[int, dict[str, tuple[door.Table, CoreTable]]] = (-1, {})
        self.trees: dict[tuple[int, int], tuple[Any, Any, Program]] = {}
        self.fitted: dict[Any, tuple[KeyExpression, KeyShape, KeyCondition]] = {}
        self.tokens = Tokens(self.engine, tables)

    # -- tables

    def current(self) -> tuple[int, dict[str, tuple[door.Table, CoreTable]]]:
        """Return the version of the schemas, and the tables that were asked for since."""
        if self.engine.following:
            self.database.tables()        # applies what the writer changed
        if self.known[0] != self.engine.schema_version:
            self.known = (self.engine.schema_version, {})
        return self.known

    def table(self, name: str) -> door.Table | None:
        """Return a table, or None when there is none that is ready."""
        version, tables = self.current()
        found = tables.get(name)
        if found is not None:
            return found[0]
        meta = self.tables.meta(name)
        if meta is None or meta.get("Status") in ("CREATING", "DELETING"):
            return None
        made = door.Table(name, key_shape(meta, meta["AttributeDefinitions"]), indexes_of(meta))
        if "Status" not in meta and all(
            "Status" not in index for index in meta["GlobalSecondaryIndexes"]
        ):
            core = CoreTable(self.engine, name)
            if version == self.engine.schema_version:
                tables[name] = made, core
        return made

    def table_name(self, name_or_arn: str) -> str:
        """Return the table's name for a TableName."""
        return self.tables.identity.table_of(name_or_arn)

    def core(self, table: door.Table) -> CoreTable:
        """Return the engine's table."""
        found = self.known[1].get(table.name)
        return found[1] if found is not None else CoreTable(self.engine, table.name)

    # -- reads

    def projection(self, projection: door.Expression | None) -> Projection | None:
        """Compile a projection."""
        if projection is None:
            return None
        return self.cache.projection(
            projection.text if projection.text is not None else projection.tree
        )

    def read(
        self, table: door.Table, key: TypedItem, projection: door.Expression | None
    ) -> tuple[TypedItem | None, int]:
        """Return an item and its size."""
        if projection is None:
            return read_item(self.core(table), key)
        return read_item(self.core(table), key, *self.bindable(table, projection))

    def bindable(
        self, table: door.Table, projection: door.Expression
    ) -> tuple[Projection, dict[str, str] | None]:
        """Return a projection compiled, and its names; refuse what does not fit the table."""
        compiled = self.projection(projection)
        assert compiled is not None
        refuse_unused(projection.names, None, compiled)
        refuse_paths_in_keys(compiled, projection.names, table)
        return compiled, projection.names

    def read_keys(
        self, table: door.Table, keys: list[TypedItem], projection: door.Expression | None
    ) -> tuple[list[TypedItem | None], list[int]] | None:
        """Return several items of a table, of one moment, with their sizes; None: keys repeat."""
        if projection is None:
            return read_keys(self.core(table), keys)
        return read_keys(self.core(table), keys, *self.bindable(table, projection))

    def read_all(
        self,
        reads: Sequence[tuple[door.Table, TypedItem, door.Expression | None]],
        *,
        distinct: bool = False,
    ) -> list[tuple[TypedItem | None, int]] | None:
        """Return several items of one moment, with their sizes."""
        wanted: list[Any] = []
        for table, key, projection in reads:
            bindable = (None, None) if projection is None else self.bindable(table, projection)
            wanted.append((self.core(table), key, *bindable))
        return read_all(self.engine, wanted, distinct)

    def get_plain(self, request: dict[str, Any]) -> tuple[TypedItem | None, int] | None:
        """Read the item of a GetItem that is plain; None: it takes a closer look."""
        return plain_get(request, self.current()[1])

    def read_plain(self, parts: list[Any]) -> list[tuple[TypedItem | None, int]] | None:
        """Read the items of TransactItems; None: it takes a closer look."""
        try:
            reads = plain_reads(parts, self.current()[1])
            return None if reads is None else read_all(self.engine, reads, True)
        except Error:
            return None

    # -- writes

    def action(self, table: door.Table, write: door.Write) -> Action:
        """Return a write as the engine takes it."""
        condition, update = write.condition, write.update
        wants = WANT_ARMS if table.indexes and write.want_arms else 0
        if write.want_before:
            wants |= WANT_BEFORE
        if write.want_after:
            wants |= WANT_AFTER
        if write.want_failed:
            wants |= WANT_FAILED
        if condition is None and update is None:
            return Action(self.core(table), KINDS[write.kind], write.item, wants=wants)
        program = self.program(update, condition)
        return Action(
            self.core(table),
            KINDS[write.kind],
            write.item,
            program,
            merged(update and update.names, condition and condition.names),
            merged(update and update.values, condition and condition.values),
            wants=wants,
            touched=self.cache.touched(program) if write.want_touched and update else None,
        )

    def program(
        self, update: door.Expression | None, condition: door.Expression | None
    ) -> Program:
        """Compile an update and a condition to one program."""
        first, second = source_of(update), source_of(condition)
        if type(first) is str or type(second) is str:
            return self.cache.program(first, second)
        # Hashing a tree costs more than running it, and prepared statements bring the same ones.
        mark = id(first), id(second)
        known = self.trees.get(mark)
        if known is not None and known[0] is first and known[1] is second:
            return known[2]
        made = self.cache.program(first, second)
        if len(self.trees) >= TREES_MAX:
            self.trees.clear()
        self.trees[mark] = first, second, made
        return made

    def write(self, table: door.Table, write: door.Write) -> door.Written:
        """Make one write."""
        outcome = write_all(self.engine, [self.action(table, write)])[0]
        if isinstance(outcome, Error):
            old_form = write.update is not None and write.update.old
            if old_form and isinstance(outcome, ValidationError):
                raise legacy.reworded(outcome)
            raise outcome
        return written(outcome)

    def write_all(self, writes: Sequence[tuple[door.Table, door.Write]]) -> list[door.Written]:
        """Make writes in one frame, so that a refused one leaves nothing of the others behind."""
        made = []
        for outcome in write_all(self.engine, [self.action(*write) for write in writes]):
            if isinstance(outcome, Error):
                raise outcome
            made.append(written(outcome))
        return made

    def write_plain(self, kind: str, request: dict[str, Any]) -> bool:
        """Make the write of a request that is plain; False, and nothing done: look closely."""
        return plain_write(
            self.engine, KINDS[kind], request, self.current()[1], self.cache.texts
        )

    def transact_plain(
        self, parts: list[Any], token: str | None, digest_of: Callable[[list[Any]], bytes]
    ) -> list[ConditionalCheckFailed | None] | None:
        """Make the writes of TransactItems; None, and nothing done: it takes a closer look."""
        try:
            actions = plain_actions(parts, self.current()[1], self.cache.texts)
            if actions is None:
                return None
            if token is None:
                return self.failures(write_distinct(self.engine, actions))
            digest = digest_of(parts)
            with self.tokens.lock:
                if self.tokens.known(token, digest) is not None:
                    return None
                finish = self.tokens.remembering(token, digest)
                failures = self.failures(write_distinct(self.engine, actions, finish))
                if failures is not None:
                    self.tokens.forget()
                return failures
        except Error:
            return None

    @staticmethod
    def failures(outcomes: list[Any] | None) -> list[ConditionalCheckFailed | None] | None:
        """Return what failed of a plain transaction, or None when that takes a closer look."""
        if outcomes is None:
            return None
        failures: list[ConditionalCheckFailed | None] = []
        for outcome in outcomes:
            if isinstance(outcome, ConditionalCheckFailed):
                failures.append(outcome)
            elif isinstance(outcome, Error):
                return None
            else:
                failures.append(None)
        return failures

    def transact(
        self,
        writes: Sequence[tuple[door.Table, door.Write]],
        token: str | None,
        digest: bytes,
        *,
        distinct: bool = False,
    ) -> door.Transaction | None:
        """Make writes as one; a known token gives the outcomes of the first call."""
        actions: list[Action] = []
        for table, write in writes:
            try:
                actions.append(self.action(table, write))
            except Error as error:
                return door.Transaction([error] * len(writes))
        run = write_distinct if distinct else write_all
        if token is None:
            return transacted(run(self.engine, actions))
        # Of two calls with one token, the second finds what the first did.
        with self.tokens.lock:
            known = self.tokens.known(token, digest)
            if known is not None:
                return known
            done = transacted(run(self.engine, actions, self.tokens.remembering(token, digest)))
            self.tokens.forget()
            return done

    # -- pages

    def walk(self, table: door.Table, walk: door.Walk) -> door.Page:
        """Read one page of a table or an index."""
        core = self.core(table)
        index = walk.source
        names = merged(*(part.names for part in self.parts(walk)))
        values = merged(*(part.values for part in self.parts(walk)))
        shape = table.key if index is None else index.key
        keys: KeyExpression | None = None
        resolved: KeyCondition | None = None
        if walk.keys is not None and walk.keys.text is not None:
            keys = self.cache.key_condition(walk.keys.text)
        elif walk.keys is not None:
            symbols = Marked()
            resolved = legacy.key_condition(
                walk.keys.tree, *split(shape.names, shape.hash_count), symbols
            )
            values = merged(values, symbols.values)
        condition = None
        if walk.condition is not None:
            condition = self.cache.program(
                None,
                walk.condition.tree if walk.condition.text is None else walk.condition.text,
                "FilterExpression",
            )
        projection = self.projection(walk.projection)
        if walk.keys is None or keys is not None:
            refuse_unused(names, values, keys, condition, projection)
        if keys is not None:
            resolved = self.resolved_keys(keys, names, shape)
            Filter(keys.program, core.codec, names, values, True, True)
        if resolved is not None:
            name = None if index is None else index.name
            check_condition_values(resolved, shape, values or {}, name)
            if walk.start is not None:
                check_restart(walk.start, shape, resolved, values or {})
        for part in (projection, condition):
            if part is not None:
                refuse_paths_in_keys(part, names, table)
        guarded = walk.keys is not None and not walk.filters_keys
        if condition is not None and guarded and walk.condition is not None:
            member = "Filter Expression" if walk.condition.text is not None else "QueryFilter"
            refuse_key_attributes(condition, names, shape.names, member)
        bound = None
        if condition is not None:
            bound = Filter(condition, core.codec, names, values, True, True)
        cursor = self.cursor(table, walk, resolved, values)
        visible, visible_names = self.visible(table, index)
        fetch = walk.fetch and index is not None and visible is not None
        shown = names
        if projection is None and not walk.fetch:
            projection, shown = visible, visible_names
        elif projection is not None and index is not None and visible_names is not None:
            wanted = self.top_names(walk.projection) if walk.projection is not None else set()
            fetch = fetch or not wanted <= set(visible_names.values())
        # Where whole items are fetched, the filter sees all of them.
        limited = visible is not None and condition is not None and not fetch
        page = read_page(
            cursor,
            core,
            None if index is None else index.name,
            condition=bound,
            projection=projection,
            names=shown,
            limit=walk.limit,
            count_only=walk.count_only,
            fetch=fetch,
            visible=visible if limited else None,
            visible_names=visible_names if limited else None,
            as_text=door.AS_TEXT.get(),
        )
        return door.Page(*page)

    def resolved_keys(
        self, keys: KeyExpression, names: dict[str, str] | None, shape: KeyShape
    ) -> KeyCondition:
        """Fit a key condition to a key, once for the same names. Raises ValidationError."""
        mark = id(keys), id(shape), tuple(names.items()) if names else ()
        known = self.fitted.get(mark)
        if known is not None and known[0] is keys and known[1] is shape:
            return known[2]
        made = keys.resolve(names, *split(shape.names, shape.hash_count))
        if len(self.fitted) >= TREES_MAX:
            self.fitted.clear()
        self.fitted[mark] = keys, shape, made
        return made

    @staticmethod
    def parts(walk: door.Walk) -> Iterator[door.Expression]:
        """Yield the expressions of a walk."""
        for part in (walk.keys, walk.condition, walk.projection):
            if part is not None:
                yield part

    def visible(
        self, table: door.Table, index: Index | None
    ) -> tuple[Projection | None, dict[str, str] | None]:
        """Return what an index shows of an item, as a projection; None: everything."""
        if index is None or index.projected is None:
            return None, None
        shown = dict.fromkeys([*table.key.names, *index.key.names, *sorted(index.projected)])
        names = {f"#{number}": name for number, name in enumerate(shown)}
        return self.cache.projection(tuple([tree.Path((token,)) for token in names])), names

    def cursor(
        self,
        table: door.Table,
        walk: door.Walk,
        keys: KeyCondition | None,
        values: dict[str, Any] | None,
    ) -> Query | Scan:
        """Return the cursor of a walk, where it starts."""
        core, index = self.core(table), walk.source
        source = core if index is None else CoreTable(self.engine, f"{table.name}/{index.name}")
        after: Any = None
        if walk.start is not None:
            if index is None:
                parts = [native_key(walk.start[name], kind) for name, kind in table.key.attributes]
                after = parts[0] if len(parts) == 1 else tuple(parts)
            else:
                after = index_position(core, index.name, walk.start)
        if keys is None:
            if walk.segment is None:
                return Scan(source, after=after)
            segment, total = walk.segment
            try:
                return Scan(source, segment=segment, total_segments=total, after=after)
            except ValidationError:
                raise start_of_another_segment(segment, total) from None
        shape = table.key if index is None else index.key
        assert values is not None
        if index is None:
            return base_query(core, shape.attributes, keys, values, walk, after)
        return index_query(core, source, shape.attributes, keys, values, walk, after)

    # -- what the operations ask about expressions

    def check_expressions(
        self,
        expressions: Mapping[str, str],
        names: Mapping[str, str] | None,
        values: Mapping[str, TypedValue] | None,
    ) -> None:
        """Raise what is wrong with a request's expressions by themselves."""
        used: list[Program | Projection] = []
        for member, text in expressions.items():
            compiled: Program | Projection
            if member == "ProjectionExpression":
                compiled = self.cache.projection(text)
            elif member == "UpdateExpression":
                compiled = self.cache.program(text, None)
            else:
                compiled = self.cache.program(None, text, member)
            used.append(compiled)
            for token in compiled.names:
                if token.startswith("#") and token not in (names or {}):
                    raise ValidationError(
                        f"Invalid {member}: An expression attribute name used in the document path "
                        f"is not defined; attribute name: {token}"
                    )
            for token in getattr(compiled, "values", ()):
                if token not in (values or {}):
                    raise ValidationError(
                        f"Invalid {member}: An expression attribute value used in expression is "
                        f"not defined; attribute value: {token}"
                    )
            check_alone(member, compiled, names, values)
        refuse_unused(names, values, *used)
        if "KeyConditionExpression" in expressions:
            self.cache.key_condition(expressions["KeyConditionExpression"])

    def top_names(self, projection: door.Expression) -> set[str]:
        """Return the top-level attributes that a projection names."""
        compiled = self.projection(projection)
        assert compiled is not None
        given = projection.names or {}
        firsts = {compiled.names[-1 - path[0]] for path in compiled.paths}
        return {given.get(name, name) for name in firsts}

    def collection_bytes(self, table: door.Table, hash_key: TypedItem) -> int:
        """Return the size of an item collection, entries of local indexes included."""
        core = self.core(table)
        ((name, value),) = hash_key.items()
        kind = dict(table.key.attributes)[name]
        total = pages_bytes(Query(core, native_key(value, kind)), core, None)
        for index in table.indexes.values():
            if not index.is_global:
                entries = CoreTable(self.engine, f"{table.name}/{index.name}")
                cursor = Query(entries, index_part(core, value, False))
                total += pages_bytes(cursor, core, index.name)
        return total

    def expected(self, expected: dict[str, Any], operator: str | None) -> door.Expression:
        """Return the condition that Expected means."""
        symbols = legacy.Symbols()
        condition = legacy.expected_condition(expected, operator, symbols)
        return door.Expression(None, symbols.names, typed(symbols), condition)

    def updates(self, updates: dict[str, Any]) -> door.Expression:
        """Return the update that AttributeUpdates means."""
        symbols = Marked()
        actions = legacy.update_actions(updates, symbols)
        return door.Expression(None, symbols.names, typed(symbols), actions, old=True)

    def key_conditions(self, conditions: dict[str, Any]) -> door.Expression:
        """Return the key condition that KeyConditions means; `walk` fits it to the key."""
        return door.Expression(None, None, None, conditions)

    def filters(self, conditions: dict[str, Any], operator: str | None) -> door.Expression:
        """Return the filter that QueryFilter or ScanFilter means."""
        symbols = legacy.Symbols()
        condition = legacy.filter_condition(conditions, operator, symbols)
        return door.Expression(None, symbols.names, typed(symbols), condition)

    def attributes(self, names: list[str]) -> door.Expression:
        """Return the projection that AttributesToGet means."""
        tokens = {f"#get{number}": name for number, name in enumerate(names)}
        return door.Expression(None, tokens, None, tuple([tree.Path((t,)) for t in tokens]))


def check_alone(
    member: str,
    compiled: Program | Projection,
    names: Mapping[str, str] | None,
    values: Mapping[str, TypedValue] | None,
) -> None:
    """Raise what is wrong with an expression whatever it is run on: operands, paths that meet.

    It is run on nothing, of a table with keys that no expression names.
    """
    codec = ItemCodec(NO_NAME, "S")
    given = None if names is None else dict(names)
    try:
        if isinstance(compiled, Projection):
            compiled.project(codec, None, given, True, True)
        elif compiled.has_update:
            compiled.apply(codec, None, codec.key("-"), given, dict(values or {}), True, True)
        else:
            compiled.test(codec, None, given, dict(values or {}), True, True)
    except ValidationError as error:
        if str(error).startswith(f"Invalid {member}: "):
            raise


def refuse_paths_in_keys(
    part: Program | Projection, names: Mapping[str, str] | None, table: door.Table
) -> None:
    """Refuse an expression that looks into a key attribute of the table or of an index."""
    if any(len(path) > 1 for path in part.paths):
        # The service looks at global indexes first.
        indexes = sorted(table.indexes.values(), key=lambda index: not index.is_global)
        of_indexes = [name for index in indexes for name in index.key.names]
        refuse_nested_keys(part, names, table.key.names, of_indexes)


def source_of(expression: door.Expression | None) -> Any:
    """Return what an expression is compiled of: its text, or its tree; None for no expression."""
    if expression is None:
        return None
    return expression.tree if expression.text is None else expression.text


def split(names: Sequence[str], hash_count: int) -> tuple[Sequence[str], Sequence[str]]:
    """Return the hash attributes and the range attributes of a key."""
    return names[:hash_count], names[hash_count:]


def written(outcome: tuple[Any, ...]) -> door.Written:
    """Return the engine's outcome as the operations read it."""
    before, after, arms, image_before, image_after = outcome
    return door.Written(
        before, after, [door.Arm(*arm) for arm in arms] if arms else (), image_before, image_after
    )


def pages_bytes(cursor: Query | Scan, core: CoreTable, index: str | None) -> int:
    """Return the sizes of all that a cursor leads to, summed."""
    total = 0
    while True:
        page = read_page(cursor, core, index, count_only=True)
        total += page[3]
        if page[5] is None:
            return total


def base_query(
    core: CoreTable,
    attributes: Sequence[tuple[str, str]],
    keys: KeyCondition,
    values: dict[str, Any],
    walk: door.Walk,
    after: Any,
) -> Query:
    """Return the cursor of a Query of a table."""
    kinds = dict(attributes)
    bounds: dict[str, Any] = {}
    for part in keys.range:
        given = [native_key(values[token], kinds[part.name]) for token in part.values]
        word = {"=": "eq", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}.get(part.operator)
        if part.operator == "BETWEEN":
            bounds["between"] = tuple(given)
        else:
            bounds[word or "begins_with"] = given[0]
    name, token = keys.hash[0]
    return Query(
        core,
        native_key(values[token], kinds[name]),
        reverse=not walk.forward,
        after=after,
        **bounds,
    )


def index_query(
    core: CoreTable,
    source: CoreTable,
    attributes: Sequence[tuple[str, str]],
    keys: KeyCondition,
    values: dict[str, Any],
    walk: door.Walk,
    after: Any,
) -> Query:
    """Return the cursor of a Query of an index, over its entries."""
    kinds = dict(attributes)

    def part(name: str, token: str, is_range: bool) -> bytes:
        native_key(values[token], kinds[name])
        return index_part(core, values[token], is_range)

    hash_key = b"".join([part(name, token, False) for name, token in keys.hash])
    prefix = b""
    lower: bytes | None = None
    upper: bytes | None = None
    for condition in keys.range:
        given = [part(condition.name, token, True) for token in condition.values]
        behind = [prefix + value[:-2] + b"\x00\x01" for value in given]
        operator = condition.operator
        if operator == "=":
            prefix += given[0]
            lower, upper = prefix, behind[0]
            continue
        lower, upper = prefix, following(prefix)
        if operator in ("<", "<="):
            upper = prefix + given[0] if operator == "<" else behind[0]
        elif operator in (">", ">="):
            lower = behind[0] if operator == ">" else prefix + given[0]
        elif operator == "BETWEEN":
            lower, upper = prefix + given[0], behind[1]
        else:
            lower, upper = prefix + given[0][:-2], following(prefix + given[0][:-2])
    bounds: dict[str, Any] = {}
    if lower:
        bounds["ge"] = lower
    if upper:
        bounds["lt"] = upper
    return Query(source, hash_key, reverse=not walk.forward, after=after, **bounds)


def following(prefix: bytes) -> bytes | None:
    """Return the least bytes that are greater than all that begin with `prefix`; None for none."""
    kept = prefix.rstrip(b"\xff")
    return kept[:-1] + bytes([kept[-1] + 1]) if kept else None
