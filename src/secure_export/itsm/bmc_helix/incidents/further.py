"""The further fields of a new incident: for whom it is, who gets it, its categories, and what the site defines."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from secure_export.itsm.bmc_helix.forms import CREATE, FormShape
from secure_export.itsm.bmc_helix.settings import BmcHelixSettings, why_not_settable
from secure_export.itsm.bmc_helix.site import Group, Site
from secure_export.itsm.texts import cut, utf8_bytes
from secure_export.workitems.work_item import WorkItem

_GROUP_FIELDS = ("Assigned Support Company", "Assigned Support Organization", "Assigned Group")
_MOST_NAMED = 12


@dataclass(slots=True)
class Further:
    """Fields for a new incident.

    Attributes:
        values: What is sent.
        remarks: What was left out or done differently.
    """

    values: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


async def further_fields(item: WorkItem, settings: BmcHelixSettings, site: Site) -> Further:
    """Give the further fields of an incident; what BMC is known not to take is left out and told.

    Args:
        item: The work item.
        settings: The connection's settings.
        site: Knows the forms and names of the site.

    Raises:
        Ended: The server gave no answer now.
    """
    further = Further()
    asked = dict(item.desired.content.fields)
    for name in [name for name in asked if why_not_settable(name) is not None or name == settings.key_field]:
        why = why_not_settable(name) or f"{name} holds our key"
        further.remarks.append(f"{why}: it was left out")
        del asked[name]
    wanted = _defaults(settings) | dict(await _group(item, settings, site, further))
    template = asked.pop("TemplateID", None) or asked.pop("HPD_TemplateName", None) or settings.template
    if template:
        wanted |= dict(await _template(template, site, further))
    shape = await site.shape(CREATE)
    for name, text in {**wanted, **settings.fields}.items():
        if name not in asked:
            _take(name, text, shape, further, quiet=name not in settings.fields)
    for name, text in asked.items():
        _take(name, text, shape, further, quiet=False)
    return further


def matching(label: str, shape: FormShape, name: str) -> str:
    """Give the label that a selection has for one of ours: sites rename what stands behind the number in front."""
    found = shape.fields.get(name)
    if found is None or not found.labels or label in found.labels:
        return label
    number = label.partition("-")[0]
    alike = [one for one in found.labels if number.isdigit() and one.partition("-")[0].strip() == number]
    return alike[0] if alike else label


def _defaults(settings: BmcHelixSettings) -> dict[str, str]:
    customer, service = settings.customer, settings.service_ci
    tiers = {
        **{f"Categorization Tier {place}": tier for place, tier in enumerate(settings.operational_categories, 1)},
        **{f"Product Categorization Tier {place}": tier for place, tier in enumerate(settings.product_categories, 1)},
    }
    given = {
        "Company": settings.company,
        "Contact_Company": settings.company if customer is not None else None,
        "First_Name": customer.first_name if customer else None,
        "Last_Name": customer.last_name if customer else None,
        "Login_ID": customer.login_id if customer else None,
        "Person ID": customer.person_id if customer else None,
        "Reported Source": settings.reported_source,
        "Service_Type": settings.service_type,
        "ServiceCI": service.name if service else None,
        "ServiceCI_ReconID": service.reconciliation_id if service else None,
        **tiers,
    }
    return {name: text for name, text in given.items() if text}


async def _group(item: WorkItem, settings: BmcHelixSettings, site: Site, further: Further) -> Mapping[str, str]:
    """Give the three texts of the support group; BMC routes by its own rules where there is none."""
    asked, own = item.desired.content.assignment_group, settings.support_group
    if asked:
        named = _named(asked)
    elif own is not None and own.group:
        named = Group(own.company or "", own.organization or "", own.group)
    else:
        return {}
    found = await site.group(named) if not (named.company and named.organization) else None
    if found is None or isinstance(found.value, Group):
        group = found.value if found is not None and isinstance(found.value, Group) else named
    elif own is not None and own.company and own.organization:
        group = Group(own.company, own.organization, named.name)
    else:
        further.remarks.append(f"the support group {named.name!r} was left out: {found.why}")
        return {}
    return dict(zip(_GROUP_FIELDS, (group.company, group.organization, group.name), strict=True))


def _named(text: str) -> Group:
    """Read a group as people write it: its name, or ``Company > Organization > Group``, as BMC shows it."""
    parts = [part.strip() for part in text.replace("->", ">").split(">")]
    match [part for part in parts if part]:
        case [company, organization, name]:
            return Group(company, organization, name)
        case [organization, name]:
            return Group("", organization, name)
        case _:
            return Group(name=text.strip())


async def _template(name: str, site: Site, further: Further) -> Mapping[str, str]:
    if _is_instance_id(name):
        return {"TemplateID": name}
    found = await site.template(name)
    if not isinstance(found.value, str):
        further.remarks.append(f"the template was left out: {found.why}")
        return {}
    return {"TemplateID": found.value}


def _is_instance_id(text: str) -> bool:
    """Whether a text has the form of an ``InstanceId``, such as ``AGGAA5V0GO2Y0APMV93LPLY5FREVV1``."""
    return len(text) >= 15 and text.isalnum() and text.isupper() and any(one.isdigit() for one in text)  # noqa: PLR2004


def _take(name: str, text: str, shape: FormShape, into: Further, *, quiet: bool) -> None:
    """Take a field if the form has it, as long as it may be, and with a label that it has."""
    text = text.strip()
    if not text:
        return
    if not shape.has(name):
        if not quiet:
            into.remarks.append(f"{CREATE} has no field {name}: it was left out (capitals and underscores count)")
        return
    found = shape.fields.get(name)
    if found is not None and found.labels:
        label = next((one for one in found.labels if one == text or one.casefold() == text.casefold()), None)
        if label is None:
            labels = ", ".join(found.labels[:_MOST_NAMED])
            into.remarks.append(f"{name} was left out: {cut(text, 60, size=len)!r} is none of its values ({labels})")
            return
        text = label
    if found is not None and found.longest is not None and utf8_bytes(text) > found.longest:
        text = cut(text, found.longest, size=utf8_bytes)
        into.remarks.append(f"{name} was cut to the {found.longest} characters that it takes")
    into.values[name] = text
