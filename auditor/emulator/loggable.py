"""What a type logs when the estate does not say: the catalog's answer, in the shape Azure Monitor gives it."""

from __future__ import annotations

from functools import lru_cache

from auditor import catalog


def can_log(kind: str) -> bool:
    """Whether resources of this type have diagnostic settings for logs."""
    return catalog.can_log(kind)


@lru_cache(maxsize=1024)
def categories_of(kind: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Each log category of a type with the category groups that contain it."""
    known = catalog.catalog().get(kind.lower())
    if known is None:
        return ()
    has_audit = "audit" in (known.groups or ()) or any(c.audit for c in known.categories)
    told = []
    for category in known.categories:
        if category.own:  # flow logs are resources, Azure Monitor knows no such category
            continue
        in_audit = category.audit or (
            category.audit is None and has_audit and category.relevance in ("audit", "security")
        )
        told.append((category.name, ("audit", "allLogs") if in_audit else ("allLogs",)))
    return tuple(told)
