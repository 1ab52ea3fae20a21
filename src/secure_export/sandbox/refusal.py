"""A refusal in the words and the form of the system that is stood in for."""

from typing import Any


class Refusal(Exception):  # noqa: N818 - what it is, not only an error
    """A refusal.

    Attributes:
        status: The HTTP status.
    """

    status: int

    def as_json(self) -> Any:
        """Give the body that says so."""
        raise NotImplementedError
