"""Handlers behind the door: nobody gets to one without being let in, and no trouble of one gets out as it is."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from secure_export.console.access import Access, Right, Visitor
from secure_export.console.answers import Trouble, trouble_of

Handler = Callable[[Request, Visitor], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
Teller = Callable[[Request, Trouble], Response]


def guarded(access: Access, right: Right, handler: Handler, tell: Teller) -> Endpoint:
    """Make an endpoint of a handler.

    Args:
        access: Lets people and programs in.
        right: What the handler does.
        handler: Answers those who were let in.
        tell: Answers trouble, in the form that its askers read.
    """

    async def endpoint(request: Request) -> Response:
        try:
            visitor = await access.admit(request, right)
            return await handler(request, visitor)
        except Exception as error:  # noqa: BLE001 - every trouble has an answer, and the unforeseen is logged
            return tell(request, trouble_of(request, error))

    return endpoint
