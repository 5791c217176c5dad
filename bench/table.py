"""Run the cases of the Targets table against the peers, in one run, and write the result.

    python bench/table.py                                 everything at 1 M items
    python bench/table.py --quick                         everything at 20 k items: does it run
    python bench/table.py --items 100000 --cases get,put --peers hashrange,lmdb

Options and how to read the result: bench/README.md.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import calls
import disk
import model
import report
from codec import encode
from harness import Failed, machine
from items import SEED
from peers import PEERS
from shelf import Bench

# In this order: reads before writes on the shared tables, sizes before both.
CASES = {
    "disk": disk.case_disk,
    "index": disk.case_index,
    "get": calls.case_get,
    "zipf": calls.case_zipf,
    "scan": calls.case_scan,
    "batchget": model.case_batchget,
    "filter": model.case_filter,
    "put": calls.case_put,
    "update": calls.case_update,
    "conditional": model.case_conditional,
    "transaction": model.case_transaction,
    "execute": model.case_execute,
    "indexed": model.case_indexed,
    "tail": disk.case_tail,
    "load": calls.case_load,
    "query": calls.case_query,
    "durable": disk.case_durable,
    "open": disk.case_open,
    "recovery": disk.case_recovery,
    "memory": calls.case_memory,
}

HERE = Path(__file__).resolve().parent


def parse(arguments: list[str]) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="bench/table.py", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--items", type=int, help="items in each table (default 1,000,000; quick 20,000)"
    )
    parser.add_argument(
        "--cases", default=",".join(CASES), help="comma separated: " + ", ".join(CASES)
    )
    parser.add_argument(
        "--peers", default=",".join(PEERS), help="comma separated: " + ", ".join(PEERS)
    )
    parser.add_argument("--rounds", type=int, help="rounds per case (default 5; quick 3)")
    parser.add_argument(
        "--quick", action="store_true", help="small and short; the figures mean little"
    )
    parser.add_argument("--huge", action="store_true", help="open with ten times the items too")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--directory", help="where the databases go (default: build/bench/)")
    parser.add_argument(
        "--output", default=str(HERE), help="where RESULTS.md and results.png go (default: bench/)"
    )
    parser.add_argument(
        "--json", help="where the JSON goes (default: results.json beside RESULTS.md)"
    )
    options = parser.parse_args(arguments)
    for text, known, what in ((options.cases, CASES, "case"), (options.peers, PEERS, "peer")):
        for name in text.split(","):
            if name not in known:
                parser.error(f"no {what} {name!r}; there are {', '.join(known)}")
    return options


def present_peers(names: list[str], notes: list[str]) -> list[str]:
    """Return the peers that can be imported; say which cannot."""
    present = []
    for name in names:
        problem = PEERS[name].missing()
        if problem:
            notes.append(f"left out: {problem}")
            print(f"left out: {problem}", file=sys.stderr)
        else:
            present.append(name)
    return present


def show(entry: dict) -> None:
    """Print one row as it is done."""
    parts = [f"{name} {report.cell(value)}" for name, value in entry["figures"].items()]
    ratio = f"  {entry['ratio'][0]:.2f}x {entry['against']}" if entry["ratio"] else ""
    verdict = f"  [{entry['verdict']}]" if entry["verdict"] else ""
    print(f"  {entry['case']} ({entry['unit']}): {', '.join(parts)}{ratio}{verdict}", flush=True)


def run(options: argparse.Namespace, directory: str) -> tuple[list[dict], dict]:
    """Run the chosen cases; return (rows, about)."""
    start = time.monotonic()
    notes: list[str] = []
    quick = options.quick
    bench = Bench(
        directory=directory,
        names=present_peers(options.peers.split(","), notes),
        count=options.items or (20_000 if quick else 1_000_000),
        rounds=options.rounds or (3 if quick else 5),
        seconds=0.05 if quick else 0.25,
        tail_seconds=4.0 if quick else 20.0,
        recovery_bytes=(32 << 20) if quick else (1 << 30),
        huge=options.huge,
        seed=options.seed,
        notes=notes,
    )
    sample = bench.workload.flat(range(min(bench.count, 10_000)))
    about = {
        "items": bench.count,
        "item bytes": round(sum(len(encode(item)) for item in sample) / len(sample)),
        "seed": options.seed,
        "rounds": bench.rounds,
        "quick": quick,
        "machine": machine(directory),
        "versions": {
            PEERS[name].module if name == "dict" else name: PEERS[name].version()
            for name in bench.names
        },
        "command": " ".join(["python", "bench/table.py", *sys.argv[1:]]),
        "notes": notes,
    }
    rows = []
    chosen = options.cases.split(",")
    try:
        for name, case in CASES.items():
            if name not in chosen:
                continue
            print(f"{name} ({time.monotonic() - start:.0f} s)", flush=True)
            try:
                entries = case(bench)
            except Failed:
                raise
            except KeyboardInterrupt:
                notes.append(f"interrupted in case {name}; the rest is missing")
                break
            except Exception as error:  # one case less is better than no result
                text = f"case {name} failed: {type(error).__name__}: {error}"
                print("    " + text, file=sys.stderr)
                notes.append(text)
                continue
            for entry in entries:
                report.judge(entry)
                show(entry)
                rows.append(entry)
    finally:
        bench.close()
    about["took_s"] = time.monotonic() - start
    return rows, about


def main(arguments: list[str]) -> int:
    """Run and write the result. Always 0: wall time advises, it does not block."""
    options = parse(arguments)
    working = Path(options.directory) if options.directory else HERE.parent / "build" / "bench"
    working.mkdir(parents=True, exist_ok=True)
    directory = tempfile.mkdtemp(prefix="hashrange-bench-", dir=working)
    try:
        rows, about = run(options, directory)
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    report.write(
        rows, about, output, Path(options.json) if options.json else output / "results.json"
    )
    print(f"wrote {output / 'RESULTS.md'} in {about['took_s']:.0f} s")
    missed = [entry["case"] for entry in rows if entry["verdict"] == "missed"]
    if missed:
        print("below the least: " + "; ".join(missed))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
