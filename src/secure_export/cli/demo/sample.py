"""An alert for people to send by hand while the demo runs."""

import json
import random
from datetime import datetime
from typing import Final

from secure_export.sandbox.azure_monitor import catalogue
from secure_export.sandbox.azure_monitor.estate import Estate

_KIND: Final = "metric-static"
_RULE: Final = "sent-by-hand"


def sample_alert(estate: Estate, now: datetime) -> bytes:
    """Give the body of an alert about one of the demo's resources, in a subscription that its connection takes."""
    shop = catalogue.Workshop(estate, now, random.Random(), _RULE)  # noqa: S311 - an id need not be secret
    return json.dumps(catalogue.build(_KIND, shop).fired.body(common_schema=True), indent=2).encode()
