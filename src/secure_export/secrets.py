"""Secrets in the configuration: where one is kept, never the secret itself."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from secure_export.errors import SecureExportError

_LONGEST_BYTES = 64 * 1024
_HOW = 'write { file = "/path/to/it" } or { env = "NAME_OF_A_VARIABLE" }'
_PLAIN = f"the secret itself does not belong into the configuration; {_HOW}, with the secret in that file or variable"
_NAME = r"^[A-Z_][A-Z0-9_]{0,127}$"


class SecretMissing(SecureExportError):  # noqa: N818 - reads as what it says
    """A secret cannot be read from where the configuration says it is."""


def _is_variable(value: Any) -> Any:
    """Refuse what is no variable's name without repeating it: it may be the secret, written in the wrong place."""
    if value is not None and not (isinstance(value, str) and _is_name(value)):
        raise ValueError("write the name of an environment variable, in capitals, not the secret itself")
    return value


def _is_name(text: str) -> bool:
    return 0 < len(text) <= 128 and text.isascii() and not text[0].isdigit() and _in_capitals(text)  # noqa: PLR2004


def _in_capitals(text: str) -> bool:
    return text == text.upper() and text.replace("_", "A").isalnum()


class Secret(BaseModel):
    """Where a secret is kept: in a file, or in a variable of the environment.

    It is read anew each time, so that a secret that was renewed in its place is used without a restart. It is never
    part of this object: nothing that shows settings can show it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    file: Path | None = Field(None, description="A file that holds the secret; line ends at its end do not count.")
    env: Annotated[str | None, BeforeValidator(_is_variable)] = Field(
        None, description="The name of an environment variable that holds the secret, in capitals."
    )

    @model_validator(mode="before")
    @classmethod
    def _is_no_plain_text(cls, value: Any) -> Any:
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            raise ValueError(_PLAIN)  # noqa: TRY004 - pydantic makes a message of a ValueError alone
        if not all(isinstance(key, str) and key in cls.model_fields for key in value):
            raise ValueError(f"a secret has 'file' or 'env' and nothing else; {_HOW}")
        return value

    @model_validator(mode="after")
    def _is_in_one_place(self) -> "Secret":
        if (self.file is None) == (self.env is None) or self.file == Path():
            raise ValueError(f"a secret is in one place, a file or a variable; {_HOW}")
        return self

    def read(self, environment: Mapping[str, str] = os.environ) -> str:
        """Give the secret.

        Args:
            environment: The variables there are.

        Raises:
            SecretMissing: It is not there, is empty, or is no text; the message says where it was looked for.
        """
        text = _from_file(self.file) if self.file is not None else _from_environment(self.env or "", environment)
        secret = text.rstrip("\r\n")
        if not secret.strip():
            raise SecretMissing(f"the secret in {self} is empty")
        return secret

    def beside(self, folder: Path) -> "Secret":
        """Give the same secret with a relative file lying in a folder."""
        return self if self.file is None else Secret(file=folder / self.file)

    def __str__(self) -> str:
        return f"the file {self.file}" if self.file is not None else f"the environment variable {self.env}"


def _from_file(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LONGEST_BYTES + 1)
    except OSError as error:
        raise SecretMissing(f"the secret in the file {file} cannot be read: {error.strerror or error}") from None
    if len(data) > _LONGEST_BYTES:
        raise SecretMissing(f"the file {file} is too large for a secret (more than {_LONGEST_BYTES // 1024} KiB)")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SecretMissing(f"the secret in the file {file} is no text in UTF-8") from None


def _from_environment(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise SecretMissing(f"the environment variable {name}, which holds a secret, is not set for this program")
    return environment[name]
