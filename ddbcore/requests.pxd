"""Requests that are plain: from DynamoDB's own form to the engine at once.

Called from Python only: plain_actions and plain_reads for transactions, plain_write for single
writes.
"""
