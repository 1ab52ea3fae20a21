"""A store to which a copy was begun and not finished is no store to work with yet: pure."""

from secure_export.errors import SettingsError


def check_finished(source: str | None) -> None:
    """Refuse a store that is half copied.

    Args:
        source: From where, if a copy was begun and not finished.

    Raises:
        SettingsError: It was.
    """
    if source is not None:
        raise SettingsError(
            f"a copy from {source} to this store was begun and is not complete; run the same "
            "`secure-export store copy` again, and it goes on where it ended"
        )
