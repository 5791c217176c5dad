"""Types of ddbcore.decimals: Decimal objects, read and made."""

from decimal import Decimal

LAYOUT_CASES: tuple[tuple[str, int, int, int, tuple[int, ...]], ...]

def layout_paths() -> tuple[bool, bool]: ...
def make(
    high: int, low: int, exponent: int, negative: bool, slowly: bool = False
) -> Decimal: ...
