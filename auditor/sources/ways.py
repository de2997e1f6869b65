"""How a place is to be read, where the command says more than its name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec


def silent(_: str) -> None:
    """Nobody listens."""


class Ways(msgspec.Struct, frozen=True, kw_only=True):
    """What flags say of files and folders, and who hears what is worth knowing about them."""

    variables: tuple[Path, ...] = ()  # files of Terraform variables
    source_root: Path | None = None  # the code that a plan was made of
    parameters: Path | None = None  # the parameter file of a template
    bicep: str = ""  # the Bicep compiler; by default `bicep` or `az` on PATH
    notice: Callable[[str], None] = silent
