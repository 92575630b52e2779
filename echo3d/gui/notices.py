"""What the program has said: short notices and errors, kept as a list; no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

KINDS = ("info", "done", "warning", "error")
SHOWN_S = {"info": 6.0, "done": 6.0, "warning": 12.0, "error": math.inf}
"""How long a notice stands; errors until they are dismissed."""
KEPT, AT_ONCE = 200, 4
"""Notices kept in the list, and shown at the same time."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that was said.

    Parameters
    ----------
    number : rises with every notice
    kind : one of ``KINDS``
    sentence : what was said
    at : seconds since the epoch, when it was said last
    until : on the same clock, when it goes; infinite for errors
    count : how often it was said in a row
    """

    number: int
    kind: str
    sentence: str
    at: float
    until: float
    count: int = 1


@dataclass(frozen=True, slots=True)
class Notices:
    """All notices.

    Parameters
    ----------
    past : from the oldest to the newest
    shown : numbers of those that stand in the window
    seen : number of the newest that the list has shown
    """

    past: tuple[Notice, ...] = ()
    shown: frozenset[int] = frozenset()
    seen: int = 0

    @property
    def standing(self) -> tuple[Notice, ...]:
        """Those that stand in the window, the newest last; errors keep their place before others."""
        standing = [notice for notice in self.past if notice.number in self.shown]
        left_out = len(standing) - AT_ONCE
        passing = [notice for notice in standing if notice.kind != "error"]
        dropped = {notice.number for notice in (passing + [n for n in standing if n.kind == "error"])[: max(left_out, 0)]}
        return tuple(notice for notice in standing if notice.number not in dropped)

    @property
    def unseen(self) -> int:
        """How many warnings and errors the list has not shown yet."""
        return sum(1 for notice in self.past if notice.number > self.seen and notice.kind in ("warning", "error"))


def said(notices: Notices, kind: str, sentence: str, now: float, *, shown: bool = True) -> Notices:
    """Return the notices with a new one; the same sentence again is counted, not repeated.

    >>> both = said(said(Notices(), "info", "Saved.", 0.0), "info", "Saved.", 1.0)
    >>> len(both.past), both.past[0].count, both.past[0].until
    (1, 2, 7.0)
    """
    last = notices.past[-1] if notices.past else None
    if last is not None and (last.kind, last.sentence) == (kind, sentence):
        again = replace(last, at=now, until=now + SHOWN_S[kind], count=last.count + 1)
        return replace(notices, past=(*notices.past[:-1], again), shown=notices.shown | ({last.number} if shown else set()))
    number = last.number + 1 if last is not None else 1
    made = Notice(number, kind, sentence, now, now + SHOWN_S[kind])
    past = (*notices.past, made)[-KEPT:]
    return replace(notices, past=past, shown=_kept(notices.shown | ({number} if shown else set()), past))


def dismissed(notices: Notices, number: int) -> Notices:
    """Return the notices with one that no longer stands in the window."""
    return replace(notices, shown=notices.shown - {number})


def expired(notices: Notices, now: float) -> Notices:
    """Return the notices without those whose time in the window is over.

    >>> notices = said(said(Notices(), "error", "It failed.", 0.0), "done", "Saved.", 0.0)
    >>> [notice.sentence for notice in expired(notices, 1e9).standing]
    ['It failed.']
    """
    late = {notice.number for notice in notices.past if notice.until <= now}
    return replace(notices, shown=notices.shown - late)


def looked_through(notices: Notices) -> Notices:
    """Return the notices after the list was opened."""
    return replace(notices, seen=notices.past[-1].number if notices.past else 0)


def cleared(notices: Notices) -> Notices:
    """Return the notices without those that do not stand in the window."""
    return replace(looked_through(notices), past=tuple(n for n in notices.past if n.number in notices.shown))


def waiting(notices: Notices) -> bool:
    """Return whether a notice stands that will go by itself."""
    return any(math.isfinite(notice.until) for notice in notices.standing)


def _kept(numbers: frozenset[int], past: tuple[Notice, ...]) -> frozenset[int]:
    """Return the numbers that are still kept."""
    return numbers & {notice.number for notice in past}
