"""Putting the token on a request, and getting a new one when a service stops accepting the one in use."""

from __future__ import annotations

import time
from typing import Any, Final

import msgspec
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

_FOREIGN: Final = b"InvalidAuthenticationTokenTenant"  # the token is sound, but the thing is another tenant's
_VAIN: Final = 3  # new tokens that were refused as well, after which a refusal is believed


class Bearer(AsyncARMChallengeAuthenticationPolicy):
    """Microsoft's policy, which answers challenges; and a token refused in the middle of a run is renewed, once.

    A long run outlives tokens, and a session can be revoked. Reads under way together share the renewal.
    """

    def __init__(self, credential: Any, scope: str) -> None:
        super().__init__(credential, scope)
        self._vain = 0

    async def send(self, request: PipelineRequest[Any]) -> PipelineResponse[Any, Any]:
        """Send with a token; when that is refused, once more with another."""
        await self.on_request(request)
        used = request.http_request.headers["Authorization"]
        response = await self.next.send(request)
        if response.http_response.status_code != 401:
            return response
        challenged = "WWW-Authenticate" in response.http_response.headers and await self.on_challenge(request, response)
        if challenged:
            return await self.next.send(request)
        if _FOREIGN in response.context.get("body", b"") or self._vain >= _VAIN:
            return response
        if not await self._renew(used):
            return response
        await self.on_request(request)
        again = await self.next.send(request)
        self._vain = self._vain + 1 if again.http_response.status_code == 401 else 0
        return again

    async def _renew(self, refused: str) -> bool:
        """Get a token other than the refused one, unless another read did so while we waited."""
        async with self._lock:
            if self._token is not None and f"Bearer {self._token.token}" != refused:
                return True
            # Credentials keep their tokens too; only a demand on the token itself makes them ask for a new one.
            newer = {"access_token": {"nbf": {"essential": True, "value": str(int(time.time()))}}}
            try:
                await self._request_token(*self._scopes, claims=msgspec.json.encode(newer).decode())
            except AzureError:  # such as the command-line tools, which cannot be told so
                return False
            return True
