"""What all stories share: assertions that say what they compared, and a log that costs no time."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

pytest.register_assert_rewrite("tests.faults.tool_faults.suite", "tests.faults.tool_faults.judge")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep log lines as they are: rendering the tracebacks of an hour's outage takes longer than the hour."""
    with capture_logs():
        yield
