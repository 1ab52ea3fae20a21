"""Azure's severities, however a sender spells them."""

_NAMES = ("critical", "error", "warning", "informational", "verbose")
_BY_TEXT = {
    **{f"sev{level}": f"Sev{level}" for level in range(5)},
    **{str(level): f"Sev{level}" for level in range(5)},
    **{name: f"Sev{level}" for level, name in enumerate(_NAMES)},
    "info": "Sev3",
    "information": "Sev3",
}


def severity_of(text: str) -> str | None:
    """Give ``Sev0`` to ``Sev4`` for a severity in any spelling (also ``3`` and ``Warning``); None for anything else."""
    return _BY_TEXT.get(text.strip().lower())
