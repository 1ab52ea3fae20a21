"""Lets assertions of the shared suite say what they compared."""

import pytest

pytest.register_assert_rewrite("tests.faults.tool_faults.suite", "tests.faults.tool_faults.judge")
