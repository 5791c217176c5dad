"""Verification and salvage of a database directory. Neither writes to it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from ddbcore.errors import CorruptError, Error, ValidationError
from ddbcore.verify import Inspector
from hashrange.database import Database


@dataclass
class VerifyReport:
    """What verify found.

    ok: nothing is wrong. errors: what is, in words. checked: counts of what was looked at.
    """

    path: str
    ok: bool = True
    errors: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=dict)


@dataclass
class SalvageReport:
    """What salvage saved. tables: items by table. errors: what was lost, in words."""

    tables: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def verify(path: str | os.PathLike[str]) -> VerifyReport:
    """Walk everything stored in a database directory and check it; never writes.

    Checksums of superblock, manifest, index and log; order and counts of the index; the form of
    every record. A database that a writer has open can be verified too. Raises StorageError when
    there is no database.
    """
    try:
        database = Database(os.fspath(path), mode="r", cache_bytes=0)
    except CorruptError as error:
        return VerifyReport(os.fspath(path), False, [str(error)])
    with database:
        return inspect(database)


def inspect(database: Database) -> VerifyReport:
    """Check everything in an open database, as verify does."""
    report = VerifyReport(str(database.engine.path))
    try:
        report.checked["frames"] = database.stats()["recovered_frames"]
    except CorruptError as error:
        report.errors.append(str(error))
    # The last call that follows a writer: what is inspected from here on stays as it is.
    names = database.tables()
    inspector = Inspector(database)
    report.checked["units"] = inspector.units()
    report.checked["blocks"] = inspector.blocks()
    report.checked["items"] = sum(verify_table(inspector, name) for name in names)
    report.checked["tables"] = len(names)
    # Hidden tables: the entries of indexes, and tokens.
    for name in sorted(set(database.engine.names) - set(names)):
        verify_table(inspector, name)
    report.errors += inspector.errors
    report.ok = not report.errors
    return report


def verify_table(inspector: Inspector, name: str) -> int:
    """Check one table's index and records; return the number of items."""
    items: int = inspector.structure(name)
    for address in inspector.addresses_of(name):
        if not inspector.check(name, address):
            inspector.note(f"table {name}: the record at address {address:#x} is damaged")
    return items


def salvage(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> SalvageReport:
    """Copy everything that is whole from a damaged database into a new one.

    target: a directory that holds no database. Raises ValidationError when it does, CorruptError
    when the superblock or the manifest of the source is lost.
    """
    if os.path.exists(os.path.join(target, "superblock")):
        raise ValidationError(
            f"{os.fspath(target)} holds a database already; salvage into a new directory"
        )
    report = SalvageReport()
    with (
        Database(os.fspath(source), mode="r", cache_bytes=0, salvage=True) as damaged,
        Database(os.fspath(target), durability="none") as saved,
    ):
        inspector = Inspector(damaged)
        for name in damaged.tables():
            report.tables[name] = salvage_table(inspector, damaged, saved, name)
        saved.sync()
        report.errors = inspector.errors
    return report


def salvage_table(inspector: Inspector, damaged: Database, saved: Database, name: str) -> int:
    """Copy one table's whole items, and make its indexes anew; return their number."""
    saved.engine.change_tables(damaged.engine.definitions(name), {}, [])
    new = saved.table(name)
    with new.batch() as batch:
        for address in inspector.addresses_of(name):
            try:
                batch.put(inspector.item(name, address))
            except Error as error:
                inspector.note(str(error))
    return new.count()
