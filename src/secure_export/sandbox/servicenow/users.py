"""Who acts."""

from dataclasses import dataclass

ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """A user of the instance, with what they may do.

    Attributes:
        sys_id: Their row in ``sys_user``.
        user_name: What ``sys_created_by`` says.
        name: What people call them.
        roles: Their roles, those of their groups and contained ones too.
        time_zone: How dates are shown to them, such as ``US/Pacific``.
        date_format: As in Java, such as ``yyyy-MM-dd``.
        time_format: As in Java, such as ``HH:mm:ss``.
    """

    sys_id: str
    user_name: str
    name: str = ""
    roles: frozenset[str] = frozenset()
    time_zone: str = "US/Pacific"
    date_format: str = "yyyy-MM-dd"
    time_format: str = "HH:mm:ss"

    @property
    def is_admin(self) -> bool:
        """Tell whether access rules do not bind them."""
        return ADMIN in self.roles

    def has_role(self, *roles: str) -> bool:
        """Tell whether they have one of the roles; an administrator has all."""
        return self.is_admin or not self.roles.isdisjoint(roles)


SYSTEM = User("system", "system", "System", frozenset({ADMIN}), "UTC")
