"""Azure Resource Manager ids: normal form and parts.

The case of ids varies between senders, so that everything here is lower case and ids are compared in normal form
(Azure Monitor docs, "Common alert schema", ``alertTargetIDs``).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceId:
    """The parts of an id, all in lower case.

    Attributes:
        text: The whole id in normal form.
        subscription: The subscription; None for ids above subscriptions, such as management groups.
        resource_group: The resource group; None for what lies above resource groups.
        provider: The resource provider, such as ``microsoft.compute``; None for subscriptions and resource groups.
        type: Provider and types, such as ``microsoft.sql/servers/databases``; empty without provider.
        name: The name of the innermost resource, or of the group or subscription itself.
    """

    text: str
    subscription: str | None
    resource_group: str | None
    provider: str | None
    type: str
    name: str

    @property
    def is_resource(self) -> bool:
        """Whether it is a resource, and not a subscription, a resource group or what lies above them."""
        return self.provider is not None and (self.subscription is not None or self.resource_group is not None)

    def parent(self) -> str | None:
        """Give the id one level up: parent resource, resource group, subscription; None above that."""
        segments = self.text.split("/")[1:]
        if len(segments) <= 2:  # noqa: PLR2004 - kind and name of the outermost level
            return None
        kept = segments[:-2]
        if kept[-2:-1] == ["providers"]:
            kept = kept[:-2]
        return "/" + "/".join(kept) if kept else None


def normal_form(text: str) -> str:
    """Write an id in lower case, with one slash before each segment and none at the end; empty for no id."""
    segments = [segment for part in text.lower().split("/") if (segment := part.strip())]
    return "/" + "/".join(segments) if segments else ""


def parse(text: str) -> ResourceId | None:
    """Take an id apart.

    Args:
        text: What may be an id, in any case, with or without slashes at its ends.

    Returns:
        Its parts; None when it is not an ARM id that names something.
    """
    normal = normal_form(text)
    segments = normal.split("/")[1:]
    if not segments or segments[0] not in {"subscriptions", "providers"} or len(segments) % 2:
        return None
    pairs = list(zip(segments[::2], segments[1::2], strict=True))
    subscription = pairs[0][1] if pairs[0][0] == "subscriptions" else None
    group = pairs[1][1] if subscription and len(pairs) > 1 and pairs[1][0] == "resourcegroups" else None
    provider, types = _innermost(pairs)
    if provider is not None and not types:
        return None
    return ResourceId(
        text=normal,
        subscription=subscription,
        resource_group=group,
        provider=provider,
        type="/".join((provider, *types)) if provider else "",
        name=pairs[-1][1],
    )


def subscription_of(text: str) -> str | None:
    """Give the subscription that an id lies in, in lower case, whatever else the id looks like."""
    segments = normal_form(text).split("/")
    if len(segments) > 2 and segments[1] == "subscriptions":  # noqa: PLR2004 - the empty one, the word, the id
        return segments[2]
    return None


def last_segment(text: str) -> str:
    """Give what stands behind the last slash, as written."""
    return text.rstrip("/ ").rpartition("/")[2]


def _innermost(pairs: list[tuple[str, str]]) -> tuple[str | None, list[str]]:
    """The provider of the innermost resource (extension resources have two) and its types."""
    for index in range(len(pairs) - 1, -1, -1):
        if pairs[index][0] == "providers":
            return pairs[index][1], [kind for kind, _ in pairs[index + 1 :]]
    return None, []
