"""The words of PartiQL's errors: one factory for each message.

All are ValidationError; the class of the one that is not (DuplicateItemException) belongs to the
data plane, its text stands here. Texts are the service's own where they are known. Those that
nobody has seen on the service are marked: they say what is wrong in words of ours.

A `mark` is the service's way to name a place: line:column:length, counted in characters from 1.
"""

from __future__ import annotations

from ddbcore.errors import ValidationError

NOT_WELL_FORMED = "Statement wasn't well formed, can't be processed: "
DUPLICATE_ITEM = "Duplicate primary key exists in table"
INVALID = "One or more parameter values were invalid: "
ATTRIBUTE_TYPES = ("N", "BS", "L", "B", "NULL", "M", "S", "SS", "NS", "BOOL")


# ---- text ----------------------------------------------------------------------------------------


def not_well_formed(words: str) -> ValidationError:
    return ValidationError(NOT_WELL_FORMED + words)


def length_not_allowed(text: str, bound: str) -> ValidationError:
    """bound: "less than or equal to 8192" or "greater than or equal to 1" (the model's words)."""
    return ValidationError(
        f"1 validation error detected: Value '{text}' at 'statement' failed to satisfy "
        f"constraint: Member must have length {bound}"
    )


def nested_too_deeply(levels: int) -> ValidationError:
    """Not seen on the service: its own bound is not known."""
    return not_well_formed(f"nested too deeply, {levels} levels are allowed")


def unsupported_clause(clause: str) -> ValidationError:
    return ValidationError(f"Unsupported clause: {clause}")


def unsupported_operator(operator: str) -> ValidationError:
    return ValidationError(f"Unsupported operator in Condition Expression. Operator: {operator}")


def unsupported_statement() -> ValidationError:
    return not_well_formed("Expected data manipulation")


def unsupported_expression(clause: str, expression: str) -> ValidationError:
    """Not seen on the service."""
    return ValidationError(f"Unsupported expression in the {clause} clause: {expression}")


def unknown_function(name: str) -> ValidationError:
    """Not seen on the service in PartiQL; the words are those of its expressions."""
    return ValidationError(f"Invalid function name; function: {name}")


# ---- sources, paths, projections -----------------------------------------------------------------


def aliasing() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("Neither tables nor columns can be given another name")


def unexpected_source() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("FROM takes one table, or one index of a table, by its name")


def list_in_source() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("A table or index is named without a list index")


def long_source_path() -> ValidationError:
    return ValidationError("A path may contain at most 2 components in the FROM clause")


def index_in_insert() -> ValidationError:
    return ValidationError("FROM clause may only contain a single table name")


def index_in_write() -> ValidationError:
    return ValidationError("This operation is not supported on an index")


def empty_component() -> ValidationError:
    return ValidationError("Path component cannot be an empty string")


def table_name() -> ValidationError:
    return ValidationError(
        "Table name should be within the length [3, 255] and only contain "
        "'a-z', 'A-Z', '0-9', '-', '_', '.'."
    )


def unexpected_component() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("A path is made of names and of list indexes that are numbers")


def list_index(text: str, mark: str) -> ValidationError:
    return ValidationError(
        f"List index is not within the allowable range; index: [{text}] at {mark}"
    )


def duplicate_column(name: str) -> ValidationError:
    return ValidationError(f"Duplicate identifiers in select clause: {name}")


def value_or_pivot() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("SELECT takes * or a list of paths, not VALUE or PIVOT")


# ---- values --------------------------------------------------------------------------------------


def parameter_count() -> ValidationError:
    return ValidationError("Number of parameters in request and statement don't match.")


def unsupported_data(kind: str, key: str, mark: str) -> ValidationError:
    return ValidationError(f"Unsupported data type: {kind} under key {key} at {mark}")


def unknown_data() -> ValidationError:
    return ValidationError("Unsupported data type: UNKNOWN")


def empty_bag() -> ValidationError:
    return ValidationError("Empty bags are not supported")


def mixed_bag() -> ValidationError:
    return ValidationError(
        "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
    )


def duplicates_in_bag(members: list[str], numbers: bool) -> ValidationError:
    tail = "! under root" if numbers else "."
    return ValidationError(
        f"{INVALID}Input collection [{', '.join(members)}] contains duplicates{tail}"
    )


def nesting(key: str) -> ValidationError:
    return ValidationError(f"Nesting Levels have exceeded supported limits under {key}")


def number_precision() -> ValidationError:
    return ValidationError("DynamoDB only supports precision up to 38 digits")


def number_overflow() -> ValidationError:
    """Not seen on the service in PartiQL; the words are those of its other operations."""
    return ValidationError(
        "Number overflow. Attempting to store a number with magnitude larger than supported range"
    )


def number_underflow() -> ValidationError:
    """Not seen on the service in PartiQL; the words are those of its other operations."""
    return ValidationError(
        "Number underflow. Attempting to store a number with magnitude smaller than supported range"
    )


def duplicate_field(name: str) -> ValidationError:
    """Not seen on the service."""
    return ValidationError(f"{INVALID}Duplicate attribute name in a tuple: {name}")


def operand_type(operator: str, kind: str) -> ValidationError:
    return ValidationError(
        "Incorrect operand type for operator or function; "
        f"operator or function: {operator}, operand type: {kind}"
    )


def operand_count(function: str, count: int) -> ValidationError:
    """Not seen on the service in PartiQL; the words are those of its expressions."""
    return ValidationError(
        "Incorrect number of operands for operator or function; "
        f"operator or function: {function}, number of operands: {count}"
    )


def path_required(function: str) -> ValidationError:
    """Not seen on the service in PartiQL; the words are those of its expressions."""
    return ValidationError(
        f"Operator or function requires a document path; operator or function: {function}"
    )


def in_operands(count: int) -> ValidationError:
    """Not seen on the service in PartiQL; the words are those of its expressions."""
    return ValidationError(
        f"The IN operator is provided with too many operands; number of operands: {count}"
    )


def attribute_type_name(name: str) -> ValidationError:
    return ValidationError(
        f"Invalid attribute type name found; type: {name}, "
        f"valid types: {{{','.join(ATTRIBUTE_TYPES)}}}"
    )


def set_first_argument(function: str, mark: str) -> ValidationError:
    return ValidationError(
        f"The first argument to {function} must equal the assignment value at {mark}"
    )


def set_second_argument(function: str, mark: str) -> ValidationError:
    return ValidationError(
        f"The second argument to {function} must be a value with type SET at {mark}"
    )


# ---- keys ----------------------------------------------------------------------------------------


class KeyFault(ValidationError):
    """What a statement says of its key does not fit the table's schema.

    ExecuteTransaction shows it as the member's cancellation reason, in words of its own.
    """


class KeyEqualityMissing(KeyFault):
    """The clause of a write does not fix the whole key."""


def key_equality() -> ValidationError:
    return KeyEqualityMissing(
        "Where clause does not contain a mandatory equality on all key attributes"
    )


def two_values_for_key(name: str) -> ValidationError:
    return KeyFault(
        f"Multiple conditions on same key {name}. "
        "Only single item Update/Insert/Delete are supported"
    )


def key_scalar(name: str, kind: str) -> ValidationError:
    return KeyFault(f"Key value must be of type S, N, or B. Key name: {name}, Key type: {kind}")


def key_type(name: str) -> ValidationError:
    return KeyFault(
        f"Key attribute's data type should match its data type in table's schema: Key {name}"
    )


def key_schema() -> ValidationError:
    return KeyFault("The provided key element does not match the schema")


def too_many_reads() -> ValidationError:
    return ValidationError("Too many decomposed read operations for a given query.")


def overlapping_reads() -> ValidationError:
    return ValidationError(
        "Overlapping conditions with range keys are not supported in where clause"
    )


# ---- indexes and order ---------------------------------------------------------------------------


def no_index() -> ValidationError:
    return ValidationError("The table does not have the specified index")


def consistent_index() -> ValidationError:
    return ValidationError("Strongly consistent read is not supported on Global Secondary Indexes")


def not_projected(index: str, names: list[str]) -> ValidationError:
    return ValidationError(
        f"{INVALID}Global secondary index {index} does not project [{', '.join(names)}]"
    )


def filter_not_projected(index: str, names: list[str]) -> ValidationError:
    return ValidationError(
        f"{INVALID}Secondary index {index} does not project one or more filter attributes: "
        f"[{', '.join(names)}]"
    )


def order_without_where() -> ValidationError:
    return ValidationError("Must have WHERE clause in the statement when using ORDER BY clause.")


def order_without_hash() -> ValidationError:
    return ValidationError(
        "Must have at least one non-optional hash key condition in WHERE clause when using "
        "ORDER BY clause."
    )


def order_by_attribute(name: str) -> ValidationError:
    return ValidationError(f"Attribute {name} in ORDER BY clause must be part of the primary key")


def order_needs_hash() -> ValidationError:
    return ValidationError(
        "Must have hash key in ORDER BY clause when more than one hash key condition specified "
        "in WHERE clause."
    )


def order_by_expression() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("ORDER BY takes attributes by their names, nothing else")


# ---- returning, batches, transactions, tokens ----------------------------------------------------


def returning_in_delete(clause: str) -> ValidationError:
    return ValidationError(
        f"Invalid returning clause: RETURNING {clause} *. "
        "Only RETURNING ALL OLD * is allowed in DELETE statements."
    )


def returning_in_insert() -> ValidationError:
    """Not seen on the service: it refuses the clause in words that are not known."""
    return unsupported_clause("RETURNING")


def returning_in_transaction() -> ValidationError:
    return ValidationError("RETURNING clause is not supported in ExecuteTransaction.")


def exists_outside() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("EXISTS can only be used in ExecuteTransaction write requests.")


def exists_form() -> ValidationError:
    return ValidationError("EXISTS() must contain a single item read with additional condition")


def exists_on_index() -> ValidationError:
    """Not seen on the service."""
    return ValidationError("EXISTS reads a table, not an index")


def select_on_index() -> ValidationError:
    return ValidationError("Reads on indices are not supported within transactions.")


def select_without_key(operation: str) -> ValidationError:
    """operation: "ExecuteTransaction" or "BatchExecuteStatement"."""
    return ValidationError(
        f"Select statements within {operation} must specify the primary key in the where clause."
    )


def mixed(operation: str) -> ValidationError:
    """operation: "ExecuteTransaction"; the batch's words were not seen on the service."""
    return ValidationError(
        f"{operation} API does not support both read and write operations in the same request."
    )


def one_item_twice() -> ValidationError:
    return ValidationError("Transaction request cannot include multiple operations on one item")


def token_damaged() -> ValidationError:
    return ValidationError("Invalid NextToken")


def token_of_another() -> ValidationError:
    return ValidationError("NextToken does not match request")
