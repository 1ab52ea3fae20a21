"""What Azure's two APIs answer when they do not do what was asked."""

from secure_export.errors import SecureExportError


class AzureUnreachable(SecureExportError):  # noqa: N818 - reads as what it says
    """No answer came, or only answers that ask to wait, for longer than we are patient; asking later may help."""


class ConnectionBroken(AzureUnreachable):
    """A call was sent, and its answer was lost: it may have been done, or not."""


class NotSignedIn(SecureExportError):  # noqa: N818 - as above
    """No token could be had; the message says which credential was tried and what to do."""


class NothingAsked(SecureExportError):  # noqa: N818 - as above
    """Nothing at all could be asked, which may be the fault of this process: another may be able to."""

    def __init__(self) -> None:
        super().__init__("nothing could be asked in Azure; for a while it is left to another process, if there is one")


class AzureRefused(SecureExportError):  # noqa: N818 - as above
    """An API answered with an error.

    Attributes:
        status: HTTP's status.
        code: The API's code, such as ``Authorization_RequestDenied``; empty when the answer had none.
        said: The API's own message, shortened.
        request_id: What Microsoft's support asks for; may be empty.
    """

    def __init__(self, status: int, code: str, said: str, *, request_id: str = "", doing: str = "") -> None:
        self.status = status
        self.code = code
        self.said = said
        self.request_id = request_id
        parts = [f"{doing}: " if doing else "", f"Azure answered {status}", f" {code}" if code else ""]
        parts += [f": {said}" if said else "", f" (request {request_id})" if request_id else ""]
        super().__init__("".join(parts))

    @property
    def is_missing(self) -> bool:
        """Whether what was asked for is not there, or not there yet."""
        return self.status == 404  # noqa: PLR2004 - HTTP's number

    @property
    def is_denied(self) -> bool:
        """Whether the caller may not do this."""
        return self.status in {401, 403}
