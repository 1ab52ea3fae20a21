"""Whether look-ups by key can be believed."""

from tests.unit.itsm.servicenow.fake_instance import FakeInstance, world


async def test_look_ups_that_work_are_believed() -> None:
    """A key that nobody has finds nothing, and the count says so."""
    there = world()
    assert await there.tools.canary.trouble("incident") == ""
    (asked,) = [one for one in there.instance.asked if one.table == "incident"]
    key = asked.query["sysparm_query"]
    assert key.startswith("correlation_id=azmon1:canary:")
    await there.tools.canary.trouble("incident")
    assert there.instance.asked[-1].query["sysparm_query"] != key, "no two tries ask for the same key"


async def test_any_row_for_nobodys_key_is_trouble() -> None:
    """Shown or hidden: what is counted for a key that nobody has was not asked for."""
    for hides in (False, True):
        there = world(FakeInstance(ignored={"correlation_id"}))
        there.instance.hidden = (lambda _: True) if hides else (lambda _: False)
        there.instance.put("incident", "a" * 32)
        assert "passes over correlation_id" in await there.tools.canary.trouble("incident")


async def test_what_passed_is_not_tried_again_for_a_while_and_shared() -> None:
    """A storm of alerts does not mean a storm of tries."""
    there = world()
    for _ in range(3):
        await there.tools.canary.passes("incident")
    assert there.instance.calls("incident") == ["GET incident"]
    there.later(minutes=16)
    await there.tools.canary.passes("incident")
    assert there.instance.calls("incident") == ["GET incident"] * 2
