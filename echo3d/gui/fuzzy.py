"""Finding a line by a few of its letters; no Qt."""

from __future__ import annotations

from dataclasses import dataclass

_START, _FOLLOWS, _LETTER, _GAP = 8.0, 5.0, 1.0, 0.15
"""Worth of a letter that begins a word, that follows the letter found before, of any letter; and what each letter left out costs."""


@dataclass(frozen=True, slots=True)
class Found:
    """How a line answers to what is looked for.

    Parameters
    ----------
    worth : larger is better
    places : numbers of the letters that were found, rising
    """

    worth: float
    places: tuple[int, ...]


def find(wanted: str, line: str) -> Found | None:
    """Return how a line holds all words that are looked for, in any order, each as letters that follow each other; None where it does not.

    >>> find("exp", "Export result folder").places
    (0, 1, 2)
    >>> find("echo look", "Look: as the echo view").places
    (0, 1, 2, 3, 13, 14, 15, 16)
    >>> find("rf", "Export result folder").places
    (7, 14)
    >>> find("xyz", "Export result folder") is None
    True
    """
    worth, places = 0.0, set()
    for word in wanted.lower().split():
        found = _word(word, line.lower())
        if found is None:
            return None
        worth += found.worth
        places |= set(found.places)
    return Found(worth - 0.01 * len(line), tuple(sorted(places)))


def _word(word: str, line: str) -> Found | None:
    """Return the best way to find one word's letters in a line.

    Letter by letter, for every place in the line where it stands, the best way to get there is kept.
    """
    best: dict[int, Found] = {}
    for number, letter in enumerate(word):
        here: dict[int, Found] = {}
        for at in (i for i, other in enumerate(line) if other == letter):
            own = _LETTER + (_START if _begins(line, at) else 0.0)
            if number == 0:
                here[at] = Found(own, (at,))
                continue
            ways = [_step(before, own, at) for last, before in best.items() if last < at]
            if ways:
                here[at] = max(ways, key=lambda way: way.worth)
        if not here:
            return None
        best = here
    return max(best.values(), key=lambda way: way.worth, default=None)


def _step(before: Found, own: float, at: int) -> Found:
    gap = at - before.places[-1] - 1
    return Found(before.worth + own + (_FOLLOWS if gap == 0 else -_GAP * gap), (*before.places, at))


def _begins(line: str, at: int) -> bool:
    return at == 0 or not line[at - 1].isalnum()
