"""The keywords of PartiQL's grammar: words that are no identifiers unless they stand in quotes.

They are SQL-92's keywords and PartiQL's own. DynamoDB's expression language has another list
(`hashrange.expr.reserved`): `status` and `name` are free here, `value`, `size` and `list` are not.
Case does not matter.

Source: the lexical tables of PartiQL's reference implementation, whose error texts the service
shows word for word.
"""

from __future__ import annotations

_WORDS = """
    absolute action add all allocate alter and any are as asc assertion at authorization avg begin
    between bit bit_length by cascade cascaded case cast catalog char char_length character
    character_length check close coalesce collate collation column commit connect connection
    constraint constraints continue convert corresponding count create cross current current_date
    current_time current_timestamp current_user cursor date date_add date_diff deallocate dec
    decimal declare default deferrable deferred delete desc describe descriptor diagnostics
    disconnect distinct domain double drop else end escape except exception exec execute exists
    external extract false fetch first float for foreign found from full get global go goto grant
    group having identity immediate in indicator initially inner input insensitive insert int
    integer intersect interval into is isolation join key language last left level like local lower
    match max min module names national natural nchar next no not null nullif numeric octet_length
    of on only open option or order outer output overlaps pad partial position precision prepare
    preserve primary prior privileges procedure public read real references relative restrict
    revoke right rollback rows schema scroll section select session session_user set size smallint
    some space sql sqlcode sqlerror sqlstate substring sum system_user table temporary then time
    timestamp to transaction translate translation trim true union unique unknown update upper
    usage user using value values varchar varying view when whenever where with work write zone

    bag bigint blob bool boolean can_cast can_lossless_cast clob conflict do index int2 int4 int8
    integer2 integer4 integer8 let limit list missing modified new nothing offset old pivot remove
    returning sexp string struct symbol tuple unpivot
"""
KEYWORDS = frozenset(_WORDS.split())

# Keywords that are functions when a parenthesis follows.
_FUNCTIONS = """
    exists count avg max min sum substring char_length character_length octet_length bit_length
    upper lower size sexp list bag
"""
FUNCTION_KEYWORDS = frozenset(_FUNCTIONS.split())
