"""Which exchange meets which fault: a deck of cards, shuffled by the seed.

A deck, because dice may leave a kind out of a short run: whoever plays one deck through
has met every kind.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping


class Deck:
    """Deals the faults of *cards*, a number of each kind among *size* exchanges.

    >>> deck = Deck("1", 4, {"reset": 1})
    >>> sorted(filter(None, [deck.deal() for _ in range(8)]))
    ['reset', 'reset']
    """

    def __init__(self, seed: str, size: int, cards: Mapping[str, int]) -> None:
        self._random = random.Random(seed)
        faults = [kind for kind, number in cards.items() for _ in range(number)]
        self._cards: list[str | None] = [*faults, *[None] * (size - len(faults))]
        self._left: list[str | None] = []
        self._returned: list[str] = []
        #: Whether anything is dealt but good luck.
        self.active = True
        #: How often each kind was carried out.
        self.counts: Counter[str] = Counter(dict.fromkeys(cards, 0))

    def deal(self) -> str | None:
        """The fault of the next exchange, or ``None``."""
        if not self.active:
            return None
        if self._returned:
            return self._returned.pop(0)
        if not self._left:
            self._left = self._cards.copy()
            self._random.shuffle(self._left)
        return self._left.pop()

    def put_back(self, kind: str) -> None:
        """It did not fit the exchange that it was dealt to; the next one gets it."""
        self._returned.append(kind)

    def done(self, kind: str) -> None:
        """Count a fault that was carried out."""
        self.counts[kind] += 1

    def between(self, low: float, high: float) -> float:
        """A number that the seed decides."""
        return self._random.uniform(low, high)

    def below(self, limit: int) -> int:
        """A whole number from 0 up that the seed decides."""
        return self._random.randrange(limit)
