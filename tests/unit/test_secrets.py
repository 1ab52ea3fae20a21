"""Secrets stay where they are kept."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from secure_export.secrets import Secret, SecretMissing


class Holder(BaseModel):
    password: Secret


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"geheim", "geheim"),
        (b"geheim\n", "geheim"),
        (b"geheim\r\n\r\n", "geheim"),
        (b" ge heim ", " ge heim "),
        (b"\xef\xbb\xbfgeheim", "geheim"),
        ("gehéim".encode(), "gehéim"),
        (b"-----BEGIN-----\nabc\n-----END-----\n", "-----BEGIN-----\nabc\n-----END-----"),
    ],
)
def test_a_file_holds_the_secret(tmp_path: Path, content: bytes, secret: str) -> None:
    """As editors and secret stores write it: line ends at the end are no part of it, spaces are."""
    (tmp_path / "snow").write_bytes(content)
    assert Secret(file=tmp_path / "snow").read() == secret


def test_a_variable_holds_the_secret() -> None:
    """The environment is read when the secret is needed."""
    assert Secret(env="SNOW_PASSWORD").read({"SNOW_PASSWORD": "geheim\n"}) == "geheim"


def test_a_renewed_secret_is_read_at_once(tmp_path: Path) -> None:
    """Nothing is remembered: a secret that was renewed in its place needs no restart."""
    secret = Secret(file=tmp_path / "snow")
    (tmp_path / "snow").write_text("old", encoding="utf-8")
    assert secret.read() == "old"
    (tmp_path / "snow").write_text("new", encoding="utf-8")
    assert secret.read() == "new"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"  \n", "is empty"),
        (b"\xff\xfeg\x00", "is no text in UTF-8"),
        (b"x" * 70_000, "too large for a secret"),
    ],
)
def test_a_secret_that_is_not_there_is_told(tmp_path: Path, content: bytes | None, said: str) -> None:
    """The message names the file and what is wrong, and nothing of what it holds."""
    if content is not None:
        (tmp_path / "snow").write_bytes(content)
    with pytest.raises(SecretMissing, match=said) as caught:
        Secret(file=tmp_path / "snow").read()
    assert str(tmp_path / "snow") in str(caught.value)
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize("environment", [{}, {"SNOW": ""}, {"SNOW": " \n"}])
def test_a_variable_that_is_not_there_is_told(environment: dict[str, str]) -> None:
    """The message names the variable."""
    with pytest.raises(SecretMissing, match="SNOW"):
        Secret(env="SNOW").read(environment)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("geheim", "does not belong into the configuration; write { file ="),
        (12345678, "does not belong into the configuration"),
        (["geheim"], "does not belong into the configuration"),
        ({"env": "geheim"}, "the name of an environment variable, in capitals"),
        ({"env": "GEHEIM!1"}, "the name of an environment variable, in capitals"),
        ({"env": "1GEHEIM"}, "the name of an environment variable, in capitals"),
        ({"env": ""}, "the name of an environment variable, in capitals"),
        ({"env": "G" * 200}, "the name of an environment variable, in capitals"),
        ({"env": 12345678}, "the name of an environment variable, in capitals"),
        ({"value": "geheim"}, "'file' or 'env' and nothing else"),
        ({"geheim": "x"}, "'file' or 'env' and nothing else"),
        ({"file": "a", "value": "geheim"}, "'file' or 'env' and nothing else"),
        ({}, "in one place"),
        ({"file": ""}, "in one place"),
        ({"file": "a", "env": "B"}, "in one place"),
    ],
)
def test_what_is_no_place_of_a_secret_is_refused_without_repeating_it(written: Any, said: str) -> None:
    """Somebody wrote the secret itself: the message says how to write it, and holds nothing of it."""
    with pytest.raises(ValidationError) as caught:
        Secret.model_validate(written)
    shown = str(caught.value)
    assert said in shown
    assert not any(part in shown for part in ("geheim", "GEHEIM", "GGG", "12345678"))


def test_settings_that_are_shown_show_no_secret(tmp_path: Path) -> None:
    """Not even by accident: the secret is no part of the settings."""
    (tmp_path / "snow").write_text("geheim", encoding="utf-8")
    holder = Holder.model_validate({"password": {"file": str(tmp_path / "snow")}})
    holder.password.read()
    for shown in (repr(holder), str(holder.password), holder.model_dump_json(), str(holder.password.__dict__)):
        assert "geheim" not in shown


def test_a_relative_file_lies_beside_the_configuration() -> None:
    """Wherever the program was started; what is absolute or a variable stays."""
    assert Secret(file=Path("snow")).beside(Path("/etc/se")) == Secret(file=Path("/etc/se/snow"))
    assert Secret(file=Path("/run/snow")).beside(Path("/etc/se")) == Secret(file=Path("/run/snow"))
    assert Secret(env="SNOW").beside(Path("/etc/se")) == Secret(env="SNOW")
