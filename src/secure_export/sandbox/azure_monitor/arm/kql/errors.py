"""What is wrong with a query."""


class QueryError(ValueError):
    """A query cannot be understood, or asks for what the sandbox does not imitate.

    Attributes:
        code: Resource Graph's word for it.
    """

    def __init__(self, message: str, code: str = "ParserFailure") -> None:
        super().__init__(message)
        self.code = code
