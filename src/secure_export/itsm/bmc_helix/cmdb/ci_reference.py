"""What a configuration item of BMC's CMDB is known by in a work item: pure.

An incident is bound to a CI by four values (BMC documentation, "Associating entries with configuration items"): its
name, its reconciliation identity, its class, and the form of Asset Management that shows it. A binding keeps a CI's id
and its name alone, so that the id holds what the other three are made of: class and reconciliation identity.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_CLASS = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}")
_IDENTITY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.#-]{0,99}")
NOT_RECONCILED = "0"
"""The reconciliation identity of a CI that reconciliation has not seen yet: it cannot be bound."""


@dataclass(frozen=True, slots=True)
class CiReference:
    """A reconciled CI.

    Attributes:
        class_name: Its class as the CMDB writes it, such as ``BMC_ComputerSystem``.
        identity: Its ``ReconciliationIdentity``, the same in every dataset.
    """

    class_name: str
    identity: str

    @property
    def text(self) -> str:
        """The id that bindings hold: ``BMC_ComputerSystem:OI-…``."""
        return f"{self.class_name}:{self.identity}"

    @property
    def class_id(self) -> str:
        """Its ``ClassId``, as the fields of incidents want it: ``BMC_COMPUTERSYSTEM``."""
        return self.class_name.upper()

    def asset_form(self, forms: Mapping[str, str]) -> str:
        """Give the form of Asset Management for it, such as ``AST:ComputerSystem``.

        Args:
            forms: By ``ClassId`` in capitals, the forms that are not named after their class.
        """
        return forms.get(self.class_id) or f"AST:{self.class_name.removeprefix('BMC_')}"


def reference(text: str | None) -> CiReference | None:
    """Read the id of a binding; None when it is none of ours, or of a CI that is not reconciled."""
    class_name, _, identity = (text or "").partition(":")
    if not _CLASS.fullmatch(class_name) or not _IDENTITY.fullmatch(identity) or identity == NOT_RECONCILED:
        return None
    return CiReference(class_name, identity)
