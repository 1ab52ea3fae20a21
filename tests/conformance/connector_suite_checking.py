"""Checking a connection, its CMDB, and closing it: rules of every connector."""

from tests.conformance.connector_suite_steps import knows, vm
from tests.conformance.connector_suite_tool import Fault, Tool


class CheckingRules:
    """Checking a connection, its CMDB, and closing it."""

    async def test_a_check_leaves_no_trace(self, tool: Tool) -> None:
        """Every permission is tried, all pass, and no record is left behind."""
        before = await tool.count()
        results = await tool.connector.check()
        assert results
        assert all(result.passed and result.subject and result.detail for result in results)
        assert await tool.count() == before

    async def test_a_check_names_what_is_wrong(self, tool: Tool) -> None:
        """A check of a tool that cannot be used fails with words, and does not raise."""
        knows(tool, Fault.UNREACHABLE)
        with tool.failing(Fault.UNREACHABLE):
            results = await tool.connector.check()
        failed = [result for result in results if not result.passed]
        assert failed
        assert all(result.detail for result in failed)
        assert not any(secret in result.detail for result in results for secret in tool.secrets)

    async def test_cis_are_found_by_resource_id(self, tool: Tool) -> None:
        """Ids are compared without regard to case, and come back in normal form."""
        ci = await tool.add_ci("VM-Web-1", vm("vm-web-1"))
        await tool.add_ci("vm-web-2", vm("vm-web-2"))
        for asked in (vm("vm-web-1"), vm("VM-WEB-1").upper()):
            found = await tool.connector.cmdb.by_resource_ids([asked, vm("missing")])
            assert [(one.id, one.name, one.resource_id) for one in found] == [(ci, "VM-Web-1", vm("vm-web-1"))]

    async def test_cis_are_found_by_name(self, tool: Tool) -> None:
        """Every CI of a name is given; names are compared without regard to case."""
        ours = {await tool.add_ci("shop", vm("shop")), await tool.add_ci("SHOP", vm("shop-2"))}
        await tool.add_ci("shop-window", vm("window"))
        for asked in (["shop"], ["Shop", "missing"]):
            assert {one.id for one in await tool.connector.cmdb.by_names(asked)} == ours

    async def test_asking_the_cmdb_for_nothing_gives_nothing(self, tool: Tool) -> None:
        """No ids and no names are no CIs, not all of them."""
        await tool.add_ci("shop", vm("shop"))
        assert list(await tool.connector.cmdb.by_resource_ids([])) == []
        assert list(await tool.connector.cmdb.by_names([])) == []

    async def test_closing_twice_is_closing_once(self, tool: Tool) -> None:
        """A stop that is repeated does no harm."""
        await tool.connector.close()
        await tool.connector.close()
