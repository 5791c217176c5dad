"""PyDynamoDB, the DB API over PartiQL: DDL, INSERT, SELECT with pages, UPDATE, DELETE, a refusal.

Run as: python pydynamodb_story.py URL. Credentials and region come from the environment.
"""

import sys

from pydynamodb import connect

connection = connect(region_name="eu-west-1", endpoint_url=sys.argv[1])
cursor = connection.cursor()
cursor.execute("""
    CREATE TABLE Issues (
        IssueId numeric PARTITION KEY,
        Title string SORT KEY,
        CreateDate string,
        INDEX CreateDateIndex GLOBAL (
            CreateDate PARTITION KEY, IssueId SORT KEY
        ) Projection.ProjectionType=ALL
    )
    BillingMode PAY_PER_REQUEST
""")
cursor.execute("LIST TABLES")
assert "Issues" in cursor.fetchall()
for number in range(30):
    cursor.execute(
        "INSERT INTO Issues VALUE {'IssueId': ?, 'Title': ?, 'CreateDate': ?, 'Open': ?}",
        [number, f"title {number}", "2026-11-25", True],
    )
cursor.execute("SELECT IssueId, Title FROM Issues WHERE IssueId = ?", [7])
assert cursor.fetchall() == [(7, "title 7")]
cursor.execute("SELECT * FROM Issues")
assert len(cursor.fetchall()) == 30
cursor.execute(
    'SELECT IssueId FROM "Issues"."CreateDateIndex" WHERE CreateDate = ? AND IssueId > ?',
    ["2026-11-25", 26],
)
assert sorted(row[0] for row in cursor.fetchall()) == [27, 28, 29]
cursor.execute("UPDATE Issues SET Note = ? WHERE IssueId = ? AND Title = ?",
               ["done", 7, "title 7"])
cursor.execute("SELECT Note FROM Issues WHERE IssueId = ? AND Title = ?", [7, "title 7"])
assert cursor.fetchone() == ("done",)
cursor.execute("DELETE FROM Issues WHERE IssueId = ? AND Title = ?", [7, "title 7"])
cursor.execute("SELECT * FROM Issues WHERE IssueId = ?", [7])
assert cursor.fetchall() == []
try:
    cursor.execute("SELECT * FROM Nothing WHERE IssueId = 1")
    cursor.fetchall()
except Exception as error:  # the package raises its own for everything
    assert "not found" in str(error), error
else:
    raise AssertionError("a table that is not there was read")
cursor.execute("DROP TABLE Issues")
print("pydynamodb: all is well")
