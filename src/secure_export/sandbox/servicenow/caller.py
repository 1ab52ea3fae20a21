"""Who sent a request: the doors put it into the request's state before any API sees the request."""

from starlette.requests import Request

from secure_export.sandbox.servicenow.errors import not_authenticated
from secure_export.sandbox.servicenow.users import User

STATE_KEY = "user"


def caller(request: Request) -> User:
    """Give the user that signed in.

    Raises:
        SnowError: Nobody did.
    """
    user = getattr(request.state, STATE_KEY, None)
    if not isinstance(user, User):
        raise not_authenticated()
    return user
