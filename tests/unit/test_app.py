"""What is made of a configuration when the program starts."""

from pathlib import Path

import pytest

from secure_export.app import opened
from secure_export.errors import SettingsError
from secure_export.itsm.registry import connector_types
from secure_export.settings_file import read_settings

BLANK_SECRET = """
[identity]
tenant_id = "11111111-2222-4333-8444-555555555555"
audience = ["66666666-7777-4888-9999-000000000000"]

[connections.prod]
type = "bmc-helix"
subscriptions = ["*"]
url = "https://acme-restapi.onbmc.example"
username = "azure.integration"
password = { file = "blank" }
"""


async def test_a_connection_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    """Of many connections people must know which one keeps the program from starting."""
    (tmp_path / "blank").write_text("\n", encoding="utf-8")
    file = tmp_path / "secure-export.toml"
    file.write_text(BLANK_SECRET, encoding="utf-8")
    settings = read_settings(file, connector_types(), {})
    with pytest.raises(SettingsError, match=r"^connections\.prod: the secret in .* is empty"):
        async with opened(settings, connector_types()):
            pass
