"""One link of the chain from Azure to a work item, and whether it holds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one link.

    Attributes:
        link: Which, in a few words.
        holds: Whether it does; None: it could not be tried.
        detail: What was found and, where it does not hold, the cause and what to do.
    """

    link: str
    holds: bool | None
    detail: str = ""
