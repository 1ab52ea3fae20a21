"""One at a time until it is known to work."""

import asyncio

from secure_export.itsm.first_alone import first_alone


async def test_one_is_made_at_a_time_until_one_is_proven() -> None:
    """Of a storm one goes first; when it is proven the others go together, and later ones do not wait."""
    lock, going, most = asyncio.Lock(), 0, [0, 0]
    proven = False

    async def make(number: int) -> None:
        nonlocal going, proven
        async with first_alone(lock, lambda: proven):
            before = proven
            going += 1
            most[before] = max(most[before], going)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            going -= 1
            proven = proven or number == 1

    await asyncio.gather(*(make(number) for number in range(10)))
    assert most[False] == 1
    assert most[True] > 1
