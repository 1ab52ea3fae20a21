"""What delivery's tests share."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from tests.unit.delivery.scene import Scene, open_scene

MakeScene = Callable[..., Awaitable[Scene]]


@pytest.fixture
async def make_scene(tmp_path: Path) -> AsyncIterator[MakeScene]:
    """Open scenes on this test's one store file; options are those of the connection."""
    opened: list[Scene] = []

    async def make(**options: object) -> Scene:
        opened.append(await open_scene(tmp_path, **options))
        return opened[-1]

    yield make
    for scene in opened:
        await scene.store.close()


@pytest.fixture
async def scene(make_scene: MakeScene) -> Scene:
    """Give a scene with nothing in it."""
    return await make_scene()
