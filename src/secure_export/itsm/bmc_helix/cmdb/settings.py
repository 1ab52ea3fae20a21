"""How configuration items are found in BMC's CMDB: ``[connections.<name>.cmdb]``."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

ClassName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,79}$")]
Namespace = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,79}$")]
DatasetName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_. -]{0,79}$")]


class CmdbApi(StrEnum):
    """Over which of BMC's interfaces the CMDB is read."""

    INSTANCES = "instances"
    INSTANCE = "instance"
    FORM = "form"


class Source(StrEnum):
    """What of an Azure resource an attribute of a CI holds."""

    RESOURCE_ID = "resource_id"
    NAME = "name"
    HOST_NAME = "host_name"
    RESOURCE_GROUP = "resource_group"
    SUBSCRIPTION = "subscription"


class Match(StrEnum):
    """How an attribute's value is compared with what is looked for."""

    EQUAL = "equal"
    TOKEN = "token"  # noqa: S105 - BMC's word for a key that many parts make up


BY_NAME = frozenset({Source.NAME, Source.HOST_NAME})
BY_WHOLE = frozenset({Source.RESOURCE_GROUP, Source.SUBSCRIPTION})


class CiLookup(BaseModel):
    """One rule for looking a CI up: BMC calls it a query of the *Class Query Mapping*.

    ``class`` is a word of Python's, hence the other name here.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    class_name: ClassName = Field(
        alias="class", description="The class that is asked, such as `BMC_ComputerSystem`; classes below it count, too."
    )
    attribute: AttributeName = Field(description="The attribute that is compared, such as `Name` or `TokenId`.")
    source: Source = Field(
        description="What it is compared with: `resource_id` (the whole Azure resource id in lower case), `name`, "
        "`host_name` (the name up to its first dot), `resource_group` or `subscription` (a CI that stands in for all "
        "that lies in it, by its name or id)."
    )
    match: Match = Field(
        Match.EQUAL,
        description="`equal`, or `token`: the value begins with what is looked for and a colon, as the `TokenId` that "
        "BMC Discovery writes (`web01:example.com`).",
    )
    namespace: Namespace = Field("BMC.CORE", description="The namespace of the class; extensions have their own.")

    @model_validator(mode="after")
    def _token_is_a_name(self) -> Self:
        if self.match is Match.TOKEN and self.source not in BY_NAME:
            raise ValueError("match = 'token' compares names: set source to 'name' or 'host_name'")
        return self


def _rule(class_name: str, attribute: str, source: Source, match: Match = Match.EQUAL) -> CiLookup:
    return CiLookup(class_name=class_name, attribute=attribute, source=source, match=match)


DEFAULT_LOOKUPS = (
    _rule("BMC_BaseElement", "TokenId", Source.RESOURCE_ID),
    _rule("BMC_ComputerSystem", "Name", Source.NAME),
    _rule("BMC_ComputerSystem", "HostName", Source.HOST_NAME),
    _rule("BMC_ComputerSystem", "TokenId", Source.HOST_NAME, Match.TOKEN),
    _rule("BMC_CloudInstance", "Name", Source.NAME),
    _rule("BMC_BaseElement", "Name", Source.NAME),
)
"""Rules for a CMDB that BMC Discovery fills; the first that finds a CI decides.

No standard attribute holds an Azure resource id; sites that keep one mostly put it into ``TokenId``, which every class
has (BMC documentation, "CDM Mapping for Cloud").
"""


class CmdbSettings(BaseModel):
    """What can be set for finding configuration items; nothing has to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    api: CmdbApi = Field(
        CmdbApi.INSTANCES,
        description="How the CMDB is read: `instances` (`/api/cmdb/v1.0/instances`), `instance` "
        "(`/api/cmdb/v1/instance` of older servers), or `form` (the AR forms `BMC.CORE:…`, for users without rights on "
        "the CMDB API).",
    )
    dataset: DatasetName = Field("BMC.ASSET", description="The dataset that is read; ITSM itself reads `BMC.ASSET`.")
    ci_lookup: tuple[CiLookup, ...] = Field(
        DEFAULT_LOOKUPS,
        max_length=30,
        description="The rules by which CIs are looked up, in order; the first that finds one decides.",
    )
    attributes: tuple[AttributeName, ...] = Field(
        (),
        max_length=20,
        description="Further attributes that templates can use as `ci.<attribute>`. They are left out where a class "
        "does not have them.",
    )
    asset_forms: Mapping[str, str] = Field(
        default_factory=dict,
        description="Forms of Asset Management by class, where a form is not named after its class: "
        '`X_Appliance = "AST:Appliance"`.',
    )
    found_seconds: float = Field(
        600, ge=0, le=86_400, description="For how long what was found is not asked for again."
    )
    missing_seconds: float = Field(
        30, ge=0, le=86_400, description="For how long what was not found is not asked for again."
    )

    @field_validator("asset_forms")
    @classmethod
    def _by_class_id(cls, forms: Mapping[str, str]) -> Mapping[str, str]:
        return {name.upper(): form for name, form in forms.items()}
