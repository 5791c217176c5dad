"""PartiQL for DynamoDB: text to a statement's tree, tree to a plan.

`parse_statement` once for each text (the caller keeps the trees), `plan_statement` for each
execution, unless `prepare` makes of a statement what serves them all. The rules of batches and
transactions are in `batch` and `transaction`, tokens in `page_token`, rows in `rows`, all errors in
`faults`. Nothing here touches an engine.
"""

from __future__ import annotations

from hashrange.partiql.page_token import (
    Position,
    decode_token,
    encode_token,
    next_position,
    statement_binding,
)
from hashrange.partiql.parser import column_name, parse_statement
from hashrange.partiql.planner import plan_statement
from hashrange.partiql.prepared import (
    Prepared,
    PreparedGet,
    PreparedWrite,
    filled,
    kinds_of,
    prepare,
)
from hashrange.partiql.rows import select_columns
from hashrange.partiql.schema import IndexSchema, TableSchema

__all__ = [
    "IndexSchema",
    "Position",
    "Prepared",
    "PreparedGet",
    "PreparedWrite",
    "TableSchema",
    "column_name",
    "decode_token",
    "encode_token",
    "filled",
    "kinds_of",
    "next_position",
    "parse_statement",
    "plan_statement",
    "prepare",
    "select_columns",
    "statement_binding",
]
