"""A bound in time for what is done in Azure: what hangs would keep the work from every other process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from secure_export.azure.errors import AzureUnreachable


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """End a block that has no end.

    Raises:
        AzureUnreachable: It has not ended within so many seconds.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise AzureUnreachable(f"it had not ended after {seconds:g} s, and was given up") from None
