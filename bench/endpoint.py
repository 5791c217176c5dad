"""The HTTP endpoint under load: requests a second and latencies, beside a server that does nothing.

    python bench/endpoint.py [--seconds 5] [--connections 64] [--rounds 3] [--json FILE]

The load is made by wrk, on one core; the server has another. Measured are GetItem and PutItem of
items of about 220 bytes in 10,000 keys, and Query of ten of them. The peer is uvicorn (httptools,
uvloop) with an application that returns a constant of the size of GetItem's answer and looks at
nothing: what HTTP alone costs in Python. Rounds are interleaved; a figure is the median of the
rounds. "CPU us" is the server process's own time for a request, kernel included: on a machine that
is not quiet it says more than the rate, and "by CPU" compares it. Not measured: TLS, many clients
on other machines, responses larger than a few kilobytes. The scripts for wrk send no signatures,
which a client would have to compute, and we would not read.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

KEYS = 10_000
TARGETS = {"GetItem": 30_000, "PutItem": 20_000}
AIMS = {"GetItem": 70_000, "PutItem": 50_000}
P99_TARGET_MS = 3.0
PEER_RATIO_TARGET = 3.0
LATENCY = re.compile(r"^\s+(50|99)%\s+([\d.]+)(us|ms|s)$", re.M)
SCALE = {"us": 0.001, "ms": 1.0, "s": 1000.0}

SCRIPT = """
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/x-amz-json-1.0"
wrk.headers["X-Amz-Target"] = "DynamoDB_20120810.%(operation)s"
local random, format = math.random, string.format
function request()
    return wrk.format(nil, "/", nil, format(%(body)s))
end
function done(summary, latency, requests)
    local errors = summary.errors
    print("bad " .. (errors.status + errors.connect + errors.read + errors.timeout))
end
"""
ATTRIBUTES = (
    '"name":{"S":"a name of ordinary length"},"count":{"N":"12345"},"price":{"N":"99.95"},'
    '"active":{"BOOL":true},"tags":{"SS":["blue","green","red"]},'
    '"address":{"M":{"city":{"S":"Springfield"},"zip":{"S":"12345"}}}'
)
BODIES = {
    "GetItem": """'{"TableName":"bench","Key":{"pk":{"S":"user-%d"},"sk":{"N":"%d"}}}',
        random(0, 999), random(0, 9)""",
    "PutItem": """'{"TableName":"bench","Item":{"pk":{"S":"user-%d"},"sk":{"N":"%d"},"""
    + ATTRIBUTES
    + "}}', random(0, 999), random(0, 9)",
    "Query": """'{"TableName":"bench","KeyConditionExpression":"pk = :p","Limit":10,"""
    """"ExpressionAttributeValues":{":p":{"S":"user-%d"}}}', random(0, 999)""",
}
TABLE = {
    "TableName": "bench",
    "BillingMode": "PAY_PER_REQUEST",
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "N"},
    ],
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
}


# ---- the servers, each in a process of its own ---------------------------------------------------


def serve_hashrange(path: str | None) -> None:
    import hashrange
    from hashrange.endpoint import serve_forever

    with hashrange.open(path) as db:
        db.execute("CreateTable", TABLE)
        attributes = json.loads("{" + ATTRIBUTES + "}")
        for number in range(KEYS):
            key = {"pk": {"S": f"user-{number // 10}"}, "sk": {"N": str(number % 10)}}
            db.execute("PutItem", {"TableName": "bench", "Item": {**key, **attributes}})
        serve_forever(db, port=0, ready=lambda server: print(server.port, flush=True))


def serve_uvicorn() -> None:
    import uvicorn

    body = b'{"Item":{"pk":{"S":"user-1"},"sk":{"N":"1"},' + ATTRIBUTES.encode() + b"}}"
    headers = [
        (b"content-type", b"application/x-amz-json-1.0"),
        (b"content-length", str(len(body)).encode()),
    ]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    rest = {"type": "http.response.body", "body": body}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send(rest)

    async def main() -> None:
        config = uvicorn.Config(
            application, port=0, log_level="critical", access_log=False, lifespan="off",
            loop="uvloop", http="httptools",
        )
        server = uvicorn.Server(config)
        task = asyncio.ensure_future(server.serve())
        while not server.started:
            await asyncio.sleep(0.01)
        print(server.servers[0].sockets[0].getsockname()[1], flush=True)
        await task

    import uvloop

    uvloop.run(main())


class Child:
    """A server in a process that has one core."""

    def __init__(self, name: str, core: int | None, path: str | None = None) -> None:
        command = [sys.executable, __file__, "--serve", name]
        if path:
            command += ["--path", path]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if core is not None:
            os.sched_setaffinity(self.process.pid, {core})
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def cpu_s(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


# ---- load ----------------------------------------------------------------------------------------


def load(
    child: Child, operation: str, seconds: int, connections: int, core: int | None, folder: Path
) -> dict[str, float]:
    """Run wrk once."""
    script = folder / f"{operation}.lua"
    script.write_text(SCRIPT % {"operation": operation, "body": BODIES[operation]})
    command = [
        "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script),
        f"http://127.0.0.1:{child.port}/",
    ]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    began, cpu_began = time.perf_counter(), child.cpu_s()
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    elapsed, cpu = time.perf_counter() - began, child.cpu_s() - cpu_began
    text = done.stdout
    bad = re.search(r"^bad (\d+)$", text, re.M)
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    assert bad is not None, text
    assert rate is not None, text
    assert bad[1] == "0", text
    shown = {f"p{p}_ms": float(value) * SCALE[unit] for p, value, unit in LATENCY.findall(text)}
    return {"rate": float(rate[1]), **shown, "cpu_us": cpu / (float(rate[1]) * elapsed) * 1e6}


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    cases = [("hashrange", operation) for operation in arguments.operations.split(",")]
    cases.append(("uvicorn", "GetItem"))
    rounds: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        children = {"hashrange": Child("hashrange", server_core, f"{folder}/db")}
        try:
            children["uvicorn"] = Child("uvicorn", server_core)
            for _ in range(arguments.rounds):
                for name, operation in cases:
                    result = load(
                        children[name], operation, arguments.seconds, arguments.connections,
                        load_core, Path(folder),
                    )
                    rounds.setdefault(f"{name} {operation}", []).append(result)
        finally:
            for child in children.values():
                child.end()
    return {
        "rounds": rounds,
        "connections": arguments.connections,
        "seconds": arguments.seconds,
        "python": sys.version,
        "cores": len(cores),
    }


def report(measured: dict[str, Any]) -> None:
    medians = {
        case: {key: statistics.median(one[key] for one in runs) for key in runs[0]}
        for case, runs in measured["rounds"].items()
    }
    bare = medians["uvicorn GetItem"]["rate"]
    bare_cpu = medians["uvicorn GetItem"]["cpu_us"]
    print(f"{'case':<20}{'requests/s':>12}{'p50 ms':>8}{'p99 ms':>8}{'CPU us':>8}"
          f"{'uvicorn':>9}{'by CPU':>8}")
    for case, one in medians.items():
        rate = one["rate"]
        print(
            f"{case:<20}{rate:>12,.0f}{one['p50_ms']:>8.2f}{one['p99_ms']:>8.2f}"
            f"{one['cpu_us']:>8.1f}{rate / bare:>8.1f}x{bare_cpu / one['cpu_us']:>7.1f}x"
        )
    for operation, target in TARGETS.items():
        one = medians.get(f"hashrange {operation}")
        if one is not None:
            met = one["rate"] >= target and one["p99_ms"] < P99_TARGET_MS
            verdict = "aim" if met and one["rate"] >= AIMS[operation] else "yes" if met else "NO"
            print(f"{operation}: {target:,} a second, p99 below {P99_TARGET_MS} ms: {verdict}")
    ratio = medians.get("hashrange GetItem", {"rate": 0.0})["rate"] / bare
    print(f"GetItem against uvicorn: {ratio:.1f}x of {PEER_RATIO_TARGET}x")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--operations", default="GetItem,PutItem,Query")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", choices=["hashrange", "uvicorn"])
    parser.add_argument("--path")
    arguments = parser.parse_args()
    if arguments.serve == "hashrange":
        serve_hashrange(arguments.path)
        return 0
    if arguments.serve == "uvicorn":
        serve_uvicorn()
        return 0
    if shutil.which("wrk") is None:
        print("wrk is not installed", file=sys.stderr)
        return 2
    measured = measure(arguments)
    report(measured)
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
