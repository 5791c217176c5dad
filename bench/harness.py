"""Timing: rounds interleaved among the peers, medians and spreads, the machine.

*Theory of operation*: a case gives one function per peer, which runs one round and returns
nanoseconds per operation. `interleave` runs round 1 of every peer, then round 2 of every peer, ...,
each round starting with another peer, so that a slow moment of the machine meets all of them. Round
0 is the warm-up and is thrown away. The garbage collector is left on, and run before each round;
what was built before is frozen, so that a peer does not pay for the bench's own lists.
"""

import gc
import os
import platform
import statistics
import sys
import time
from pathlib import Path

ROUND_SECONDS = 0.25  # a timed loop lasts at least 0.2 s; the rest is for calibration error
CALIBRATION_SHARE = 0.1  # of a round, spent on finding out how many calls fill it


class Failed(Exception):
    """A peer gave a wrong answer, or a case cannot run; the text says which."""


def time_loop(call, arguments: list, passes: int = 1) -> float:
    """Return nanoseconds per call of `call(argument)` in a plain for loop."""
    clock = time.perf_counter_ns
    start = clock()
    for _ in range(passes):
        for argument in arguments:
            call(argument)
    return (clock() - start) / (len(arguments) * passes)


class Loop:
    """Rounds of one call over precomputed arguments, each long enough to time and starting where
    the last one ended."""

    def __init__(self, call, arguments: list, seconds: float = ROUND_SECONDS) -> None:
        self._call, self._arguments, self._position = call, arguments, 0
        count, spent_ns = 1, 0.0
        while spent_ns < seconds * CALIBRATION_SHARE * 1e9 and count < len(arguments):
            count *= 2
            part = arguments[:count]
            spent_ns = time_loop(call, part) * len(part)
        self._count = max(1, int(seconds * 1e9 * min(count, len(arguments)) / max(spent_ns, 1.0)))

    def __call__(self) -> float:
        total = len(self._arguments)
        if self._count >= total:
            return time_loop(self._call, self._arguments, -(-self._count // total))
        start = self._position
        self._position = (start + self._count) % total
        part = (self._arguments[start:] + self._arguments[:start])[: self._count]
        return time_loop(self._call, part)


class Stopwatch:
    """Time a consumer of chunks without the making of the chunks: `load(watch.chunks(...))`,
    then `watch.seconds`."""

    def __init__(self) -> None:
        self.making_ns = 0
        self._start = time.perf_counter_ns()
        self.count = 0

    def chunks(self, source):
        """Yield the chunks of `source`, counting the time that it takes to make them, and to free
        them, apart."""
        clock = time.perf_counter_ns
        before = clock()
        held = None
        for chunk in source:
            self.count += len(chunk)
            self.making_ns += clock() - before
            yield chunk
            before = clock()
            # The consumer has let go of the chunk before this one by now: it is freed here.
            held = chunk
        del held
        self.making_ns += clock() - before

    def stop(self) -> float:
        """Return nanoseconds per item since the start, the making of chunks left out."""
        return (time.perf_counter_ns() - self._start - self.making_ns) / max(1, self.count)


def interleave(runs: dict, rounds: int, warm_up: bool = True) -> dict[str, dict]:
    """Run every peer's function `rounds` times, interleaved; return {peer: figure}.

    A figure is {"median", "low", "high", "rounds"} in the unit of the functions, or {"error"} where
    one raised.
    """
    names = list(runs)
    taken: dict[str, list[float]] = {name: [] for name in names}
    errors: dict[str, str] = {}
    gc.collect()
    gc.freeze()
    for round_index in range(-1 if warm_up else 0, rounds):
        shift = (round_index + 1) % len(names) if names else 0
        for name in names[shift:] + names[:shift]:
            if name in errors:
                continue
            gc.collect()
            try:
                value = runs[name]()
            except Exception as error:  # a peer that cannot do a case loses the case, not the run
                errors[name] = f"{type(error).__name__}: {error}"
                print(f"    {name}: {errors[name]}", file=sys.stderr)
                continue
            if round_index >= 0:
                taken[name].append(value)
    gc.unfreeze()
    return {
        name: {"error": errors[name]} if name in errors else figure(taken[name]) for name in names
    }


def figure(values: list[float]) -> dict:
    """Return the summary of some measurements."""
    return {
        "median": statistics.median(values),
        "low": min(values),
        "high": max(values),
        "rounds": values,
    }


def percentile(ordered, share: float) -> float:
    """Return the value below which `share` of a sorted sequence lies."""
    return float(ordered[min(len(ordered) - 1, int(len(ordered) * share))])


def _line_of(path: str, start: str) -> str:
    try:
        for line in Path(path).read_text().splitlines():
            if line.startswith(start):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return "unknown"


def _file_system(directory: str) -> str:
    """Return "type on device" of the longest mount point above `directory`."""
    best, answer = "", "unknown"
    target = os.path.realpath(directory)
    try:
        mounts = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return answer
    for line in mounts:
        device, point, kind = line.split()[:3]
        inside = target == point or target.startswith(point.rstrip("/") + "/")
        if inside and len(point) >= len(best):
            best, answer = point, f"{kind} on {device}"
    return answer


def _commit(root: Path) -> str:
    """Return the commit that .git/HEAD names, read from the files; "unknown" outside a clone."""
    try:
        head = (root / ".git" / "HEAD").read_text().strip()
        if not head.startswith("ref: "):
            return head
        name = head[5:]
        loose = root / ".git" / name
        if loose.exists():
            return loose.read_text().strip()
        for line in (root / ".git" / "packed-refs").read_text().splitlines():
            if line.endswith(" " + name):
                return line.split()[0]
    except OSError:
        pass
    return "unknown"


def machine(directory: str) -> dict[str, str]:
    """Return what a reader needs to judge the figures."""
    memory_kib = _line_of("/proc/meminfo", "MemTotal").split()[0]
    return {
        "cpu": _line_of("/proc/cpuinfo", "model name"),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory_kib) / (1 << 20):.1f} GiB" if memory_kib.isdigit() else "unknown",
        "kernel": f"{platform.system()} {platform.release()}",
        "file system": _file_system(directory),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load at start": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "date": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "commit": _commit(Path(__file__).resolve().parent.parent),
    }
