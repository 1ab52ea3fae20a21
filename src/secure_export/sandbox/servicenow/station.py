"""All that the door and the control API have their hands on."""

from dataclasses import dataclass, field

from secure_export.sandbox.counters import Counters
from secure_export.sandbox.servicenow.faults import Faults
from secure_export.sandbox.servicenow.instance import Instance
from secure_export.sandbox.servicenow.limits import Limits
from secure_export.sandbox.servicenow.sign_in.door import SignIn
from secure_export.sandbox.servicenow.state_file import Snapshot


@dataclass(frozen=True, slots=True)
class Station:
    """A stand-in with everything that is set about it.

    Attributes:
        instance: The instance.
        sign_in: Who may come in, and how.
        faults: The faults that are set.
        limits: What is taken at most.
        counters: What was asked.
        snapshots: Copies of the rows by name.
    """

    instance: Instance
    sign_in: SignIn
    faults: Faults
    limits: Limits
    counters: Counters
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
