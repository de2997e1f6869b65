"""How far a scan of a live Azure is; no Azure SDK is needed to read this."""

from __future__ import annotations

import msgspec


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run is: the stage, its reads done and planned, and the refusals of the whole run."""

    stage: str
    done: int
    total: int
    denied: int
    throttled: int
    seconds: float = 0  # since the stage began
    floor: float = 0  # seconds that the stage takes at the least, because Azure allows no more reads a second
