"""The pages of a list: followed from the first on, but never to another host, in a circle, or without end."""

from __future__ import annotations

from typing import Final
from urllib.parse import urljoin

from auditor import documents as d
from auditor.sources.azure.cloud import origin
from auditor.sources.azure.pipeline import short

MAX_PAGES: Final = 1000


class Lost(Exception):  # noqa: N818
    """A list that cannot be followed to its end; the text says why in a few words."""


class Pages:
    """What has come of one list."""

    def __init__(self) -> None:
        self.items: list[d.Document] = []
        self._visited = set[str]()
        self._pages = 0

    def take(self, url: str, body: d.Document) -> str:
        """Add the items of the page at an address, and give the next page's; empty after the last."""
        self._visited.add(url)
        self._pages += 1
        value = body.get("value")
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise Lost("the answer is not a list")
        self.items.extend(value)
        link = body.get("nextLink") or body.get("@odata.nextLink")
        if not link:
            return ""
        if not isinstance(link, str):
            raise Lost("the link to the next page is not one")
        following = urljoin(url, link)
        if origin(following) != origin(url):
            raise Lost(f"the next page is on another host ({short(origin(following)[1] or link, 80)}), not followed")
        if following in self._visited or self._pages >= MAX_PAGES:
            raise Lost("the pages of the list do not end")
        self._visited.add(following)  # whoever follows it may write it in another way
        return following
