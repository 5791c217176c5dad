"""What `make bench` runs: the micro cases under pytest-benchmark, then the table.

python bench/run.py [options of bench/table.py]
"""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main(arguments: list[str]) -> int:
    """Run both; the table's options are passed on."""
    micro = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:xdist",
            "--benchmark-disable-gc",
            "--benchmark-columns=median,iqr,ops,rounds",
            "-m",
            "bench",
            str(HERE / "test_micro.py"),
        ],
        cwd=HERE.parent,
        check=False,
    )
    table = subprocess.run([sys.executable, str(HERE / "table.py"), *arguments], check=False)
    return micro.returncode or table.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
