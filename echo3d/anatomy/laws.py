"""Three laws by which the LV's wall moves for a given amplitude; each keeps every shell of wall at its volume.

* **tube** (families ``shell`` and ``piston``): a tube with a spherical cap, ``r'^p = l'^p + k (r^p - l^p) / stretch`` about a layer ``l``
  of the wall, p = 2 in the tube and 3 in the cap. In ``shell`` the inner wall leads (layer 0), in ``piston`` an outer layer.
* **confocal** (family ``wringing``): the wall moves along hyperbolas of a prolate spheroid; the volume between two spheroids over a piece
  of wall is ``cosh^3 u / 3 - cos^2 m cosh u``. *Source:* the incompressible prolate spheroid of left-ventricular kinematics (Arts 1992).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.material import CAP, Bullet, Material, lengths

LAYER = {"shell": 0.0, "piston": 0.65, "wringing": 0.35}
"""The layer of the wall (0 inner, 1 outer) that the amplitude moves; the rest follows from the wall's volume."""


@dataclass(frozen=True, slots=True)
class Push:
    """The amplitude of the LV's wall at every position: ``inward`` (M,) share, ``swelling`` and ``stretch`` (M,) factors."""

    inward: NDArray[np.float64]
    swelling: NDArray[np.float64]
    stretch: NDArray[np.float64]


_LEAST = 0.16
"""Share of its radius at which the inner wall of an emptying apex comes to rest."""


def at_least(values: NDArray, least: NDArray | float) -> NDArray[np.float64]:
    """Return values that smoothly stay above ``least`` and are unchanged where they are far above it.

    >>> at_least(np.array([-1.0, 0.0, 1.0]), 0.1).round(2).tolist()
    [0.01, 0.1, 1.01]
    """
    return np.asarray(0.5 * (values + np.sqrt(values * values + 4 * np.square(least))))


@dataclass(frozen=True, slots=True, eq=False)
class Tube:
    """Tube and cap: (M,) mm from the axis of the position, inner wall, leading layer and place in the wall; (M, 3) direction."""

    radius: NDArray[np.float64]
    inner: NDArray[np.float64]
    layer: NDArray[np.float64]
    wall: NDArray[np.float64]
    beyond: NDArray[np.float64]
    power: NDArray[np.float64]
    direction: NDArray[np.float64]

    def shift(self, push: Push) -> NDArray[np.float64]:
        """Return the (M, 3) mm by which positions move."""
        lead = (self.layer * at_least(1 - push.inward, _LEAST / 2)) ** self.power
        least = (_LEAST * self.inner) ** self.power
        gain = push.swelling / push.stretch
        rest = self.layer**self.power

        def carried(radius: NDArray) -> NDArray:
            return at_least(lead + gain * (radius**self.power - rest), least) ** (1 / self.power)

        target = carried(self.inner)
        inside = self.radius * (target / np.maximum(self.inner, 1e-6) - 1)
        outward = np.where(self.radius <= self.inner, inside, carried(self.wall) - self.wall)
        return outward[:, None] * self.direction

    def at(self, rows: NDArray) -> Tube:
        """Return the law at some positions only."""
        return replace(self, **{one.name: getattr(self, one.name)[rows] for one in fields(self)})


@dataclass(frozen=True, slots=True, eq=False)
class Confocal:
    """Prolate spheroids about the LV's axis.

    Parameters
    ----------
    u, inner, layer, wall : (M,) spheroid of the position, the inner wall, the leading layer and the place in the wall
    cosine, sine : (M,) of the hyperbola's angle from the apex
    beyond : (M,) mm outside the wall
    out : (M, 3) unit direction away from the axis
    down : (3,) unit direction to the apex
    focus : mm
    """

    u: NDArray[np.float64]
    inner: NDArray[np.float64]
    layer: NDArray[np.float64]
    wall: NDArray[np.float64]
    cosine: NDArray[np.float64]
    sine: NDArray[np.float64]
    beyond: NDArray[np.float64]
    out: NDArray[np.float64]
    down: NDArray[np.float64]
    focus: float

    def shift(self, push: Push) -> NDArray[np.float64]:
        """Return the (M, 3) mm by which positions move."""
        gain = push.swelling / push.stretch
        lead = self._content(self.layer * at_least(1 - push.inward, _LEAST / 2))
        rest = self._content(self.layer)
        least = self._content(_LEAST * self.inner)
        target = self._spheroid(at_least(lead + gain * (self._content(self.inner) - rest), least), self.inner)
        wall = self._spheroid(at_least(lead + gain * (self._content(self.wall) - rest), least), self.wall)
        inside = self.u <= self.inner
        before = np.where(inside, self.u, self.wall)
        after = np.where(inside, self.u * target / np.maximum(self.inner, 1e-6), wall)
        along = self.focus * (np.cosh(after) - np.cosh(before)) * self.cosine
        across = self.focus * (np.sinh(after) - np.sinh(before)) * self.sine
        return across[:, None] * self.out + along[:, None] * self.down

    def _content(self, u: NDArray) -> NDArray[np.float64]:
        """Return the volume measure of spheroid ``u``, 0 at the focal line."""
        c = np.cosh(u)
        return np.asarray((c**3 - 1) / 3 - self.cosine**2 * (c - 1))

    def _spheroid(self, content: NDArray, start: NDArray) -> NDArray[np.float64]:
        """Return the spheroid with a volume measure, by Newton's steps from ``start``; at least a thin one."""
        c = np.cosh(start)
        square = self.cosine**2
        wanted = np.maximum(content, 1e-6)
        for _ in range(5):
            miss = (c**3 - 1) / 3 - square * (c - 1) - wanted
            c = np.maximum(c - miss / np.maximum(c * c - square, 1e-3), 1.0 + 1e-4)
        return np.arccosh(c)

    def at(self, rows: NDArray) -> Confocal:
        """Return the law at some positions only."""
        shared = ("down", "focus")
        return replace(self, **{one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name not in shared})


def tube_of(material: Material, x: NDArray, bullet: Bullet, layer: float) -> Tube:
    """Return the tube law of the end-diastolic positions ``x`` (M, 3)."""
    height, radius, direction = bullet.split(x)
    inner = material.inner @ bullet.split(x[material.inner_points])[1]
    outer = np.maximum(material.outer @ bullet.split(x[material.outer_points])[1], inner + 2.0)
    return Tube(
        radius=radius,
        inner=inner,
        layer=inner + layer * (outer - inner),
        wall=np.clip(radius, inner, outer),
        beyond=np.maximum(radius - outer, 0),
        power=2 + np.clip(1 - height / CAP, 0, 1),
        direction=direction,
    )


Law = Tube | Confocal
"""How positions move with the LV's wall; what lies outside gets the shift of the outer wall next to it."""

_CENTRE = 0.62
"""Height of the spheroid's centre on the LV's axis."""


def confocal_of(material: Material, x: NDArray, bullet: Bullet, layer: float) -> Confocal:
    """Return the confocal law of the end-diastolic positions ``x`` (M, 3); the spheroid is fitted to the LV's inner wall."""
    long = _CENTRE * bullet.length
    height, radius, _ = bullet.split(x[material.inner_points])
    middle = np.median(radius[(height > 0.45) & (height < 0.8)])
    focus = float(np.sqrt(max(long**2 - middle**2, (0.3 * long) ** 2)))
    u, cosine, sine, out = _prolate(x, bullet, focus)
    walls = _prolate(x[material.inner_points], bullet, focus)[0], _prolate(x[material.outer_points], bullet, focus)[0]
    inner = np.maximum(material.inner @ walls[0], 0.02)
    outer = np.maximum(material.outer @ walls[1], inner + 0.02)
    size = np.sqrt(np.sinh(outer) ** 2 + sine**2)
    return Confocal(
        u=u,
        inner=inner,
        layer=inner + layer * (outer - inner),
        wall=np.clip(u, inner, outer),
        cosine=cosine,
        sine=sine,
        beyond=np.maximum(u - outer, 0) * focus * size,
        out=out,
        down=-bullet.axis,
        focus=focus,
    )


def _prolate(x: NDArray, bullet: Bullet, focus: float) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return spheroid, cosine and sine of the angle, and the direction (M, 3) away from the axis of positions (M, 3)."""
    arm = x - (bullet.apex + _CENTRE * bullet.length * bullet.axis)
    down = -(arm @ bullet.axis)
    across = arm + down[:, None] * bullet.axis
    radius = lengths(across)
    far, near = np.hypot(radius, down + focus), np.hypot(radius, down - focus)
    cosh, cosine = (far + near) / (2 * focus), np.clip((far - near) / (2 * focus), -1, 1)
    return np.arccosh(np.maximum(cosh, 1.0)), cosine, np.sqrt(1 - cosine**2), across / np.maximum(radius, 1e-6)[:, None]
