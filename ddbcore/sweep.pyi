"""Types of ddbcore.sweep: the addresses of a scan, in no order."""

from ddbcore.cursor import Scan

class Sweep:
    def __init__(self, scan: Scan) -> None: ...
