"""The settings of a connection: what is taken, and what is refused with a word."""

from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.itsm.bmc_helix.fake_ar import US, settings

from secure_export.itsm.bmc_helix.settings import OUR_FIELDS, WhenNotResolvable, why_not_settable


def test_little_is_needed() -> None:
    """Address, user and password; the rest has values that suit."""
    told = settings()
    assert (told.key_field, told.login) == ("Vendor Ticket Number", US)
    assert told.when_not_resolvable is WhenNotResolvable.NOTE
    assert told.status_reasons[0] == "Automated Resolution Reported"
    assert (told.reported_source, told.service_type) == ("Systems Management", "Infrastructure Event")


@pytest.mark.parametrize("written", ["Hardware > Server > Disk", ["Hardware", "Server", "Disk"]])
def test_categories_in_two_forms(written: Any) -> None:
    """Tiers as a list, or as BMC shows them."""
    assert settings(operational_categories=written).operational_categories == ("Hardware", "Server", "Disk")


@pytest.mark.parametrize(
    ("further", "word"),
    [
        ({"fields": {"Status": "Closed"}}, "Status is written by"),
        ({"fields": {"a'b": "x"}}, "no name of a field"),
        ({"key_field": "Description"}, "name another key_field"),
        ({"key_field": "mc_ueid", "fields": {"mc_ueid": "x"}}, "name another key_field"),
        ({"key_field": "a'b"}, "no name of a field"),
        ({"impact": {"1": "High"}}, "each of 1, 2 and 3"),
        ({"customer": {"first_name": "Ada"}}, "belong together"),
        ({"customer": {}}, "name somebody"),
        ({"incident_url": "https://x/{number}/{secret}"}, "{number}"),
        ({"incident_url": "https://x/incident"}, "{number}"),
        ({"incident_url": "https://x/{number"}, "number"),
        ({"incident_url": "/x/{number}"}, "scheme and host"),
        ({"operational_categories": "A > B > C > D"}, "at most 3"),
        ({"status_reasons": []}, "at least 1"),
        ({"asignee": {"name": "x"}}, "Extra inputs"),
        ({"url": "https://acme-restapi.onbmc.com/api"}, "leave out /api"),
        ({"url": "https://acme-restapi.onbmc.com/api/arsys/v1"}, "leave out /api"),
        ({"url": "https://acme.example/ar/api/jwt/login"}, "leave out /api"),
    ],
)
def test_what_is_refused(further: dict[str, Any], word: str) -> None:
    """A mistake is told in words that say what to write."""
    with pytest.raises(ValidationError) as caught:
        settings(**further)
    assert word in str(caught.value)


@pytest.mark.parametrize("name", sorted(OUR_FIELDS))
def test_our_fields_are_ours(name: str) -> None:
    """A route sets none of them."""
    assert why_not_settable(name)


@pytest.mark.parametrize(
    "name", ["Product Name", "Categorization Tier 1", "z2AF_Act_Attachment_1", "Product Model/Version"]
)
def test_other_fields_are_the_sites(name: str) -> None:
    """A route may set any other field, by the form's own name."""
    assert why_not_settable(name) is None
