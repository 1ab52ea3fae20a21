"""Which paths mean a connection's webhook."""

import pytest

from secure_export.intake.path import connection_of


@pytest.mark.parametrize(
    ("path", "connection"),
    [
        ("/v1/connections/desk/alerts", "desk"),
        ("/v1/connections/desk/alerts/", "desk"),
        ("/v1/connections/a/b/alerts", "a/b"),
        ("/v1/connections//desk/alerts", "/desk"),
        ("/v1/connections/desk//alerts", "desk/"),
        ("/v1/connections/desk/alerts//", None),
        ("/v1/connections//alerts", None),
        ("/v1/connections/alerts", None),
        ("/v1/connections/desk", None),
        ("/v1/connections/desk/alert", None),
        ("/v1/connections/desk/ALERTS", None),
        ("/v2/connections/desk/alerts", None),
        ("", None),
    ],
)
def test_the_connection_is_what_stands_between(path: str, connection: str | None) -> None:
    """One slash at the end is let pass; a name with slashes is nobody's and so leads to 404, not to another's."""
    assert connection_of(path) == connection
