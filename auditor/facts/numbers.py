"""What number does a document mean, whether it was written as one or as text?"""

from __future__ import annotations

import math


def number(value: object) -> float | None:
    """A finite number, also from text; None for anything else, booleans among it."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None
