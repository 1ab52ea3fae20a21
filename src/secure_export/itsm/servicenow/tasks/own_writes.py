"""Which changes in the instance are our own."""

from secure_export.itsm.servicenow.api.rows import Row, value

_MOST = 20_000


class OwnWrites:
    """Remembers what we wrote, so that it does not come back as news.

    Other processes of this program write, too: their changes are known by the user that we are in the instance, which
    the answers to our writes tell.

    Args:
        username: The user that we are, where the settings say so.
    """

    def __init__(self, username: str | None = None) -> None:
        self._users = {username.casefold()} if username else set[str]()
        self._written: dict[str, str] = {}

    @property
    def users(self) -> frozenset[str]:
        """The users that we are, in lower case, as far as is known."""
        return frozenset(self._users)

    def add(self, row: Row) -> None:
        """Take notice of a record as it was answered to a write of ours."""
        if user := value(row, "sys_updated_by"):
            self._users = {*self._users, user.casefold()}
        sys_id, count = value(row, "sys_id"), value(row, "sys_mod_count")
        if not sys_id or not count:
            return
        self._written.pop(sys_id, None)
        self._written[sys_id] = count
        if len(self._written) > _MOST:
            self._written.pop(next(iter(self._written)))

    def has(self, row: Row) -> bool:
        """Whether the latest change of a record is ours."""
        if self._written.get(value(row, "sys_id")) == value(row, "sys_mod_count"):
            return True
        return value(row, "sys_updated_by").casefold() in self._users
