"""Events: what boto3's `client.meta.events` offers, for the events that happen here too.

Theory of operation. A handler is registered for a name of parts between dots. It is called for each
event whose first parts are those; a part `*` stands for any one. Of several, those of the longest
names come first, those with `*` before those without, and handlers of one name in their order:
register_first's, register's, register_last's. A name with a first part that no event of ours has is
refused: a handler that is never called is a mistake that shows late, and whoever needs to see what
goes over the network needs a client that uses it (`hashrange.attach`).

Handlers are called by keyword, and more may come: each must take **kwargs, and is refused without.

Threads: any may register and emit; an event is given to those who were there when it began.

Source: botocore's documentation, "Extensibility guide" and "Events".
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ddbcore.errors import ValidationError

__all__ = ["STAGES", "Events"]

Handler = Callable[..., Any]
Responses = list[tuple[Handler, Any]]

# The events of a call, in their order. Arguments: params, model, context; the last one's are
# http_response, parsed, model, context.
PROVIDE, BUILD, AFTER = "provide-client-params", "before-parameter-build", "after-call"
STAGES = (PROVIDE, BUILD, AFTER)
FIRST, MIDDLE, LAST = range(3)


class Registration(NamedTuple):
    """A handler under a name."""

    parts: tuple[str, ...]
    section: int
    handler: Handler


class Events:
    """Registers handlers and tells them of events. Made by a client: `client.meta.events`."""

    def __init__(self) -> None:
        self.registered: tuple[Registration, ...] = ()  # replaced, never changed
        self._unique: dict[Any, tuple[Registration, int | None]] = {}
        self._lock = threading.RLock()

    def register(
        self,
        event_name: str,
        handler: Handler,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Have a handler called for events of a name, such as "before-parameter-build.dynamodb".

        unique_id: once registered under it, further calls with it change nothing, but that with
        unique_id_uses_count unregister must be called as often. Raises ValueError for what is no
        handler, ValidationError (which is one) for events that do not happen here.
        """
        self._add(event_name, handler, MIDDLE, unique_id, unique_id_uses_count)

    def register_first(
        self,
        event_name: str,
        handler: Handler,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Register a handler that is called before the others of its name."""
        self._add(event_name, handler, FIRST, unique_id, unique_id_uses_count)

    def register_last(
        self,
        event_name: str,
        handler: Handler,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Register a handler that is called after the others of its name."""
        self._add(event_name, handler, LAST, unique_id, unique_id_uses_count)

    def unregister(
        self,
        event_name: str,
        handler: Handler | None = None,
        unique_id: Any = None,
        unique_id_uses_count: bool = False,
    ) -> None:
        """Undo a registration; nothing happens when there is none. Raises ValueError."""
        with self._lock:
            if unique_id is None:
                self._remove(parts_of(event_name), handler)
                return
            found, count = self._unique.get(unique_id, (None, None))
            if found is None:
                return
            check_counting(unique_id, count, unique_id_uses_count)
            if count is not None and count > 1:
                self._unique[unique_id] = found, count - 1
                return
            del self._unique[unique_id]
            self._remove(parts_of(event_name), found.handler)

    def emit(self, event_name: str, **kwargs: Any) -> Responses:
        """Call the handlers of an event; return each with what it returned."""
        return [
            (handler, handler(event_name=event_name, **kwargs))
            for handler in self._handlers(event_name)
        ]

    def emit_until_response(self, event_name: str, **kwargs: Any) -> tuple[Handler | None, Any]:
        """Call handlers until one returns something; return it and that, or (None, None)."""
        for handler in self._handlers(event_name):
            response = handler(event_name=event_name, **kwargs)
            if response is not None:
                return handler, response
        return None, None

    def _add(
        self, event_name: str, handler: Handler, section: int, unique_id: Any, counts: bool
    ) -> None:
        check_handler(handler)
        parts = parts_of(event_name)
        if parts[0] not in (*STAGES, "*"):
            raise ValidationError(
                f"no event {event_name!r:.200} happens in a hashrange client, which sends nothing: "
                f"{', '.join(STAGES)} do. For the others have boto3's client served: "
                "hashrange.attach(client, db)"
            )
        made = Registration(parts, section, handler)
        with self._lock:
            if unique_id is not None:
                found, count = self._unique.get(unique_id, (None, None))
                if found is not None:
                    check_counting(unique_id, count, counts)
                    if count is not None:
                        self._unique[unique_id] = found, count + 1
                    return
                self._unique[unique_id] = made, 1 if counts else None
            self.registered = (*self.registered, made)

    def _remove(self, parts: tuple[str, ...], handler: Handler | None) -> None:
        # The first of its name, in the order of calls.
        found = [each for each in self.registered if each[0] == parts and each[2] == handler]
        if found:
            gone = min(found, key=lambda each: each.section)
            place = self.registered.index(gone)
            self.registered = self.registered[:place] + self.registered[place + 1 :]

    def _handlers(self, event_name: str) -> list[Handler]:
        parts = event_name.split(".")
        found = []
        for place, each in enumerate(self.registered):
            path = matched(each.parts, parts)
            if path is not None:
                found.append((tuple([-bit for bit in path]), each.section, place, each.handler))
        # Longer names first, then those with "*" at the first part in which two differ.
        found.sort(key=lambda one: (Backwards(one[0]), one[1], one[2]))
        return [handler for *_, handler in found]


class Backwards(tuple[int, ...]):
    """A tuple that comes before its own beginnings."""

    def __lt__(self, other: tuple[int, ...]) -> bool:
        same = min(len(self), len(other))
        if self[:same] == other[:same]:
            return len(self) > len(other)
        return self[:same] < other[:same]


def matched(pattern: tuple[str, ...], parts: list[str]) -> tuple[int, ...] | None:
    """Return of each part whether it is "*", or None when a name does not match an event's."""
    if len(pattern) > len(parts):
        return None
    for wanted, part in zip(pattern, parts, strict=False):
        if wanted not in (part, "*"):
            return None
    return tuple([int(wanted == "*") for wanted in pattern])


def parts_of(event_name: str) -> tuple[str, ...]:
    """Return the parts of a name."""
    if not isinstance(event_name, str) or not event_name:
        raise ValidationError(f"the name of an event is a str, not {event_name!r:.100}")
    return tuple(event_name.split("."))


def check_handler(handler: object) -> None:
    """Refuse what cannot be called with keyword arguments that are not known yet."""
    if not callable(handler):
        raise ValueError(f"Event handler {handler} must be callable.")
    try:
        signature = inspect.signature(handler)
    except (TypeError, ValueError):  # some builtins have none
        return
    kinds = {parameter.kind for parameter in signature.parameters.values()}
    if inspect.Parameter.VAR_KEYWORD not in kinds:
        raise ValueError(f"Event handler {handler} must accept keyword arguments (**kwargs)")


def check_counting(unique_id: Any, count: int | None, counts: bool) -> None:
    """Refuse that a unique id is counted at one time and not at another. Raises ValueError."""
    if counts != (count is not None):
        first = "without" if counts else "with"
        raise ValueError(
            f"Initial registration of unique id {unique_id!r} was made {first} a counter: the "
            "other calls with it must be, too"
        )
