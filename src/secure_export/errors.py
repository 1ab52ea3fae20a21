"""The errors this program raises on purpose.

    SecureExportError
    ├── SettingsError        the configuration cannot be used as it is
    ├── NotUnderstood        a body is no alert we know how to read
    ├── StoreUnavailable     the store cannot take or give anything now; waiting may help
    ├── LostLane             another owner holds the lane; nothing was written
    └── NotFound             the thing asked for does not exist

Every message says what happened and, where a person can act, what to do next.
"""


class SecureExportError(Exception):
    """The family: anything this program raises on purpose."""


class SettingsError(SecureExportError):
    """The configuration cannot be used as it is."""


class NotUnderstood(SecureExportError):  # noqa: N818 - reads as what it says: the body was not understood
    """A body is no alert that we know how to read; its sender may still be entitled to send it."""


class StoreUnavailable(SecureExportError):  # noqa: N818 - as above
    """The store cannot take or give anything now; the same call may work later."""


class LostLane(SecureExportError):  # noqa: N818 - as above
    """The lane belongs to another owner by now; nothing of the attempted change was written."""


class NotFound(SecureExportError):  # noqa: N818 - as above
    """The thing asked for does not exist."""
