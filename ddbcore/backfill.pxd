"""Backfill: the entries of an index that was added to a table with items."""
