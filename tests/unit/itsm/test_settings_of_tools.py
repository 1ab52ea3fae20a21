"""The settings of a tool over HTTP in the configuration: secrets by their place, files beside the configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field

from secure_export.errors import SettingsError
from secure_export.itsm.http_settings import HttpSettings
from secure_export.secrets import Secret
from secure_export.settings_file import read_settings


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key: Secret | None = None
    file: Path | None = None


class AcmeSettings(HttpSettings):
    password: Secret
    part: Part | None = None
    parts: Mapping[str, Part] = Field(default_factory=dict)
    list_of_parts: list[Part] = Field(default_factory=list)


class Acme:
    settings = AcmeSettings
    concurrency = 4
    poll_seconds = 15.0
    in_process = False

    def why_not_settable(self, field: str) -> str | None:
        return f"{field} is the tool's own" if field == "number" else None

    def make(self, name: str, settings: Any, resources: Any) -> Any:
        raise NotImplementedError


FILE = """
[identity]
tenant_id = "11111111-2222-4333-8444-555555555555"
audience = ["66666666-7777-4888-9999-000000000000", "api://webhook"]

[connections.prod]
type = "acme"
subscriptions = ["*"]
url = "https://acme.example.com"
"""
WITH_FILE = FILE + 'password = { file = "snow" }\n'
PASSWORD = "SECURE_EXPORT__CONNECTIONS__PROD__PASSWORD"


def read(tmp_path: Path, text: str, **environment: str) -> AcmeSettings:
    """Read a configuration, and give the settings of its tool as the connector gets them."""
    file = tmp_path / "secure-export.toml"
    file.write_text(text, encoding="utf-8")
    settings = read_settings(file, {"acme": Acme()}, environment)
    return AcmeSettings.model_validate(settings.connections["prod"].own)


def wrong(tmp_path: Path, text: str, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, text, **environment)
    assert "geheim" not in f"{caught.value} {caught.value.__cause__}"
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "environment", "secret"),
    [
        (WITH_FILE, {}, Secret(file=Path("snow"))),
        (FILE + 'password = { env = "SNOW" }\n', {}, Secret(env="SNOW")),
        (FILE + 'password.env = "SNOW"\n', {}, Secret(env="SNOW")),
        (FILE + '[connections.prod.password]\nfile = "/run/snow"\n', {}, Secret(file=Path("/run/snow"))),
        (FILE, {PASSWORD + "__ENV": "SNOW"}, Secret(env="SNOW")),
        (FILE, {PASSWORD + "__FILE": "/run/snow"}, Secret(file=Path("/run/snow"))),
        (FILE, {PASSWORD + "__FILE": "snow"}, Secret(file=Path("snow"))),
        (FILE, {PASSWORD: '{ env = "SNOW" }'}, Secret(env="SNOW")),
        (WITH_FILE, {PASSWORD + "__ENV": "SNOW"}, Secret(env="SNOW")),
        (FILE + 'password = { env = "A" }\n', {PASSWORD + "__FILE": "/run/snow"}, Secret(file=Path("/run/snow"))),
        (FILE + 'password = "geheim"\n', {PASSWORD + "__ENV": "SNOW"}, Secret(env="SNOW")),
    ],
)
def test_a_secrets_place_is_written_in_the_file_or_the_environment(
    tmp_path: Path, text: str, environment: dict[str, str], secret: Secret
) -> None:
    """Both ways of keeping it, in both places; the environment stands over the file, also where the file has the
    other way. A relative file lies beside the configuration.
    """
    assert read(tmp_path, text, **environment).password == secret.beside(tmp_path)


@pytest.mark.parametrize(
    ("text", "environment", "said"),
    [
        (
            FILE + 'password = "geheim"\n',
            {},
            (
                "line 10: connections.prod.password: the secret itself does not belong into the configuration; "
                'write { file = "/path/to/it" } or { env = "NAME_OF_A_VARIABLE" }'
            ),
        ),
        (FILE, {PASSWORD: "geheim"}, f"{PASSWORD}: connections.prod.password: the secret itself does not belong"),
        (FILE, {PASSWORD + "__ENV": "geheim"}, f"{PASSWORD}__ENV: connections.prod.password.env: write the name of"),
        (FILE, {PASSWORD + "__VALUE": "geheim"}, "connections.prod.password: a secret has 'file' or 'env'"),
        (
            FILE,
            {PASSWORD + "__ENV": "A", PASSWORD + "__FILE": "b"},
            f"{PASSWORD}__ENV: connections.prod.password: a secret is in one place",
        ),
        (FILE + 'password = { env = "geheim" }\n', {}, "line 10: connections.prod.password.env: write the name of"),
        (FILE + 'password = { value = "geheim" }\n', {}, "line 10: connections.prod.password: a secret has 'file'"),
        (FILE, {}, "the setting 'connections.prod.password' is missing"),
        (FILE + 'pasword = "geheim"\n', {}, "'connections.prod.pasword'; did you mean 'password'?"),
        (WITH_FILE + '[connections.prod.part]\nkey = "geheim"\n', {}, "line 12: connections.prod.part.key: the secret"),
        (
            WITH_FILE + '[connections.prod.part]\nkee = "geheim"\n',
            {},
            "'connections.prod.part.kee'; did you mean 'key'",
        ),
        (
            WITH_FILE.replace("https://acme", "https://user:geheim@acme"),
            {},
            "line 9: connections.prod.url: user name and password do not belong into the URL",
        ),
        (WITH_FILE.replace("https://", "http://"), {}, "line 9: connections.prod.url: use https://"),
    ],
)
def test_what_is_wrong_is_told_without_the_secret(
    tmp_path: Path, text: str, environment: dict[str, str], said: str
) -> None:
    """Place, setting, and how to write it; nothing of what was written there."""
    assert said in wrong(tmp_path, text, **environment)


def test_files_lie_beside_the_configuration(tmp_path: Path) -> None:
    """All that a tool's settings name, at any depth; absolute ones stay, and nothing else changes."""
    text = WITH_FILE + (
        'ca_file = "tls/ca.pem"\nclient_certificate = "/etc/tls/me.crt"\nconnections = 2\n'
        '[connections.prod.part]\nkey = { file = "key.pem" }\n'
        '[connections.prod.parts.a]\nfile = "a"\n[connections.prod.parts.b]\nkey = { env = "B" }\n'
        '[[connections.prod.list_of_parts]]\nfile = "c"\n'
    )
    settings = read(tmp_path, text)
    assert settings.ca_file == tmp_path / "tls" / "ca.pem"
    assert settings.client_certificate == Path("/etc/tls/me.crt")
    assert settings.connections == 2
    assert settings.part == Part(key=Secret(file=tmp_path / "key.pem"))
    assert settings.parts == {"a": Part(file=tmp_path / "a"), "b": Part(key=Secret(env="B"))}
    assert settings.list_of_parts == [Part(file=tmp_path / "c")]


def test_what_every_connection_has_is_left_as_it_is(tmp_path: Path) -> None:
    """Only the tool's own settings name files."""
    file = tmp_path / "secure-export.toml"
    file.write_text(WITH_FILE + "concurrency = 7\n", encoding="utf-8")
    connection = read_settings(file, {"acme": Acme()}, {}).connections["prod"]
    assert (connection.type, connection.concurrency, connection.subscriptions) == ("acme", 7, ["*"])
    assert set(connection.own) == {"url", "password"}


def test_a_field_that_the_tool_keeps_for_itself_is_refused_with_its_place(tmp_path: Path) -> None:
    """A route that sets what it cannot set is found when the configuration is read, not at the first alert."""
    routes = '[[connections.prod.routes]]\nfields = { category = "cloud", number = "7" }\n'
    with pytest.raises(SettingsError, match=r"line 1[0-9].*number is the tool's own") as refused:
        read(tmp_path, WITH_FILE + routes)
    assert "category" not in str(refused.value)
    read(tmp_path, WITH_FILE + routes.replace('number = "7"', 'urgency = "7"'))
