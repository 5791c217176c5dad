"""Work in forked children: a crash is then an observation, not the end of the tests."""

from __future__ import annotations

import faulthandler
import gc
import mmap
import os
import pickle
import signal
import struct
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Any

HANG_S = 120                  # without a word from the child


class ChildDied(AssertionError):
    """The child ended without an answer: by a signal, or with an exit status."""


def in_child(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run `work` in a forked child; return what it returns. Raises ChildDied or what it raised."""
    return in_child_with_progress(lambda note: work(*arguments))


def in_child_with_progress(work: Callable[[Callable[[int], None]], Any]) -> Any:
    """Run work(note); note(n) leaves a number behind that is told when the child dies."""
    progress = mmap.mmap(-1, 8)
    reader, writer = os.pipe()
    gc.freeze()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        # What hangs says where, then ends.
        faulthandler.register(signal.SIGALRM, sys.__stderr__, chain=True)
        signal.alarm(HANG_S)
        os._exit(answer(work, progress, writer))
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        raw = pipe.read()
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    at = struct.unpack("<q", progress[:8])[0]
    if status != 0:
        how = "hangs" if status == -signal.SIGALRM else f"ended with status {status}"
        raise ChildDied(f"the child {how} at {at}")
    kind, value = pickle.loads(raw)
    if kind == "error":
        raise AssertionError(f"at {at}: {value}")
    return value


def answer(work: Callable[[Callable[[int], None]], Any], progress: mmap.mmap, pipe: int) -> int:
    def note(at: int) -> None:
        struct.pack_into("<q", progress, 0, at)
        signal.alarm(HANG_S)

    try:
        raw = pickle.dumps(("value", work(note)))
    except BaseException:
        raw = pickle.dumps(("error", traceback.format_exc()))
    try:
        with os.fdopen(pipe, "wb") as file:
            file.write(raw)
    except BaseException:
        return 1
    return 0


def batches(items: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [items[start : start + size] for start in range(0, len(items), size)]
