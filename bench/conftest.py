"""Let the micro cases import the bench's modules, which stand beside them and are no package."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
