"""How many random stories are told: ``SECURE_EXPORT_FAULT_SEEDS=500`` tells more of them."""

import os

_SEEDS = 8


def seeds() -> range:
    """Give the seeds of the stories to tell."""
    return range(int(os.environ.get("SECURE_EXPORT_FAULT_SEEDS", str(_SEEDS))))
