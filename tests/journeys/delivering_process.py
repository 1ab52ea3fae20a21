"""The real service as a process that delivers, with short leases on its places: ``delivering_process.py CONFIG``."""

import asyncio
import signal
import sys
from pathlib import Path

from secure_export.app import opened
from secure_export.delivery.place_keeper import Terms
from secure_export.itsm.registry import connector_types
from secure_export.service import Role, serve
from secure_export.settings_file import read_settings

TERMS = Terms(window=1.0, margin=0.5, between_renewals=0.3, soon=0.1)
LONGEST_CALL_SECONDS = 1.0
LEASE_SECONDS = TERMS.window + LONGEST_CALL_SECONDS + TERMS.margin


async def _deliver(config: Path) -> None:
    types = connector_types()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with opened(read_settings(config, types), types) as found:
        found.keepers.terms = TERMS
        await serve(found, stop=stop, roles={Role.DELIVERY})


if __name__ == "__main__":
    asyncio.run(_deliver(Path(sys.argv[1])))
