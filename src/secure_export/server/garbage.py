"""How often Python looks for garbage, in a process that serves for a long time."""

import gc

_ALLOCATIONS = 20_000
_YOUNG_PASSES = 20
_OLD_PASSES = 50


def collect_seldom() -> None:
    """Leave what was loaded at the start alone, and look for cycles less often than Python would.

    An alert leaves no cycles behind, but enough objects for Python to look for some again and again: a tenth of the
    processor's time, and pauses that show in the slowest answers (``docs/decisions/0003-http-server.md``). For the
    whole process; call it once, when everything is set up.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS, _YOUNG_PASSES, _OLD_PASSES)
