"""Alive and ready, told apart: a service that waits for its store is alive and should not be restarted."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from secure_export.telemetry.recent import Recent

Check = Callable[[], Awaitable[str | None]]


class Readiness(msgspec.Struct, frozen=True):
    """Whether the service can accept and deliver.

    Attributes:
        status: ``ready`` or ``not ready``.
        checks: By name: ``ok``, or what is wrong.
    """

    status: str
    checks: dict[str, str]

    @property
    def ready(self) -> bool:
        """Whether nothing is wrong."""
        return self.status == "ready"


class Health:
    """Named checks. Each says what is wrong, or None."""

    def __init__(self, *, patience_seconds: float = 2.0) -> None:
        self._checks: dict[str, Check] = {}
        self._patience_seconds = patience_seconds
        self._recent = Recent(self.readiness)

    def add(self, name: str, check: Check) -> None:
        """Ask this check too."""
        self._checks[name] = check

    async def readiness(self) -> Readiness:
        """Ask every check, side by side."""
        said = await asyncio.gather(*(self._ask(check) for check in self._checks.values()))
        checks = {name: trouble or "ok" for name, trouble in zip(self._checks, said, strict=True)}
        return Readiness("not ready" if any(said) else "ready", checks)

    async def healthz(self) -> tuple[int, bytes]:
        """Answer ``/healthz``: that this runs says that the event loop does."""
        return 200, b'{"status":"alive"}'

    async def readyz(self) -> tuple[int, bytes]:
        """Answer ``/readyz``: 200, or 503 with what is wrong; strangers may ask, so they make us ask once a second."""
        readiness = await self._recent()
        return (200 if readiness.ready else 503), msgspec.json.encode(readiness)

    async def _ask(self, check: Check) -> str | None:
        try:
            async with asyncio.timeout(self._patience_seconds):
                return await check()
        except TimeoutError:
            return f"did not answer within {self._patience_seconds:g} s"
        except Exception as error:  # noqa: BLE001 - a check that fails is what is wrong, whatever it raised
            return f"{type(error).__name__}: {error}"
