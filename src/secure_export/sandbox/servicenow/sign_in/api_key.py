"""API keys: one is of use only with an inbound authentication profile and an access policy (servicenow-facts 8.2)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from secure_export.sandbox.servicenow.call import Call

NAME: Final = "x-sn-apikey"


class Place(StrEnum):
    """Where a key may stand."""

    HEADER = "header"
    QUERY = "query"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of the table *REST API Key*.

    Attributes:
        value: What is shown.
        user: For whom it speaks, by ``user_name``.
        active: Whether it is of use.
    """

    value: str
    user: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class AuthProfile:
    """An inbound authentication profile of the kind *API key*.

    Attributes:
        name: Its name.
        places: Where keys may stand.
    """

    name: str
    places: frozenset[Place] = frozenset(Place)


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """A REST API access policy.

    Attributes:
        name: Its name.
        api: The beginning of the paths that it is for; empty: a global policy, which does not open an API to keys.
        profiles: The names of the profiles that it allows.
    """

    name: str
    api: str
    profiles: tuple[str, ...]


class ApiKeys:
    """The keys, profiles and policies of an instance."""

    def __init__(self) -> None:
        self.keys: dict[str, ApiKey] = {}
        self.profiles: dict[str, AuthProfile] = {}
        self.policies: list[AccessPolicy] = []

    def add(self, key: ApiKey) -> None:
        """Add a key, or put another in its place."""
        self.keys[key.value] = key

    def allow(self, *apis: str, places: frozenset[Place] = frozenset(Place)) -> None:
        """Make a profile and the policies that let keys be used for APIs, named by the beginning of their paths."""
        profile = AuthProfile(f"API key {len(self.profiles) + 1}", places)
        self.profiles[profile.name] = profile
        self.policies += [AccessPolicy(f"API key for {api}", api, (profile.name,)) for api in apis]

    def shown(self, call: Call) -> str:
        """Give the key that a request shows; empty: none."""
        return call.headers.get(NAME, "") or call.parameters.get(NAME, "")

    def user(self, call: Call) -> str | None:
        """Say for whom the key of a request speaks, by ``user_name``; None: for nobody, at this API and place."""
        places = {Place.HEADER: call.headers.get(NAME, ""), Place.QUERY: call.parameters.get(NAME, "")}
        for profile in self._profiles_for(call.path):
            for place in sorted(profile.places):
                key = self.keys.get(places[place])
                if key is not None and key.active:
                    return key.user
        return None

    def _profiles_for(self, path: str) -> Iterator[AuthProfile]:
        for policy in self.policies:
            if policy.api and path.startswith(policy.api):
                yield from (self.profiles[name] for name in policy.profiles if name in self.profiles)
