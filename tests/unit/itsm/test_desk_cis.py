"""Which CI of the desk an imported one means."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secure_export.cmdb.contract import ConfigurationItem
from secure_export.cmdb.drafts import CiDraft
from secure_export.itsm.desk.cis import Ambiguous, after_import, meant

A = ConfigurationItem("A", "web-1", "virtual-machine", "/subscriptions/s/a", {"owner": "x"})
B = ConfigurationItem("B", "web-1", "virtual-machine", "/subscriptions/s/b")
BARE = ConfigurationItem("C", "Web-1", "virtual-machine")
UNCLASSED = ConfigurationItem("D", "web-1")
NEWCOMER = CiDraft("web-1", "virtual-machine", "/subscriptions/s/c")
OTHER = ConfigurationItem("E", "web-1", "switch")


@pytest.mark.parametrize(
    ("says", "draft", "there", "expected"),
    [
        ("a new one is new", CiDraft("web-1", "virtual-machine"), [], None),
        ("the same id is the same CI", CiDraft("renamed", "switch", "/subscriptions/s/a"), [A, B], "A"),
        ("another id is another CI", NEWCOMER, [A, B], None),
        ("an id completes the CI without one", NEWCOMER, [A, BARE], "C"),
        ("an id completes the CI without class", NEWCOMER, [UNCLASSED], "D"),
        ("class and name are enough", CiDraft("WEB-1", "Virtual-Machine"), [A, OTHER], "A"),
        ("an id completes the CI of its class first", NEWCOMER, [UNCLASSED, BARE], "C"),
        ("a name alone means the CI without class first", CiDraft("web-1"), [A, UNCLASSED], "D"),
        ("the one without id is meant first", CiDraft("web-1", "virtual-machine"), [A, B, BARE], "C"),
        ("another class is another CI", CiDraft("web-1", "firewall"), [A, BARE], None),
        ("a name alone is enough", CiDraft("web-1"), [OTHER], "E"),
        ("another name is another CI", CiDraft("web-2", "virtual-machine"), [A, BARE], None),
    ],
)  # fmt: skip
def test_meaning(says: str, draft: CiDraft, there: Sequence[ConfigurationItem], expected: str | None) -> None:
    """Each row states its rule."""
    found = meant(draft, there)
    assert (found.id if found else None) == expected


@pytest.mark.parametrize(
    ("draft", "there", "count"),
    [(CiDraft("web-1", "virtual-machine"), [A, B], 2), (CiDraft("web-1"), [A, B, OTHER], 3)],
)
def test_what_may_mean_several_is_asked_back(draft: CiDraft, there: Sequence[ConfigurationItem], count: int) -> None:
    """Without a resource id, several CIs of the name are not guessed between, and it is said how many there are."""
    with pytest.raises(Ambiguous, match=f"{count} CIs"):
        meant(draft, there)


@settings(max_examples=100, deadline=None)
@given(
    there=st.permutations([A, B, BARE, UNCLASSED, OTHER]).flatmap(
        lambda all_: st.integers(0, 5).map(lambda n: all_[:n])
    ),
    draft=st.builds(
        CiDraft,
        st.sampled_from(["web-1", "web-2"]),
        st.sampled_from(["", "virtual-machine", "switch"]),
        st.none() | st.sampled_from(["/subscriptions/s/a", "/subscriptions/s/c"]),
    ),
)
def test_a_second_import_of_the_same_changes_nothing(there: list[ConfigurationItem], draft: CiDraft) -> None:
    """What an import made of a CI is what the same import means the next time, and it stays as it is."""
    try:
        found = meant(draft, there)
    except Ambiguous:
        return
    after = after_import(found or ConfigurationItem("new", draft.name, draft.class_name, draft.resource_id), draft)
    others = [one for one in there if found is None or one.id != found.id]
    again = meant(draft, [*others, after]) if draft.resource_id else meant(draft, [after])
    assert again == after
    assert after_import(after, draft) == after
