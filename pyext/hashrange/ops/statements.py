"""ExecuteStatement, BatchExecuteStatement and ExecuteTransaction: PartiQL.

Theory of operation. A statement's text is parsed once and its tree kept, least recently used go
first; each execution makes a plan of the tree, the table's keys and the parameters, and carries it
out: reads in `selects`, writes in `statement_writes`. What parameters have wrong is found before
any table is looked at. A statement that came twice with parameters of the same types is prepared
where it can be (`hashrange.partiql.prepared`): then it needs no plan. When a prepared one is
refused, it is carried out once more from its text, which finds what is wrong in the right order.

A batch's members fail one by one: a fault is the member's Error. A transaction's members fail
together; a key that does not fit its table is that member's cancellation reason, any other fault is
the request's.

Threads: any, as far as the door allows.

Sources: API reference; order and words as observed on the service where they are known.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from hashrange.errors import (
    AccessDenied,
    ConditionalCheckFailed,
    DuplicateItem,
    Error,
    RequestLimitExceeded,
    ResourceNotFound,
    ValidationError,
    item_table_not_found,
)
from hashrange.ops import capacity, selects, statement_writes
from hashrange.ops.capacity import Bill
from hashrange.ops.door import CHECK, PUT, Door, Table, Transaction, Write
from hashrange.ops.item_writes import bill_of
from hashrange.ops.prepared import (
    STUMBLES,
    PreparedStatements,
    Ready,
    read_of,
    row_of,
    write_of,
)
from hashrange.ops.sizes import item_bytes
from hashrange.ops.transactions import (
    CODES,
    check_keys,
    digest_of,
    raise_failures,
    transaction_capacity,
    write_key_check,
)
from hashrange.ops.values import TypedItem, check_values
from hashrange.partiql import (
    IndexSchema,
    PreparedGet,
    TableSchema,
    batch,
    decode_token,
    encode_token,
    faults,
    parse_statement,
    plan_statement,
    select_columns,
    statement_binding,
    transaction,
)
from hashrange.partiql.plan import Plan, SelectPlan
from hashrange.partiql.tree import Exists, Statement

STATEMENTS_KEPT_MAX = 512  # trees; that of a text of 8,192 characters takes about 1 MB
# The codes of a batch member's Error, by the class of the error.
MEMBER_CODES: tuple[tuple[type[Error], str], ...] = (
    (ResourceNotFound, "ResourceNotFound"),
    (AccessDenied, "AccessDenied"),
    (RequestLimitExceeded, "RequestLimitExceeded"),
    *CODES,
)

Request = dict[str, Any]
Response = dict[str, Any]


class Statements:
    """The three operations, over a door."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.parse = lru_cache(STATEMENTS_KEPT_MAX)(parse_statement)
        self.schemas: dict[str, tuple[Table, TableSchema]] = {}
        self.prepared = PreparedStatements(door)

    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """Return the operations by name."""
        return {
            "ExecuteStatement": self.execute_statement,
            "BatchExecuteStatement": self.batch_execute_statement,
            "ExecuteTransaction": self.execute_transaction,
        }

    def table_of(self, statement: Statement) -> tuple[Table, TableSchema]:
        """Return a statement's table, for reads and writes and for planning.

        Raises TableNotFound.
        """
        name = statement.source.table
        table = self.door.table(name)
        if table is None:
            self.schemas.pop(name, None)
            raise item_table_not_found()
        known = self.schemas.get(name)
        if known is None or known[0] is not table:
            known = self.schemas[name] = table, schema_of(table)
        return known

    # -- one statement

    def execute_statement(self, request: Request) -> Response:
        """Run ExecuteStatement.

        Raises ConditionalCheckFailed, DuplicateItem, ItemTooLarge, TableNotFound, ValidationError.
        """
        prepared = self.prepared.run(request)
        if prepared is not None:
            return prepared
        statement, parameters = self.parse(request["Statement"]), parameters_of(request)
        if isinstance(statement, Exists):
            raise faults.exists_outside()
        table, schema = self.table_of(statement)
        consistent = bool(request.get("ConsistentRead"))
        plan = plan_statement(statement, schema, parameters, consistent_read=consistent)
        self.prepared.add(statement, table, schema, request)
        if isinstance(plan, SelectPlan):
            answer, bill = self.page(request, table, plan, parameters)
        else:
            write = statement_writes.write_of(plan, want_failed=wants_failed(request))
            outcome, image = statement_writes.run(self.door, table, write)
            answer = {"Items": [] if image is None else [image]}
            bill = bill_of(outcome)
        used = capacity.consumed(table.name, bill, request.get("ReturnConsumedCapacity"))
        if used is not None:
            answer["ConsumedCapacity"] = used
        return answer

    def page(
        self, request: Request, table: Table, plan: SelectPlan, parameters: list[Any]
    ) -> tuple[Response, Bill]:
        """Read the page that a request asks for; return the response so far, and its cost."""
        token = request.get("NextToken")
        position = binding = None
        if token is not None:
            binding = statement_binding(request["Statement"], parameters)
            position = decode_token(token, binding)
        found = selects.select(self.door, table, plan, request.get("Limit"), position)
        answer: Response = {"Items": found.rows}
        if found.position is not None:
            binding = binding or statement_binding(request["Statement"], parameters)
            answer["NextToken"] = encode_token(found.position, binding)
        if found.last_key is not None:
            answer["LastEvaluatedKey"] = found.last_key
        return answer, found.bill

    # -- batches

    def batch_execute_statement(self, request: Request) -> Response:
        """Run BatchExecuteStatement: a member that fails has an Error, the others are carried out.

        Raises ValidationError for reads and writes together.
        """
        members = request["Statements"]
        prepared = self.prepared.all_ready(members)
        bills: dict[str, Bill] = {}
        if prepared is not None:
            responses = [
                self.member(member, ready, bills)
                for member, ready in zip(members, prepared, strict=True)
            ]
        else:
            parsed = [self.parsed(member) for member in members]
            batch.check_statements(None if isinstance(each, Error) else each for each in parsed)
            responses = [
                self.member(member, statement, bills)
                for member, statement in zip(members, parsed, strict=True)
            ]
        answer: Response = {"Responses": responses}
        mode = request.get("ReturnConsumedCapacity")
        if mode is not None and any("Error" not in response for response in responses):
            used = capacity.consumed_list(bills, mode)
            if used is not None:
                answer["ConsumedCapacity"] = used
        return answer

    def parsed(self, member: Request) -> Statement | ValidationError:
        """Return a member's tree, or what is wrong with its text."""
        try:
            return self.parse(member["Statement"])
        except ValidationError as error:
            return error

    def member(
        self,
        member: Request,
        statement: Statement | Ready | ValidationError,
        bills: dict[str, Bill],
    ) -> Response:
        """Carry out one member of a batch and return its response; its cost goes to `bills`."""
        if isinstance(statement, ValidationError):
            return {"Error": error_of(statement)}
        ready = isinstance(statement, Ready)
        name = statement.table.name if isinstance(statement, Ready) else statement.source.table
        try:
            if isinstance(statement, Ready):
                item, bill = self.run_ready(member, statement, bills)
            else:
                item, bill = self.run_member(member, statement, bills)
        except (ValidationError, *STUMBLES) as error:
            if ready:
                # Its text tells what is wrong in the right order.
                return self.member(member, self.parsed(member), bills)
            if not isinstance(error, Error):
                raise
            return {"Error": error_of(error), "TableName": name}
        except Error as error:
            return {"Error": error_of(error), "TableName": name}
        bills.setdefault(name, Bill()).add(bill)
        return {"TableName": name} if item is None else {"Item": item, "TableName": name}

    def run_ready(
        self, member: Request, ready: Ready, bills: dict[str, Bill]
    ) -> tuple[TypedItem | None, Bill]:
        """Carry out one member that is prepared, as `run_member` does."""
        if isinstance(ready.prepared, PreparedGet):
            return self.prepared.get(member, ready)
        if ready.kind == CHECK:
            raise faults.exists_outside()
        return self.run_write(ready.table, write_of(member, ready, want_failed=True), bills)

    def run_member(
        self, member: Request, statement: Statement, bills: dict[str, Bill]
    ) -> tuple[TypedItem | None, Bill]:
        """Carry out one member; return its item and its cost."""
        parameters = parameters_of(member)
        if isinstance(statement, Exists):
            raise faults.exists_outside()
        table, schema = self.table_of(statement)
        consistent = bool(member.get("ConsistentRead"))
        plan = plan_statement(statement, schema, parameters, consistent_read=consistent)
        batch.check_plan(plan)
        self.prepared.add(statement, table, schema, member)
        if isinstance(plan, SelectPlan):
            found = selects.select(self.door, table, plan, None, None)
            return (found.rows[0] if found.rows else None), found.bill
        return self.run_write(table, statement_writes.write_of(plan, want_failed=True), bills)

    def run_write(
        self, table: Table, write: Write, bills: dict[str, Bill]
    ) -> tuple[TypedItem | None, Bill]:
        """Make the write of a member; return what RETURNING asks for, and its cost.

        A write whose condition fails costs what it would have: that goes to `bills` at once.
        """
        try:
            outcome, image = statement_writes.run(self.door, table, write)
        except (ConditionalCheckFailed, DuplicateItem):
            bills.setdefault(table.name, Bill()).add(self.attempt(table, write))
            raise
        return image, bill_of(outcome)

    def attempt(self, table: Table, write: Write) -> Bill:
        """Return the cost of a write whose condition failed: of the larger of the two images."""
        key = {name: write.item[name] for name in table.key.names}
        _, before_bytes = self.door.read(table, key, None)
        after_bytes = item_bytes(write.item) if write.kind == PUT else 0
        return Bill(capacity.write_half_units(before_bytes, after_bytes))

    # -- transactions

    def execute_transaction(self, request: Request) -> Response:
        """Run ExecuteTransaction: all reads, or all writes and checks.

        Raises TransactionCanceled, TableNotFound, ValidationError, IdempotentParameterMismatch.
        """
        members = request["TransactStatements"]
        prepared = self.prepared.all_ready(members)
        if prepared is not None:
            try:
                answer = self.transact_ready(request, prepared)
            except (ValidationError, *STUMBLES):
                answer = None             # what is wrong is found in the right order below
            if answer is not None:
                return answer
        statements = [self.parse(member["Statement"]) for member in members]
        reading = transaction.check_statements(statements)
        parameters = [parameters_of(member) for member in members]
        tables = [self.table_of(statement) for statement in statements]
        plans: list[Plan | faults.KeyFault] = []
        for statement, (_, schema), given in zip(statements, tables, parameters, strict=True):
            try:
                plans.append(transaction.plan_member(statement, schema, given))
            except faults.KeyFault as fault:
                plans.append(fault)
        for member, statement, known, plan in zip(members, statements, tables, plans, strict=True):
            if not isinstance(plan, faults.KeyFault):
                self.prepared.add(statement, *known, member)
        made = [(table, plan) for (table, _), plan in zip(tables, plans, strict=True)]
        if reading:
            return self.transact_reads(request, made)
        return self.transact_writes(request, made)

    def transact_ready(self, request: Request, prepared: list[Ready]) -> Response | None:
        """Carry out a transaction whose members are prepared.

        Return None, and nothing was done, when something is wrong but a condition. Raises
        TransactionCanceled.
        """
        members = request["TransactStatements"]
        if isinstance(prepared[0].prepared, PreparedGet):
            reads = [
                read_of(member, ready) for member, ready in zip(members, prepared, strict=True)
            ]
            found = self.door.read_all(reads, distinct=True)
            if found is None:
                return None
            rows = [
                (row_of(ready, item), size_bytes)
                for ready, (item, size_bytes) in zip(prepared, found, strict=True)
            ]
            return self.transact_answer(request, [ready.table for ready in prepared], rows)
        # A put may be refused for an index's key before any condition is looked at.
        if any(ready.returns or (ready.kind == PUT and ready.table.indexes) for ready in prepared):
            return None
        writes = [
            (ready.table, write_of(member, ready, want_failed=wants_failed(member)))
            for member, ready in zip(members, prepared, strict=True)
        ]
        token = request.get("ClientRequestToken")
        digest = b"" if token is None else digest_of(members)
        outcome = self.door.transact(writes, token, digest, distinct=True)
        if outcome is None or any(
            isinstance(each, Error) and not isinstance(each, ConditionalCheckFailed)
            for each in outcome.outcomes
        ):
            return None
        return self.written_answer(request, writes, outcome)

    def transact_reads(
        self, request: Request, members: list[tuple[Table, Plan | faults.KeyFault]]
    ) -> Response:
        """Read the items of a transaction, all of one moment."""
        check_keys([read_check(table, plan) for table, plan in members])
        plans = [(table, plan) for table, plan in members if isinstance(plan, SelectPlan)]
        refuse_repeated_items([(table, plan) for table, plan in plans])
        found = self.door.read_all(
            [(table, plan.key, selects.roots_of(self.door, plan)) for table, plan in plans]
        )
        assert found is not None
        rows = [
            (None if item is None else select_columns(item, plan.columns), size_bytes)
            for (_, plan), (item, size_bytes) in zip(plans, found, strict=True)
        ]
        return self.transact_answer(request, [table for table, _ in plans], rows)

    def transact_answer(
        self, request: Request, tables: list[Table], rows: list[tuple[TypedItem | None, int]]
    ) -> Response:
        """Return the response of reads: their rows, and the sizes of the items in bytes."""
        answer: Response = {
            "Responses": [{} if row is None else {"Item": row} for row, _ in rows]
        }
        mode = request.get("ReturnConsumedCapacity")
        if mode is not None:
            bills: dict[str, Bill] = {}
            for table, (_, size_bytes) in zip(tables, rows, strict=True):
                bill = bills.setdefault(table.name, Bill())
                bill.table += capacity.transact_read_half_units(size_bytes)
            used = capacity.consumed_list(bills, mode, transaction="Read")
            if used is not None:
                answer["ConsumedCapacity"] = used
        return answer

    def transact_writes(
        self, request: Request, members: list[tuple[Table, Plan | faults.KeyFault]]
    ) -> Response:
        """Make the writes and checks of a transaction, all or none."""
        asked = request["TransactStatements"]
        writes: list[tuple[Table, Write]] = []
        checks: list[Callable[[], None]] = []
        for member, (table, plan) in zip(asked, members, strict=True):
            if isinstance(plan, faults.KeyFault):
                checks.append(raising(plan))
                continue
            assert not isinstance(plan, SelectPlan)
            write = statement_writes.write_of(plan, want_failed=wants_failed(member))
            writes.append((table, write))
            checks.append(write_key_check(table, write))
        check_keys(checks)
        refuse_repeated_items(
            [(table, plan) for table, plan in members if not isinstance(plan, faults.KeyFault)]
        )
        token = request.get("ClientRequestToken")
        outcome = self.door.transact(writes, token, digest_of(asked))
        assert outcome is not None
        return self.written_answer(request, writes, outcome)

    def written_answer(
        self, request: Request, writes: list[tuple[Table, Write]], outcome: Transaction
    ) -> Response:
        """Return the response of writes, or raise why nothing was written."""
        outcome = renamed(outcome, writes)
        done = raise_failures(outcome, writes)
        answer: Response = {"Responses": [{} for _ in writes]}
        names = [table.name for table, _ in writes]
        mode = request.get("ReturnConsumedCapacity")
        used = transaction_capacity(names, done, outcome, mode)
        if used is not None:
            answer["ConsumedCapacity"] = used
        return answer


# ---- requests ------------------------------------------------------------------------------------


def parameters_of(request: Request) -> list[Any]:
    """Return the parameters of a statement, checked. Raises ValidationError."""
    parameters: list[Any] = request.get("Parameters") or []
    check_values(parameters)
    return parameters


def wants_failed(request: Request) -> bool:
    """Tell whether the item that fails a condition is asked for."""
    return request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"


def schema_of(table: Table) -> TableSchema:
    """Return what the planner must know of a table."""
    types = dict(table.key.attributes)
    indexes = {}
    for name, index in table.indexes.items():
        types.update(index.key.attributes)
        count = index.key.hash_count
        indexes[name] = IndexSchema(
            name,
            index.key.names[:count],
            index.key.names[count:],
            is_global=index.is_global,
            projection="ALL" if index.projected is None else "INCLUDE",
            included=index.projected or frozenset(),
        )
    count = table.key.hash_count
    names = table.key.names
    return TableSchema(table.name, names[:count], names[count:], types, indexes)


# ---- faults --------------------------------------------------------------------------------------


def error_of(error: Error) -> Response:
    """Return an error as a batch member's Error; one that is none is raised.

    Never with the item: members may ask for it, but the service does not show it (as measured).
    """
    for kind, code in MEMBER_CODES:
        if isinstance(error, kind):
            return {"Code": code, "Message": str(error)}
    raise error


def raising(error: Error) -> Callable[[], None]:
    """Return a check that fails."""

    def check() -> None:
        raise error

    return check


def read_check(table: Table, plan: Plan | faults.KeyFault) -> Callable[[], None]:
    """Return the check of a read's key."""
    if isinstance(plan, faults.KeyFault):
        return raising(plan)
    assert isinstance(plan, SelectPlan)
    return lambda: selects.check_item(table, plan)


def refuse_repeated_items(members: list[tuple[Table, Any]]) -> None:
    """Refuse two actions of a transaction on one item. Raises ValidationError."""
    transaction.refuse_repeated_items(
        transaction.key_of(plan, table.key.names) for table, plan in members
    )


def renamed(outcome: Transaction, writes: list[tuple[Table, Write]]) -> Transaction:
    """Return a transaction's outcome with the error of each INSERT that met an item."""
    return Transaction(
        [
            statement_writes.failure_of(write, result)
            if isinstance(result, ConditionalCheckFailed)
            else result
            for result, (_, write) in zip(outcome.outcomes, writes, strict=True)
        ],
        outcome.replayed,
    )
