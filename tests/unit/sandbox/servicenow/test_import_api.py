"""Import sets: staging rows, transform maps, coalesce, roles (servicenow-facts 7.2)."""

from typing import Any

import pytest
from tests.unit.sandbox.servicenow.apis import Answer, Apis

from secure_export.sandbox.servicenow import import_api

USERS = "/api/now/import/imp_user"
INCIDENTS = "/api/now/import/x_mioms_microsoft_oms_incident"
JOHN = {"user_id": "john.public", "first_name": "John", "last_name": "Public", "email": "john@example.com"}


def only(answer: Answer) -> dict[str, Any]:
    assert answer.status == 201
    told: list[dict[str, Any]] = answer.result
    assert len(told) == 1
    return told[0]


async def test_a_row_is_carried_over_and_told() -> None:
    """The answer is that of the documentation, with a link to what was made."""
    apis = Apis(import_api)
    answer = await apis.post(USERS, JOHN)
    told = only(answer)
    assert answer.json["import_set"].startswith("ISET")
    assert answer.json["staging_table"] == "imp_user"
    assert (told["transform_map"], told["table"], told["status"]) == ("User", "sys_user", "inserted")
    assert told["record_link"].endswith(f"/api/now/table/sys_user/{told['sys_id']}")
    assert apis.instance.get("sys_user", told["sys_id"])["email"] == "john@example.com"


async def test_coalesce_finds_what_is_there() -> None:
    """The second time it is updated, and ignored if nothing changed."""
    apis = Apis(import_api)
    first = only(await apis.post(USERS, JOHN))
    second = only(await apis.post(USERS, JOHN | {"email": "new@example.com"}))
    third = only(await apis.post(USERS, JOHN | {"email": "new@example.com"}))
    assert [one["status"] for one in (first, second, third)] == ["inserted", "updated", "ignored"]
    assert first["sys_id"] == second["sys_id"] == third["sys_id"]


async def test_an_empty_key_coalesces_nothing() -> None:
    """Two rows without one are two records; a client's sys_id is not kept."""
    apis = Apis(import_api)
    made = [only(await apis.post(INCIDENTS, {"short_description": "x", "sys_id": "a" * 32})) for _ in range(2)]
    assert made[0]["sys_id"] != made[1]["sys_id"]
    assert "a" * 32 not in {one["sys_id"] for one in made}


async def test_a_success_may_tell_an_error() -> None:
    """A refused target is told inside an answer of 201."""
    apis = Apis(import_api)
    apis.instance.before("incident", lambda change: change.abort("Nothing today"))
    told = only(await apis.post(INCIDENTS, {"short_description": "x"}))
    assert told["status"] == "error"
    assert "Nothing today" in told["error_message"]


@pytest.mark.parametrize(
    ("table", "message"), [("no_such_table", "Invalid table"), ("incident", "Invalid staging table")]
)
async def test_a_wrong_staging_table_is_told_as_an_error(table: str, message: str) -> None:
    """As ITSMC saw it, in an answer that says success."""
    told = only(await Apis(import_api).post(f"/api/now/import/{table}", {}))
    assert (told["status"], told["error_message"]) == ("error", message)


async def test_a_staging_table_without_a_map_goes_nowhere() -> None:
    """Target record not found."""
    apis = Apis(import_api)
    transform_map = apis.instance.first("sys_transform_map", "source_table=imp_user")
    assert transform_map is not None
    apis.instance.update("sys_transform_map", transform_map["sys_id"], {"active": "false"})
    assert "Target record not found" in only(await apis.post(USERS, JOHN))["error_message"]


async def test_without_the_transformer_role_it_is_written_and_answered_with_500() -> None:
    """KB0791757: an answer that cannot be trusted."""
    apis = Apis(import_api)
    loader = apis.instance.first("sys_user_role", "name=import_set_loader")
    assert loader is not None
    user = apis.instance.first("sys_user", "user_name=itil.agent")
    assert user is not None
    apis.instance.insert("sys_user_has_role", {"user": user["sys_id"], "role": loader["sys_id"]})
    answer = await apis.post(INCIDENTS, {"short_description": "Written"}, user="itil.agent")
    assert answer.status == 500
    assert apis.instance.first("incident", "short_description=Written") is not None


async def test_without_any_role_nothing_is_written() -> None:
    """Refused by the access rules of the staging table."""
    apis = Apis(import_api)
    refused = await apis.post(INCIDENTS, {"short_description": "x"}, user="itil.agent")
    assert refused.refusal.endswith("ACL Exception Insert Failed due to security constraints")
    assert apis.instance.tables.count("incident") == 0


async def test_many_rows_are_imported_without_a_word_about_each() -> None:
    """Only the ids of the import sets come back."""
    apis = Apis(import_api)
    answer = await apis.post(f"{USERS}/insertMultiple", {"records": [JOHN, JOHN | {"user_id": "jane"}]})
    assert set(answer.json) == {"import_set_id", "multi_import_set_id"}
    assert apis.instance.first("sys_user", "user_name=jane") is not None
    assert (await apis.post(f"{USERS}/insertMultiple", {"records": {}})).status == 400
    assert (await apis.post("/api/now/import/incident/insertMultiple", {"records": []})).status == 400


async def test_what_became_of_a_row_can_be_read() -> None:
    """By the id of the staging row."""
    apis = Apis(import_api)
    made = only(await apis.post(USERS, JOHN))
    staged = apis.instance.first("imp_user", "user_id=john.public")
    assert staged is not None
    answer = await apis.get(f"{USERS}/{staged['sys_id']}")
    assert [(one["status"], one["sys_id"]) for one in answer.result] == [("inserted", made["sys_id"])]
    assert (await apis.get(f"{USERS}/none")).status == 404
