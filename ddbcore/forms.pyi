"""Types of ddbcore.forms: checks of a request's JSON."""

from typing import Any

class Form:
    def __init__(
        self,
        kind: str,
        least: int | None = None,
        most: int | None = None,
        *,
        values: tuple[str, ...] | None = None,
        characters: str | None = None,
        key: Form | None = None,
        element: Form | None = None,
        needed: dict[str, Form] | None = None,
        members: dict[str, Form] | None = None,
    ) -> None: ...
    def accepts(self, value: Any) -> bool: ...
