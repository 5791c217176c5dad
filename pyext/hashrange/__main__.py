"""`python -m hashrange` is the `hashrange` command."""

from __future__ import annotations

import sys

from hashrange.cli import main

if __name__ == "__main__":
    sys.exit(main())
