"""What delivery knows of one connection."""

from dataclasses import dataclass, field

from secure_export.itsm.contract import Connector
from secure_export.itsm.share import Share
from secure_export.policy.decide import Policy
from secure_export.workitems.retry import RetryPolicy


@dataclass(frozen=True, slots=True)
class Target:
    """One connection to deliver to.

    Attributes:
        name: Its name in the configuration.
        policy: What should happen.
        connector: Its tool.
        concurrency: How many lanes are worked on at a time, by all processes together.
        rate_per_second: How many steps are taken a second, by all processes together; None: as many as there are.
        retry: When to try again.
        step_timeout_seconds: After this long without an answer a step counts as unclear.
        in_process: Whether a step ends with the process that takes it; in other tools it may go on for a while.
        poll_seconds: How often the tool is asked what people changed.
        subscriptions: Whose CIs a name in an alert may mean, in lower case; None: everybody's.
        share: What of these limits this process has.
    """

    name: str
    policy: Policy
    connector: Connector
    concurrency: int = 16
    rate_per_second: float | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    step_timeout_seconds: float = 60.0
    in_process: bool = False
    poll_seconds: float = 15.0
    subscriptions: frozenset[str] | None = None
    share: Share = field(default_factory=Share)
