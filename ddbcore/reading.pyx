"""Tables with cursors: query and scan as hot calls.

Theory of operation
    The plain forms, a hash key with bounds and a whole table, enter C at once and come back as a
    cursor. Everything that has to do with the language (filters, projections, key conditions) is
    passed on to `_search`, which hashrange.Table has, and the plain query of an index to
    `_search_index`.

Threads
    Any, under the GIL.
"""

from ddbcore.cursor cimport Query, Scan
from ddbcore.pyapi cimport PyObject, hr_is_exact_text

PLAIN_TYPES = frozenset((int, bytes))


cdef class ReadTable(CoreTable):
    """A table that is read by cursors too."""

    def query(self, hash=None, *, key=None, between=None, ge=None, gt=None, le=None, lt=None,
              eq=None, begins_with=None, reverse=False, limit=None, after=None, filter=None,
              project=None, names=None, values=None, index=None):
        """Return a lazy iterator over one item collection, in sort key order.

        hash: the hash key's value. At most one of: eq=, between=(lower, upper) (both included),
        begins_with= (types S and B), or one of ge=/gt= with one of le=/lt=. In their place, all
        in one: a key condition, as object (hash) or as expression (key=). reverse=True walks
        downwards. limit= bounds the number of items returned. after= goes on behind a range key,
        given as value, (hash, range) pair or item.

        filter: what an item must pass to be returned; it may not name key attributes. project:
        what is returned of it, an expression or a list of attribute names. names, values: of all
        expressions together. index: walk this index, of whose key the hash and the bounds are
        then; where it has several attributes they are tuples; after= is a last_key or an item.

        The iterator sees changes ahead of it, holds addresses only, and its last_key resumes it.
        Raises ValidationError.
        """
        if ((hr_is_exact_text(<PyObject*>hash) or type(hash) in PLAIN_TYPES) and filter is None
                and project is None and index is None and key is None and names is None
                and values is None):
            return Query(self, hash, between, ge, gt, le, lt, eq, begins_with, reverse, limit,
                         after)
        if (index is not None and filter is None and project is None and key is None
                and names is None and values is None
                and (hr_is_exact_text(<PyObject*>hash) or type(hash) in PLAIN_TYPES)):
            bounds = None
            if not (between is None and ge is None and gt is None and le is None and lt is None
                    and eq is None and begins_with is None):
                bounds = {"between": between, "ge": ge, "gt": gt, "le": le, "lt": lt, "eq": eq,
                          "begins_with": begins_with}
            return self._search_index(hash, index, bounds, reverse, limit, after)
        return self._search("query", hash=hash, key=key, bounds={
            "between": between, "ge": ge, "gt": gt, "le": le, "lt": lt, "eq": eq,
            "begins_with": begins_with,
        }, reverse=reverse, limit=limit, after=after, filter=filter, project=project, names=names,
            values=values, index=index)

    def scan(self, *, segment=None, total_segments=None, limit=None, after=None, filter=None,
             project=None, names=None, values=None, index=None):
        """Return a lazy iterator over all items, in hash order.

        segment=, total_segments=: only that part of 1 to 1,000,000, for parallel scans. limit=
        bounds the number of items returned. after= goes on behind a key, given as hash value or
        (hash, range) pair or item; it stays valid across growth, compaction and restarts.

        filter, project, names, values, index: as in query; a filter may name any attribute. It is
        decided without the GIL: threads that scan a segment each run at the same time. Without
        limit=, a long scan of which little passes stops for a pass through the files on its way,
        and is done several times sooner. Raises ValidationError.
        """
        if (filter is None and project is None and index is None and names is None
                and values is None):
            return Scan(self, segment=segment, total_segments=total_segments, limit=limit,
                        after=after)
        return self._search("scan", segment=segment, total_segments=total_segments, limit=limit,
                            after=after, filter=filter, project=project, names=names,
                            values=values, index=index)
