"""What others wrote, made fit to be shown: nothing in it moves a cursor, sets a title or hides behind another text."""

from unicodedata import category

_BLANKS = "Zs"


def shown(text: str, *, keep: str = "") -> str:
    """Put U+FFFD for control characters, changes of direction, and whatever else has no glyph.

    Args:
        text: What somebody wrote.
        keep: Control characters that may stay, such as a line feed where several lines are shown.
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() or one in keep or category(one) == _BLANKS else "\N{REPLACEMENT CHARACTER}"
        for one in text
    )
