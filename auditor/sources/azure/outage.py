"""Telling a lost network or sign-in from reads that merely fail, so that a collection stops while it can go on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from azure.core.exceptions import ClientAuthenticationError

from auditor.errors import ConnectionLostError, IdentityError
from auditor.sources.azure.pipeline import Answer, Refused
from auditor.sources.azure.transport import NoAnswer

_IN_A_ROW: Final = 20  # reads without any answer, after which it is asked whether there is a network at all


class Watch:
    """Counts reads that got no answer, or a 401; in doubt it asks for something that every identity may read.

    The run ends only if that fails too: one place that never answers stops nothing, however many reads it has.
    """

    def __init__(self, probe: Callable[[], Awaitable[Answer]], sign_in_hint: str) -> None:
        self._probe = probe
        self._sign_in_hint = sign_in_hint
        self._silent = 0

    async def heard(self, came: Answer | Exception) -> None:
        """Note what came of a read. Raises `IdentityError` or `ConnectionLostError` if nothing more will come."""
        if isinstance(came, Answer) and came.status != 401:
            self._silent = 0
        elif not isinstance(came, Refused):
            self._silent += 1
            if self._silent >= _IN_A_ROW or _without_token(came):
                await self.check()

    async def check(self) -> None:
        """Make sure that the last reads did not fail for want of a network."""
        if not self._silent:
            return
        self._silent = 0
        try:
            answer = await self._probe()
        except NoAnswer as error:
            if _without_token(error):
                raise IdentityError(f"in the middle of the collection, {error}", self._sign_in_hint) from error
            raise ConnectionLostError(
                f"the connection to Azure was lost: {error}", "the same command continues"
            ) from error
        if answer.status == 401:
            raise IdentityError("in the middle of the collection, the sign-in ceased to count", self._sign_in_hint)


def _without_token(came: Answer | Exception) -> bool:
    return isinstance(came, NoAnswer) and isinstance(came.__cause__, ClientAuthenticationError)
