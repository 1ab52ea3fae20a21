"""The Import Set API: ``/api/now/import/{staging}`` (servicenow-facts 7.2)."""

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from secure_export.sandbox.servicenow import transform
from secure_export.sandbox.servicenow.acl import Access
from secure_export.sandbox.servicenow.caller import caller
from secure_export.sandbox.servicenow.errors import SnowError, bad_body, no_record, security_constraint
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.rest import answer, as_admin, json_object, versioned
from secure_export.sandbox.servicenow.tables import Row
from secure_export.sandbox.servicenow.users import User

LOADER: Final = "import_set_loader"
TRANSFORMER: Final = "import_transformer"


def routes(instance: Instance) -> list[Route]:
    """Give the routes of the Import Set API, and add the shipped staging tables."""
    transform.install(instance)
    api = _ImportApi(instance)
    return [
        *versioned("now", "import/{staging}", api.one, "POST"),
        *versioned("now", "import/{staging}/insertMultiple", api.many, "POST"),
        *versioned("now", "import/{staging}/{sys_id}", api.read, "GET"),
    ]


class _ImportApi:
    """One method a door."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance

    async def one(self, request: Request) -> Response:
        """Import one row; the answer may be a success that tells an error, and an error although it was written."""
        user, staging = caller(request), request.path_params["staging"]
        values = await json_object(request)
        if (problem := self._problem(staging)) is not None:
            return answer({"import_set": "", "staging_table": staging, "result": [transform.failed(problem)]}, 201)
        self._check(staging, user)
        import_set = self._import_set(staging, user)
        told = self._imported(staging, import_set, values, user)
        if not user.has_role(TRANSFORMER):
            # Seen in the field: written, and answered as if it had failed (KB0791757).
            raise SnowError(500, "Unable to complete the transform", f"The role {TRANSFORMER} is needed.")
        return answer({"import_set": import_set["number"], "staging_table": staging, "result": told}, 201)

    async def many(self, request: Request) -> Response:
        """Import many rows; what became of them is not told."""
        user, staging = caller(request), request.path_params["staging"]
        records = (await json_object(request)).get("records")
        if not isinstance(records, list):
            raise bad_body()
        if (problem := self._problem(staging)) is not None:
            raise SnowError(400, problem, staging)
        self._check(staging, user)
        import_set = self._import_set(staging, user)
        for record in records:
            if isinstance(record, dict):
                self._imported(staging, import_set, record, user)
        several = request.query_params.get("multi_import_set_id") or self._instance.new_sys_id()
        return answer({"import_set_id": import_set["sys_id"], "multi_import_set_id": several}, 201)

    async def read(self, request: Request) -> Response:
        """Tell what became of a row that was imported."""
        user, staging = caller(request), request.path_params["staging"]
        row = self._instance.get(staging, request.path_params["sys_id"], user)
        import_set = self._instance.tables.get("sys_import_set", row.get("sys_import_set", ""))
        if import_set is None:
            raise no_record()
        told = {
            "table": row.get("sys_target_table", ""),
            "status": row.get("sys_import_state", ""),
            "sys_id": row.get("sys_target_sys_id", ""),
            "record_link": f"{self._instance.url}/api/now/table/{row['sys_target_table']}/{row['sys_target_sys_id']}",
        }
        return answer({"import_set": import_set["number"], "staging_table": staging, "result": [told]})

    def _problem(self, staging: str) -> str | None:
        if staging not in self._instance.dictionary:
            return transform.INVALID_TABLE
        is_staging = self._instance.dictionary.is_a(staging, transform.STAGING)
        return None if is_staging else transform.INVALID_STAGING

    def _check(self, staging: str, user: User) -> None:
        allowed = user.has_role(LOADER, TRANSFORMER) or self._instance.acl.row(staging, Access.CREATE, {}, user)
        if not allowed:
            raise security_constraint("Insert")

    def _import_set(self, staging: str, user: User) -> Row:
        number = f"ISET{self._instance.tables.count('sys_import_set') + 10_001:07d}"
        fields = {"number": number, "table_name": staging, "state": "processed", "mode": "synchronous"}
        return self._instance.insert("sys_import_set", fields, as_admin(user))

    def _imported(self, staging: str, import_set: Row, values: Mapping[str, Any], user: User) -> list[dict[str, Any]]:
        texts = {name: value if isinstance(value, str) else str(value) for name, value in values.items()}
        texts.pop("sys_id", None)
        texts["sys_import_set"] = import_set["sys_id"]
        row = self._instance.insert(staging, texts, as_admin(user))
        told = transform.transform(self._instance, staging, row, user)
        last = told[-1]
        done = {
            "sys_import_state": last["status"],
            "sys_import_state_comment": last.get("error_message", ""),
            "sys_target_sys_id": last.get("sys_id", ""),
            "sys_target_table": last.get("table", ""),
        }
        self._instance.update(staging, row["sys_id"], done, as_admin(user))
        return told
