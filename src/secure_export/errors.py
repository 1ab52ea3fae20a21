"""The errors this program raises on purpose; the last five live with what raises them, in ``secrets`` and ``itsm``.

    SecureExportError
    ├── SettingsError        the configuration cannot be used as it is
    ├── NotUnderstood        a body is no alert we know how to read
    ├── StoreUnavailable     the store cannot take or give anything now; waiting may help
    ├── LostLane             another owner holds the lane; nothing was written
    ├── NotFound             the thing asked for does not exist
    ├── SecretMissing        a secret cannot be read from the file or variable that the configuration names
    ├── NotSent              nothing reached the ITSM tool
    ├── AnswerLost           a request may have reached the ITSM tool, and its answer is not known
    ├── NotJson              an answer is no JSON
    └── SignInFailed         the ITSM tool let nobody in, or could not be asked

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
