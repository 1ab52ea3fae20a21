"""The settings of a connection of type ``desk``."""

from pydantic import BaseModel, ConfigDict, Field


class DeskSettings(BaseModel):
    """What can be set for the embedded desk; nothing has to be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    assignment_group: str = Field(
        default="", description="The group that new incidents go to when the route names none.", max_length=200
    )
