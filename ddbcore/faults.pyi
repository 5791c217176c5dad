"""Types of ddbcore.faults: a disk that fails on order."""

from collections.abc import Callable

from ddbcore.io import Disk

FAULT_OPERATIONS: tuple[str, ...]

class FaultPlan:
    hook: Callable[[str, str | None], object] | None
    @property
    def calls(self) -> dict[str, int]: ...
    def fail(
        self,
        operation: str,
        errno: int,
        *,
        after: int = 0,
        times: int | None = 1,
        name: str | None = None,
    ) -> None: ...
    def clear(self) -> None: ...

class FaultDisk(Disk):
    hook: Callable[[str, str | None], object] | None
    @property
    def faults(self) -> FaultPlan: ...
    @property
    def calls(self) -> dict[str, int]: ...
    def fail(
        self,
        operation: str,
        errno: int,
        *,
        after: int = 0,
        times: int | None = 1,
        name: str | None = None,
    ) -> None: ...
