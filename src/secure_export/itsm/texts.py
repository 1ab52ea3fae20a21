"""Making texts as long as a tool's fields are: pure."""

from collections.abc import Callable

Size = Callable[[str], int]
"""How a tool counts the length of a text."""

SHORTENED = "… (shortened)"


def utf16_units(text: str) -> int:
    """Count a text in UTF-16 code units: an emoji is two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    """Count a text in bytes of UTF-8: an emoji is four."""
    return len(text.encode("utf-8", "surrogatepass"))


def cut(text: str, most: int, *, size: Size, ending: str = "…") -> str:
    """Shorten a text to a size, with an ending that says so; no character is cut through.

    Args:
        text: The text.
        most: The largest size.
        size: How sizes are counted; a longer text never counts less.
        ending: What a shortened text ends with.
    """
    if size(text) <= most:
        return text
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        if size(text[:middle]) + size(ending) <= most:
            low = middle
        else:
            high = middle - 1
    return f"{text[:low].rstrip()}{ending}" if size(ending) <= most else ""
