"""Expression members: which of them go together, and the forms of placeholders.

Theory of operation. Operations take conditions and projections either as expressions or, the old
way, as structures; not both. `check_company` refuses the mixture and placeholders without an
expression, `check_expressions` all else. Each operation calls the first before, the second
after it has checked its own members: that is the service's order.

PutItem, UpdateItem and DeleteItem put whatever is wrong with the request alone into the form of the
single constraints, "1 validation error detected: ..."; the others do not. `enveloped` does that.

Sources: messages as observed on the service, those of 2026 where they differ from older ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hashrange.errors import ValidationError, constraints_failed, invalid_parameter
from hashrange.ops.door import Door
from hashrange.ops.values import NESTING, check_name, check_value

EXPRESSION_BYTES_MAX = 4096
PLACEHOLDER_BYTES_MAX = 255
NAME_PLACEHOLDER = re.compile(r"#[0-9a-zA-Z_]+").fullmatch
VALUE_PLACEHOLDER = re.compile(r":[0-9a-zA-Z_]+").fullmatch
ENVELOPING = frozenset(("PutItem", "UpdateItem", "DeleteItem"))
# Operations, and actions of transactions, whose values the older layer checks (see values.py).
OLDER = frozenset(("Scan", "Put", "Delete", "Update", "ConditionCheck", "Get"))
# Actions of transactions that may declare placeholders without an expression to use them.
LENIENT = frozenset(("Put", "Delete", "Get"))
# How the engine's errors start that are about an expression, not about an item.
OF_EXPRESSIONS = (
    "Invalid UpdateExpression: ",
    "Invalid ConditionExpression: ",
    "ExpressionAttribute",
    "Value provided in ExpressionAttribute",
)

Request = Mapping[str, Any]


class Company:
    """The expression members of an operation and the old ones, in the order of the messages.

    filters: the old members that ConditionalOperator joins. with_values: the expressions in which
    values may stand.
    """

    __slots__ = ("expressions", "filters", "legacy", "old", "with_values")

    def __init__(
        self,
        expressions: tuple[str, ...],
        legacy: tuple[str, ...] = (),
        filters: tuple[str, ...] = (),
    ) -> None:
        self.expressions = expressions
        self.legacy = legacy
        self.filters = filters
        self.old = frozenset((*legacy, "ConditionalOperator"))
        self.with_values = tuple(name for name in expressions if name != "ProjectionExpression")


COMPANIES = {
    "PutItem": Company(("ConditionExpression",), ("Expected",), ("Expected",)),
    "DeleteItem": Company(("ConditionExpression",), ("Expected",), ("Expected",)),
    "UpdateItem": Company(
        ("UpdateExpression", "ConditionExpression"), ("AttributeUpdates", "Expected"), ("Expected",)
    ),
    "GetItem": Company(("ProjectionExpression",), ("AttributesToGet",)),
    "BatchGetItem": Company(("ProjectionExpression",), ("AttributesToGet",)),
    "Query": Company(
        ("ProjectionExpression", "FilterExpression", "KeyConditionExpression"),
        ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
        ("QueryFilter",),
    ),
    "Scan": Company(
        ("ProjectionExpression", "FilterExpression"),
        ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
        ("ScanFilter",),
    ),
    "Put": Company(("ConditionExpression",)),
    "Delete": Company(("ConditionExpression",)),
    "Update": Company(("UpdateExpression", "ConditionExpression")),
    "ConditionCheck": Company(("ConditionExpression",)),
    "Get": Company(("ProjectionExpression",)),
}


@contextmanager
def enveloped(operation: str) -> Iterator[None]:
    """Put ValidationErrors raised inside into the operation's form."""
    try:
        yield
    except ValidationError as error:
        if operation in ENVELOPING and not str(error).startswith("1 validation error"):
            raise constraints_failed([str(error)]) from None
        raise


def in_form(operation: str, error: ValidationError) -> ValidationError:
    """Return an error that the engine raised in the operation's form."""
    words = str(error)
    if operation in ENVELOPING and words.startswith(OF_EXPRESSIONS):
        return constraints_failed([words])
    return error


def check_company(operation: str, request: Request) -> None:
    """Refuse old and new members together, and placeholders without an expression.

    operation: a name of COMPANIES; an action of a transaction is an operation of its own.
    """
    company = COMPANIES[operation]
    if company.old.isdisjoint(request):
        for name in company.with_values:
            if request.get(name) is not None:
                return                    # placeholders have a use, and nothing old is there
    expressions = [name for name in company.expressions if request.get(name) is not None]
    legacy = [name for name in company.legacy if request.get(name) is not None]
    if "KeyConditions" in legacy and "KeyConditionExpression" not in expressions:
        legacy.remove("KeyConditions")  # the service lets these go with other expressions
    if expressions and legacy:
        raise ValidationError(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(legacy)}}} "
            f"Expression parameters: {{{', '.join(expressions)}}}"
        )
    if operation in LENIENT:
        return
    if request.get("ExpressionAttributeNames") is not None and not expressions:
        raise ValidationError(
            "ExpressionAttributeNames can only be specified when using expressions"
        )
    if request.get("ExpressionAttributeValues") is not None:
        useful = company.with_values
        if useful and not any(request.get(name) is not None for name in useful):
            raise values_without_expression(operation, useful)
    if request.get("ConditionalOperator") is not None:
        check_conditional_operator(request, company)


def values_without_expression(operation: str, names: tuple[str, ...]) -> ValidationError:
    """Make the error of values that nothing can use; single writes do not say why."""
    words = "ExpressionAttributeValues can only be specified when using expressions"
    if operation not in ENVELOPING:
        words += f": {' and '.join(names)} {'is' if len(names) == 1 else 'are'} null"
    return ValidationError(words)


def check_conditional_operator(request: Request, company: Company) -> None:
    """Refuse ConditionalOperator where there is nothing to join."""
    count = max((len(request.get(name) or ()) for name in company.filters), default=0)
    if count == 0:
        raise ValidationError("ConditionalOperator cannot be used without Filter or Expected")
    if count == 1:
        raise ValidationError(
            "ConditionalOperator can only be used when Filter or Expected has two or more elements"
        )


def check_expressions(operation: str, request: Request, door: Door) -> None:
    """Check all that can be wrong with expressions before any table is looked at."""
    check_placeholders(operation, request)
    expressions = {
        name: request[name]
        for name in COMPANIES[operation].expressions
        if request.get(name) is not None
    }
    if expressions:
        door.check_expressions(
            expressions,
            request.get("ExpressionAttributeNames"),
            request.get("ExpressionAttributeValues"),
        )


def check_placeholders(operation: str, request: Request) -> None:
    """Check the forms of placeholders, the values, and the sizes of expressions.

    Values of a transaction's updates and checks that nest too deep are found when they are used.
    """
    check_keys(request, "ExpressionAttributeNames", NAME_PLACEHOLDER)
    for token, name in (request.get("ExpressionAttributeNames") or {}).items():
        if not name:
            raise ValidationError(
                "ExpressionAttributeNames contains invalid value: Empty attribute name for key "
                f"{token}"
            )
        check_name(name)
    check_keys(request, "ExpressionAttributeValues", VALUE_PLACEHOLDER)
    for token, value in (request.get("ExpressionAttributeValues") or {}).items():
        try:
            check_value(value, older=operation in OLDER)
        except ValidationError as error:
            if operation not in OLDER:
                raise
            if operation in ("Update", "ConditionCheck") and str(error) == NESTING:
                continue
            raise ValidationError(
                f"ExpressionAttributeValues contains invalid value: {error} for key {token}"
            ) from None
    for name in COMPANIES[operation].expressions:
        text = request.get(name)
        if text is not None:
            check_expression_size(name, text, operation in OLDER)


def placeholders_of(request: Request) -> tuple[Any, Any]:
    """Return the names and values of a request's expressions, each None when it is not given.

    Raises ValidationError for one that is given and empty, which nothing below would mind.
    """
    names = request.get("ExpressionAttributeNames")
    values = request.get("ExpressionAttributeValues")
    if (not names and names is not None) or (not values and values is not None):
        check_keys(request, "ExpressionAttributeNames", NAME_PLACEHOLDER)
        check_keys(request, "ExpressionAttributeValues", VALUE_PLACEHOLDER)
    return names, values


def check_keys(request: Request, member: str, form: Any) -> None:
    """Check that placeholders are there and have the form of placeholders."""
    given = request.get(member)
    if given is None:
        return
    if not given:
        raise ValidationError(f"{member} must not be empty")
    for token in given:
        size = len(token.encode("utf-8", "surrogatepass"))
        if size > PLACEHOLDER_BYTES_MAX:
            told = f" size of key: {size}" if member == "ExpressionAttributeNames" else ""
            raise ValidationError(
                f"{member} contains invalid key: The expression attribute map contains a key that "
                f"is too long;{told}"
            )
        if not form(token):
            raise ValidationError(
                f'{member} contains invalid key: Syntax error; key: "{token}"'
            )


def check_expression_size(name: str, text: str, older: bool) -> None:
    """Refuse an expression of nothing, or of more than 4 KB; the older layer tells the size."""
    if not text:
        raise ValidationError(f"Invalid {name}: The expression can not be empty;")
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > EXPRESSION_BYTES_MAX:
        words = f"Invalid {name}: Expression size has exceeded the maximum allowed size;"
        if older and name in ("FilterExpression", "ConditionExpression"):
            words += f" expression size: {size}"
        raise ValidationError(words)


# ---- what is returned ----------------------------------------------------------------------------


def check_return_values(operation: str, request: Request) -> None:
    """Refuse what the operation cannot return."""
    asked = request.get("ReturnValues")
    if operation != "UpdateItem" and asked not in (None, "NONE", "ALL_OLD"):
        raise ValidationError("ReturnValues can only be ALL_OLD or NONE")


def check_attributes_to_get(request: Request) -> None:
    """Refuse an attribute that is asked for twice."""
    seen: set[str] = set()
    for name in request.get("AttributesToGet") or ():
        if name in seen:
            raise invalid_parameter(f"Duplicate value in attribute name: {name}")
        seen.add(name)
