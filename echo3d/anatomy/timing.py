"""When things happen in a beat: volumes, descent of the valve plane, torsion and atria over the cycle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import scipy
from numpy.typing import NDArray

if TYPE_CHECKING:
    from echo3d.anatomy.beat import BeatDraw

PHASES = 25
"""Phases of one beat, as in the cardiac MR series that the beat is held against."""


@dataclass(frozen=True, slots=True)
class Moment:
    """How far a heart has gone on its way from end-diastole (all 0) to end-systole (all 1).

    Parameters
    ----------
    lv, rv : share of the stroke volume that has left the ventricle
    long : share of the longitudinal shortening
    twist : share of the torsion
    la, ra : share of the atrium's filling
    """

    lv: float = 1.0
    rv: float = 1.0
    long: float = 1.0
    twist: float = 1.0
    la: float = 1.0
    ra: float = 1.0


END_SYSTOLE = Moment()
END_DIASTOLE = Moment(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def at_share(share: float) -> Moment:
    """Return the moment at which everything has gone the same share of its way.

    >>> at_share(0.5).lv
    0.5
    """
    return Moment(share, share, share, share, share, share)


@dataclass(frozen=True, slots=True)
class Clock:
    """The times of one beat as shares of the cycle, end-diastole (mitral closure) at 0.

    Parameters
    ----------
    opening : aortic valve opens, after isovolumic contraction
    closing : aortic valve closes: end-systole
    filling : mitral valve opens, after isovolumic relaxation
    early : length of rapid filling
    kick : start of atrial contraction
    """

    opening: float
    closing: float
    filling: float
    early: float
    kick: float


def clock_of(draw: BeatDraw) -> Clock:
    """Return the times of a drawn beat.

    The phases of contraction and relaxation last about as many milliseconds at any heart rate; diastasis takes what is left, and at a
    fast rate early and late filling run into each other. *Source:* usual echo intervals (isovolumic contraction 45 ms, relaxation 75 ms,
    rapid filling 210 ms, atrial kick 130 ms); our choice.

    >>> from echo3d.anatomy.beat import BeatDraw
    >>> clock = clock_of(BeatDraw(heart_rate=60.0, systole=0.36))
    >>> round(clock.opening, 3), clock.closing, round(clock.filling, 3)
    (0.045, 0.36, 0.435)
    """
    second = draw.heart_rate / 60.0
    filling = draw.systole + 0.075 * second
    kick = max(1.0 - 0.13 * second, filling + 0.05)
    return Clock(0.045 * second, draw.systole, filling, min(0.21 * second, 0.98 - filling), kick)


def _rise(time: NDArray, start: float, length: float, shape: tuple[float, float]) -> NDArray[np.float64]:
    """Return a smooth way from 0 to 1 that starts at ``start`` and lasts ``length``; its speed is a beta curve."""
    return np.asarray(scipy.special.betainc(*shape, np.clip((time - start) / length, 0.0, 1.0)))


_EJECT, _EARLY, _LATE = (1.7, 2.3), (2.0, 3.0), (2.2, 2.2)


def _course(time: NDArray, clock: Clock, start: float, kick: float) -> NDArray[np.float64]:
    """Return the share out of a ventricle that ejects from ``start`` on and gets back ``kick`` of it from its atrium."""
    out = _rise(time, start, clock.closing - start, _EJECT)
    early = _rise(time, clock.filling, clock.early, _EARLY)
    late = _rise(time, clock.kick, 1.0 - clock.kick, _LATE)
    return np.where(time <= clock.closing, out, 1.0 - (1.0 - kick) * early - kick * late)


def volume_share(draw: BeatDraw, time: NDArray) -> NDArray[np.float64]:
    """Return the share of the LV's stroke volume that has left at times (T,) in cycles from end-diastole.

    Isovolumic contraction, rapid then slower ejection, isovolumic relaxation, rapid filling, diastasis and an atrial kick.

    >>> from echo3d.anatomy.beat import BeatDraw
    >>> draw = BeatDraw(heart_rate=60.0, systole=0.36, kick=0.25)
    >>> volume_share(draw, np.array([0.0, 0.04, 0.36, 0.42, 0.8, 1.0])).round(3)
    array([0.  , 0.  , 1.  , 1.  , 0.25, 0.  ])
    """
    clock = clock_of(draw)
    return _course(np.asarray(time, dtype=float), clock, clock.opening, draw.kick)


def on_frames(draw: BeatDraw, phases: int = PHASES) -> BeatDraw:
    """Return the beat with its end-systole moved onto the nearest of ``phases`` equal steps.

    >>> from echo3d.anatomy.beat import BeatDraw
    >>> on_frames(BeatDraw(systole=0.37), 25).systole
    0.36
    """
    return replace(draw, systole=max(round(draw.systole * phases), 1) / phases)


def moments(draw: BeatDraw, phases: int = PHASES) -> tuple[Moment, ...]:
    """Return the moments of a beat at equal steps from end-diastole on; one of them is end-systole.

    The base follows the volume but starts at once and takes more of the kick; torsion unwinds early, mostly before the mitral valve
    opens; the atria fill through systole (reservoir), empty early (conduit), rest, and contract (booster).
    *Source:* shapes of tissue Doppler (e', a'), untwisting and atrial strain as in the textbooks; our choice of smooth pieces.
    """
    draw = on_frames(draw, phases)
    time, clock = np.arange(phases) / phases, clock_of(draw)
    lv, rv = volume_share(draw, time), _course(time, clock, 0.4 * clock.opening, draw.kick)
    long = _course(time, clock, 0.2 * clock.opening, min(1.2 * draw.kick, 0.5))
    down = _rise(time, clock.closing, 0.55 * clock.early + clock.filling - clock.closing, (1.6, 2.2))
    twist = np.where(time <= clock.closing, _rise(time, 0.0, clock.closing, (1.5, 1.8)), 1.0 - down)
    atria = _atria(time, clock, draw.booster)
    lv, rv, long, twist, atria = (np.where(time == clock.closing, 1.0, np.where(time == 0, 0.0, v)) for v in (lv, rv, long, twist, atria))
    return tuple(Moment(*(float(v) for v in row)) for row in zip(lv, rv, long, twist, atria, atria, strict=True))


def _atria(time: NDArray, clock: Clock, booster: float) -> NDArray[np.float64]:
    """Return the share of an atrium's filling: reservoir, conduit, booster."""
    reservoir = _rise(time, 0.0, clock.closing, (1.4, 1.5))
    conduit = _rise(time, clock.filling, clock.early, _EARLY)
    pump = _rise(time, clock.kick, 1.0 - clock.kick, _LATE)
    return np.where(time <= clock.closing, reservoir, 1.0 - (1.0 - booster) * conduit - booster * pump)
