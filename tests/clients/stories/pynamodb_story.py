"""PynamoDB: a model with an index, conditions, pages, transactions, refusals.

Run as: python pynamodb_story.py URL. Credentials and region come from the environment.
"""

import sys
from datetime import UTC, datetime

from pynamodb.attributes import (
    BooleanAttribute,
    JSONAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, PutError, TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

URL = sys.argv[1]


class ByAuthor(GlobalSecondaryIndex):
    """Threads by author."""

    class Meta:
        """Where it lies."""

        index_name = "by_author"
        projection = AllProjection()

    author = UnicodeAttribute(hash_key=True)
    views = NumberAttribute(range_key=True)


class Place(MapAttribute):
    """A map inside an item."""

    city = UnicodeAttribute()


class Thread(Model):
    """A thread of a forum."""

    class Meta:
        """Where it lies."""

        table_name = "pynamo-threads"
        host = URL
        region = "eu-west-1"
        billing_mode = "PAY_PER_REQUEST"

    forum = UnicodeAttribute(hash_key=True)
    subject = UnicodeAttribute(range_key=True)
    author = UnicodeAttribute()
    views = NumberAttribute(default=0)
    tags = UnicodeSetAttribute(null=True)
    place = Place(null=True)
    notes = ListAttribute(null=True)
    closed = BooleanAttribute(default=False)
    extra = JSONAttribute(null=True)
    at = UTCDateTimeAttribute(null=True)
    version = VersionAttribute()
    by_author = ByAuthor()


Thread.create_table(wait=True)
assert Thread.exists()
now = datetime(2026, 11, 25, tzinfo=UTC)
first = Thread("python", "s000", author="ada", views=7, tags={"a", "b"}, place=Place(city="Ulm"),
               notes=[1, "two"], extra={"k": [1]}, at=now)
first.save()
again = Thread.get("python", "s000", consistent_read=True)
assert (again.views, again.tags, again.place.city, again.at) == (7, {"a", "b"}, "Ulm", now)
assert again.version == 1
with Thread.batch_write() as batch:
    for number in range(1, 60):
        batch.save(Thread("python", f"s{number:03}", author="bob" if number % 3 else "ada",
                          views=number))
assert Thread.count("python") == 60
subjects = [t.subject for t in Thread.query("python", Thread.subject.startswith("s01"))]
assert subjects == [f"s01{n}" for n in range(10)]
many = Thread.query("python", Thread.subject >= "s010", Thread.views.is_in(11, 12, 13), limit=2)
assert [t.views for t in many] == [11, 12]
assert many.last_evaluated_key is not None
top = list(Thread.by_author.query("ada", scan_index_forward=False, limit=2))
assert [t.views for t in top] == [57, 54]
assert sum(1 for _ in Thread.scan(Thread.author == "ada", page_size=10)) == 20
first.update(actions=[Thread.views.add(1), Thread.notes.set(Thread.notes.append(["x"]))],
             condition=Thread.views == 7)
assert first.views == 8
assert first.notes == [1, "two", "x"]
try:
    Thread("python", "s000", author="eve").save(Thread.forum.does_not_exist())
except PutError as error:
    assert error.cause_response_code == "ConditionalCheckFailedException"
else:
    raise AssertionError("saved over an old thread")
stale = Thread.get("python", "s001")
Thread.get("python", "s001").update(actions=[Thread.closed.set(True)])
try:
    stale.save()
except PutError:
    pass
else:
    raise AssertionError("a stale version was saved")
connection = Connection(region="eu-west-1", host=URL)
with TransactWrite(connection=connection) as transaction:
    transaction.save(Thread("rust", "r1", author="ada"))
    transaction.update(Thread.get("python", "s002"), actions=[Thread.views.set(0)])
assert Thread.get("rust", "r1").author == "ada"
try:
    with TransactWrite(connection=connection) as transaction:
        transaction.save(Thread("rust", "r2", author="ada"))
        transaction.condition_check(Thread, "rust", "r9", condition=Thread.forum.exists())
except TransactWriteError as error:
    # It sends checks before writes.
    assert [reason.code if reason else None for reason in error.cancellation_reasons] == [
        "ConditionalCheckFailed", None]
else:
    raise AssertionError("the transaction went through")
assert len(list(Thread.batch_get([("python", f"s{n:03}") for n in range(50)]))) == 50
first.delete()
try:
    Thread.get("python", "s000")
except DoesNotExist:
    pass
else:
    raise AssertionError("it is still there")
Thread.delete_table()
assert not Thread.exists()
print("pynamodb: all is well")
