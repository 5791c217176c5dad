"""Transactions of the native API: writes of several items in one commit, reads of one moment.

Theory of operation
    An action is made ready by the call that adds it: its table found, its expressions compiled, its
    item or key encoded into the transaction's own buffer, behind those of the others. So what is
    wrong with it is said there, and two actions on one item are found there too, by the hashes of
    their keys. The end of the block hands all of them to `ddbcore.writes`, which decides and
    commits.

    hashrange.Transaction inherits from CoreTransaction: a user's call enters C at once. It brings
    what asks for the language, the operations or their words: _condition_arguments, _text, _once,
    _cancel. Its database brings `_named`, a dict in which tables are kept by their names.

Invariants
    1. No two actions are of one item.
    2. The buffer holds the records of all actions and nothing else, but while `busy`.

Threads
    A transaction is for one thread at a time, with the GIL. Encoding may run Python code; `busy`
    says so, and other calls are refused meanwhile.
"""

from libc.stdint cimport uint64_t

from ddbcore.buffer cimport buffer_free, buffer_reserve
from ddbcore.engine cimport durability_parse, program_of
from ddbcore.writes cimport (
    ACTION_CHECK,
    ACTION_DELETE,
    ACTION_PUT,
    ACTION_UPDATE,
    SHOW_FAILED,
    Action,
    action_meets,
    actions_commit,
)

from ddbcore.errors import ValidationError

cdef enum:
    ACTION_COUNT_MAX = 100                # of one transaction, writes or reads (DynamoDB's bound)
    TOKEN_LENGTH_MAX = 36                 # characters
    NAMED_COUNT_MAX = 1024                # tables kept by their names
    BUFFER_BYTES = 2048                   # of a new transaction: four usual items

ACTIONS_MAX = ACTION_COUNT_MAX

# The engine of a transaction that has none yet: it refuses all calls.
cdef Engine NO_ENGINE = Engine.__new__(Engine)
NO_ENGINE.refuse("this transaction is of no database: its __init__ has not run")


cdef class CoreTransaction:
    """Puts, updates, deletes and checks that are committed together. Made by Database.transact."""

    def __cinit__(self):
        self.engine = NO_ENGINE
        self.actions = []
        self.done = True

    def __init__(self, database, token=None, durability=None):
        cdef Engine engine = database.engine
        if token is not None and not (type(token) is str and 1 <= len(token) <= TOKEN_LENGTH_MAX):
            raise ValidationError(f"token= is a str of 1 to {TOKEN_LENGTH_MAX} characters")
        if self.busy:
            raise ValidationError("the transaction is encoding an item")
        self.durability = (engine.durability if durability is None
                           else durability_parse(durability))
        self.engine = engine
        self.database = database
        self.token = token
        self.texts = None if token is None else []
        self.actions = []
        self.encoded.size = 0
        self.done = False

    def __dealloc__(self):
        buffer_free(&self.encoded)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            self.commit()
        self.done = True
        return False

    @property
    def count(self):
        """Number of actions so far."""
        return len(self.actions)

    def put(self, table, item, *, condition=None, names=None, values=None):
        """Add a put of an item, in place of the one with its key.

        table: a Table or its name; the rest as in Table.put. The item is taken as it is now. Raises
        ValidationError, ItemTooLarge, TableNotFound, ReadOnlyError; nothing was added then.
        """
        self.add(table, ACTION_PUT, item, None, None, None, condition, names, values)

    def update(self, table, hash, *args, condition=None, names=None, values=None):
        """Add an update: update(table, hash, [range,] expression, ...), as Table.update.

        What is inside of lists and maps among the values is read when the block ends. Raises
        ValidationError, TableNotFound, ReadOnlyError; nothing was added then.
        """
        cdef object range = None
        cdef object expression
        if len(args) == 1:
            expression = args[0]
        elif len(args) == 2:
            range, expression = args
        else:
            raise TypeError("update() takes a table, the key's values and one update expression")
        if not isinstance(expression, str):
            raise ValidationError(f"an update expression is a str, not {expression!r:.100}")
        self.add(table, ACTION_UPDATE, None, hash, range, expression, condition, names, values)

    def delete(self, table, hash, range=None, *, condition=None, names=None, values=None):
        """Add a delete of a key; it does nothing when there is no such item.

        Arguments and errors as in update.
        """
        self.add(table, ACTION_DELETE, None, hash, range, None, condition, names, values)

    def check(self, table, hash, range=None, *, condition, names=None, values=None):
        """Add a condition that an item without other actions must meet (or its absence).

        Arguments and errors as in update.
        """
        if condition is None:
            raise ValidationError("a check needs a condition")
        self.add(table, ACTION_CHECK, None, hash, range, None, condition, names, values)

    def commit(self):
        """Write everything, or nothing. The end of the block does it.

        Raises TransactionCanceled with `reasons`, one for each action; IdempotentParameterMismatch
        for a token that was used for other actions; DiskFull, PoisonedError.
        """
        if self.token is None:
            self.carry_out(None)
        else:
            self._once(self.texts)

    def write(self, finish):
        """Commit, with what `finish` makes of the outcomes; see ddbcore.writes.write_all."""
        self.carry_out(finish)

    cdef list carry_out(self, object finish):
        cdef list outcomes
        if self.busy:
            raise ValidationError("the transaction is encoding an item")
        if self.done:
            raise ValidationError("the transaction is over")
        self.done = True
        if not self.actions:
            return []
        outcomes = actions_commit(self.engine, self.actions, {}, &self.encoded, finish,
                                  self.durability)
        for outcome in outcomes:
            if type(outcome) is not tuple:
                self._cancel(outcomes)
        return outcomes

    cdef CoreTable table(self, object table):
        """The table that was given by itself or by its name."""
        cdef CoreTable found
        if isinstance(table, CoreTable):
            found = <CoreTable>table
            if found.engine is not self.engine:
                raise ValidationError("all tables of a transaction are of one database")
            return found
        if not isinstance(table, str):
            raise ValidationError(f"a table is a Table or its name, not {table!r:.100}")
        return self.named(table)

    cdef CoreTable named(self, str name):
        """The table of a name, kept by the database from one transaction to the next."""
        cdef dict known = self.database._named
        cdef CoreTable found = known.get(name)
        if found is None or found.space.dropped or self.engine.following:
            self.database.tables()
            found = CoreTable(self.engine, name)
            if len(known) >= NAMED_COUNT_MAX:
                known.clear()
            known[name] = found
        return found

    cdef int add(self, object table, int kind, object item, object hash, object range,
                 object update, object condition, object names, object values) except -1:
        """Add an action, or raise why it cannot be carried out."""
        cdef size_t start = self.encoded.size
        if self.busy:
            raise ValidationError("the transaction is encoding another item")
        if self.done:
            raise ValidationError("the transaction is over")
        if len(self.actions) >= ACTION_COUNT_MAX:
            raise ValidationError(f"a transaction has at most {ACTION_COUNT_MAX} actions")
        self.busy = True
        try:
            self.add_encoded(self.table(table), kind, item, hash, range, update, condition, names,
                             values)
        except BaseException:
            self.encoded.size = start
            raise
        finally:
            self.busy = False
        return 0

    cdef int add_encoded(self, CoreTable table, int kind, object item, object hash, object range,
                         object update, object condition, object names, object values) except -1:
        cdef Action action = Action.__new__(Action)
        if condition is not None and type(condition) is not str:
            condition, names, values = self._condition_arguments(condition, names, values)
        table.enter_write()
        action.table = table
        action.kind = kind
        action.native = True
        action.wants = SHOW_FAILED
        if update is not None or condition is not None:
            action.program = program_of(self.engine, update, condition)
            # The caller may use them again, with other values.
            action.names = (<dict>names).copy() if type(names) is dict else names
            action.values = (<dict>values).copy() if type(values) is dict else values
        if self.encoded.capacity == 0 and buffer_reserve(&self.encoded, BUFFER_BYTES) != 0:
            raise MemoryError()
        action.item = item if kind == ACTION_PUT else (hash, range)
        action.encode(&self.encoded)
        if action_meets(action, self.actions, len(self.actions), self.encoded.data):
            raise ValidationError(
                "Transaction request cannot include multiple operations on one item")
        if self.texts is not None:
            self.texts.append(
                self._text((kind, table.name, action.item, update, condition, names, values)))
        action.item = None
        self.actions.append(action)
        return 0


# ---- reads ---------------------------------------------------------------------------------------


def transact_get(database, keys not None):
    """Return the items of keys at one moment, as plain Python values; None for those absent.

    keys: up to 100 of (table, hash) or (table, hash, range), a table being a CoreTable or a name
    that database.table() takes. Raises ValidationError, TableNotFound.
    """
    cdef Engine engine = database.engine
    cdef CoreTable table
    cdef uint64_t lsn
    cdef list found
    cdef list wanted = []
    cdef dict tables = {}
    cdef object name
    cdef tuple key
    if len(keys) > ACTION_COUNT_MAX:
        raise ValidationError(f"a transaction has at most {ACTION_COUNT_MAX} actions")
    for given in keys:
        if not isinstance(given, (tuple, list)) or not 2 <= len(given) <= 3:
            raise ValidationError(
                f"a key is (table, hash) or (table, hash, range), not {given!r:.100}")
        key = tuple(given)
        name = key[0]
        if isinstance(name, CoreTable):
            table = <CoreTable>name
            if table.engine is not engine:
                raise ValidationError("all tables of a transaction are of one database")
        elif isinstance(name, str):
            table = tables.get(name)
            if table is None:
                table = database.table(name)
                tables[name] = table
        else:
            raise ValidationError(f"a table is a Table or its name, not {name!r:.100}")
        wanted.append((table, key[1], key[2] if len(key) == 3 else None))
    while True:
        # A reader follows the writer here; if it does so in between, all is read again.
        for table, _, _ in wanted:
            table.enter()
        lsn = engine.log.lsn
        found = [table.get(hash, range) for table, hash, range in wanted]
        if lsn == engine.log.lsn:
            return found
