"""The webhook's path: ``/v1/connections/{connection}/alerts``."""

PATH_BEFORE = "/v1/connections/"
PATH_AFTER = "/alerts"


def connection_of(path: str) -> str | None:
    """Give the name of the connection that a decoded path means, or None when it has another form.

    One slash at the end is let pass: it is a common slip when the address is typed into an action group, and Azure
    drops alerts that are answered with 404.
    """
    path = path.removesuffix("/")
    if not (path.startswith(PATH_BEFORE) and path.endswith(PATH_AFTER)):
        return None
    return path[len(PATH_BEFORE) : -len(PATH_AFTER)] or None
