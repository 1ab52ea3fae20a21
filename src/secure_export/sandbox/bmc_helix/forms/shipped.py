"""All forms that come with the stand-in."""

from functools import cache

from secure_export.sandbox.bmc_helix.forms.cmdb import cmdb_forms
from secure_export.sandbox.bmc_helix.forms.incident import incident_forms
from secure_export.sandbox.bmc_helix.forms.model import Form, Forms
from secure_export.sandbox.bmc_helix.forms.others import other_forms


def shipped_forms() -> Forms:
    """Give the forms of a new server."""
    return Forms(_forms_once())


@cache
def _forms_once() -> tuple[Form, ...]:
    return (*incident_forms(), *other_forms(), *cmdb_forms())
