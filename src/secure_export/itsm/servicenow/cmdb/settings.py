"""How configuration items are found in ServiceNow: ``[connections.<name>.cmdb]``."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

ClassName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,79}$")]
ColumnName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,79}(\.[a-z][a-z0-9_]{0,79}){0,3}$")]


class CmdbSettings(BaseModel):
    """What can be set for finding configuration items; nothing has to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    classes: Mapping[str, tuple[ClassName, ...]] = Field(
        default_factory=dict,
        description="Classes to look for a resource type in before the built-in ones, the best first: "
        '`"Microsoft.Web/sites" = ["u_cmdb_ci_web_app"]`.',
    )
    attributes: tuple[ColumnName, ...] = Field(
        (),
        max_length=20,
        description="Further columns of `cmdb_ci` that templates can use as `ci.<column>`, by their display value.",
    )
    use_sources: bool = Field(
        default=False,
        description="Whether `sys_object_source` is asked first. It helps where its `id` is the Azure resource id; the "
        "integration user has to be able to read it.",
    )
    found_seconds: float = Field(
        600, ge=0, le=86_400, description="For how long what was found is not asked for again."
    )
    missing_seconds: float = Field(
        30, ge=0, le=86_400, description="For how long what was not found is not asked for again."
    )

    @field_validator("classes")
    @classmethod
    def _by_lower_case_type(cls, classes: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        for name in classes:
            if name.count("/") < 1 or not name.isascii() or not all(part.strip() for part in name.split("/")):
                raise ValueError(f"{name!r} is no resource type; write it like Microsoft.Compute/virtualMachines")
        return {name.lower(): tuple(found) for name, found in classes.items()}
