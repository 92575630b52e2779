"""The template laid onto any heart: where it goes, how sure each point is, and how far it still is from the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.spatial import cKDTree

from echo3d.core.mesh import Template
from echo3d.errors import InputError, RegistrationFailed
from echo3d.registration.cloud import Cloud, carried, surface_cloud, thinned
from echo3d.registration.flow import flow_samples, load_flow
from echo3d.registration.matching import Matcher
from echo3d.registration.parts import template_parts
from echo3d.registration.prealign import from_landmarks, from_parts, from_search, procrustes
from echo3d.registration.refine import refine
from echo3d.registration.shape import load_shape
from echo3d.registration.shapefit import Similarity, Source, fit_shape
from echo3d.registration.spline import Samples, SplineConfig, anisotropic, averaged, folds, gaussian_spline, unfolded
from echo3d.registration.transport import TransportConfig, transport_by_tag

Method = Literal["transport", "spline", "pointpwc", "shape"]

FEWEST_POINTS = 100

MOST_DEVIATIONS = 2.3
"""Root mean square of the shape's coefficients above which a surface is no heart. Hearts measure 0.9 to 1.8, a sphere 2.7."""

FADE_MM = 10.0
"""Distance from the nearest part seen within which a point of a part unseen is still worth something. Our choice."""


class RegisterConfig(BaseModel):
    """How the template is laid onto a target."""

    model_config = ConfigDict(frozen=True)

    method: Method = Field(
        "shape",
        description="transport: equation 4 alone; spline: transport, then the spline; pointpwc: the network, then both, as in the paper; "
        "shape: the cohort's shapes, then the surface.",
    )
    transport: TransportConfig = Field(TransportConfig(), description="For the first two methods.")
    spline: SplineConfig = Field(SplineConfig(), description="For the second.")
    flow_spline: SplineConfig = Field(SplineConfig(widths_mm=(5.0, 10.0), shares=(0.5, 0.5)), description="For the network's flow.")
    steps: int = Field(6, ge=1, le=50, description="Steps of the fit of shapes.")
    fit_mm: float = Field(5.0, gt=0, description="Spacing of the target's points in that fit.")
    surface_mm: float = Field(1.5, gt=0, description="Spacing of the target's points when the surface is drawn near.")
    most_mm: float = Field(4.0, gt=0, description="Mean distance of the template from the surface above which a registration has failed.")


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A heart without correspondence.

    Parameters
    ----------
    points : (M, 3) mm
    faces : (F, 3), normals leaving the parts
    tags : (F,) structures and roles of ``core``; all 0 where nothing is known
    landmarks : those of ``core.mesh.LANDMARKS`` that were found, (3,) mm
    """

    points: NDArray[np.float64]
    faces: NDArray[np.int32]
    tags: NDArray[np.uint8]
    landmarks: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """The template on a target.

    Parameters
    ----------
    points : (N, 3) mm, all material points in the target's frame
    start : similarity by which the template was brought there first
    confidence : (N,) 0 to 1: how near the surface lies that a point belongs to; a half at most where the target has no such part
    distance_mm : mean distance between the surfaces, both ways
    distance95_mm : what 95 % of the surface stay below
    by_tag_mm : the mean distance per part
    folded : points at which the displacement turns space inside out
    """

    points: NDArray[np.float64]
    start: Similarity
    confidence: NDArray[np.float64]
    distance_mm: float
    distance95_mm: float
    by_tag_mm: dict[int, float]
    folded: int


def register(template: Template, target: Target, config: RegisterConfig | None = None) -> Registration:
    """Return the template laid onto a target.

    Parameters
    ----------
    template : any
    target : a heart's surface with the parts of the template, or some of them
    config : method and its settings

    Raises
    ------
    InputError
        If the target is no surface.
    RegistrationFailed
        If the template does not lie on it in the end; the message has the distance that is left.
    """
    config = config or RegisterConfig()
    check_target(target)
    other = surface_cloud(target.points, target.faces, target.tags)
    source = Source(template, *template_parts(template, np.unique(other.tags)))
    if not len(source.faces):
        raise InputError("a target must have a part that the template has too, found none; say what its parts are with --mapping FILE")
    start = _start(template, source, other, target.landmarks)
    points = start.carry(template.points)
    if not _lies_on(source.cloud(points), other):
        points = _SOLVERS[config.method](source, other, start, config)
        points = unfolded(_carried(template, points), points)
    return _checked(source, other, _Placed(start, points), config)


def _carried(template: Template, points: NDArray) -> NDArray[np.float64]:
    """Return the template's points (N, 3) brought over a heart's as a whole, so that what is left between them is bending alone."""
    return procrustes(template.points, points).carry(template.points)


def _lies_on(cloud: Cloud, other: Cloud) -> bool:
    """Return whether a cloud lies on another already, to a thousandth of a millimetre, so that nothing is left to bend."""
    return all(cKDTree(b.points).query(a.points)[0].max() < 1e-3 for a, b in ((cloud, other), (other, cloud)))


def check_target(target: Target) -> None:
    """Refuse what is no surface of a heart.

    Raises
    ------
    InputError
        If it is empty, too coarse, not finite, or without area.
    """
    count = len(np.unique(np.round(target.points[np.unique(target.faces)], 6), axis=0)) if len(target.faces) else 0
    if not np.isfinite(target.points).all():
        raise InputError("a target's points must be finite numbers, found some that are not; repair the mesh")
    if count < FEWEST_POINTS:
        raise InputError(f"a heart's surface must have {FEWEST_POINTS} different points at least, found {count}; give a finer mesh")
    corners = target.points[target.faces]
    if not np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1).sum() > 0:
        raise InputError("a heart's surface must have an area, found none; give a mesh with triangles")


@dataclass(frozen=True, slots=True, eq=False)
class _Placed:
    """Where the template began and where its points are now."""

    start: Similarity
    points: NDArray[np.float64]


def _start(template: Template, source: Source, other: Cloud, landmarks: Mapping[str, NDArray]) -> Similarity:
    """Return the first similarity by the surest way that the target allows."""
    own = {name: template.points[index] for name, index in template.landmarks.items()}
    cloud = source.cloud(template.points)
    return from_landmarks(own, landmarks) or from_parts(cloud, other) or from_search(cloud, other)


def _by_transport(source: Source, other: Cloud, start: Similarity, config: RegisterConfig) -> NDArray[np.float64]:
    """Return the material points where equation 4 sends them; those of no surface go with their neighbours."""
    moved = start.carry(source.template.points)
    samples = _transported(source, other, moved, config.transport)
    return moved + averaged(samples, moved, 1.0)


def _by_spline(source: Source, other: Cloud, start: Similarity, config: RegisterConfig) -> NDArray[np.float64]:
    """Return the material points where the spline through the transport carries them, then transport again, smoothed along the surface."""
    moved = start.carry(source.template.points)
    moved = moved + gaussian_spline(_transported(source, other, moved, config.transport), moved, config.spline)
    return _again(source, other, moved, config)


def _again(source: Source, other: Cloud, moved: NDArray, config: RegisterConfig) -> NDArray[np.float64]:
    """Return points (N, 3) drawn nearer by transport from where they are, smoothed along the surface, some times over."""
    for _ in range(config.spline.again):
        samples = _transported(source, other, moved, config.transport)
        smooth = anisotropic(samples, look_mm=config.spline.look_mm, width_mm=config.spline.along_mm, least=config.spline.least)
        moved = moved + averaged(replace(samples, vectors=smooth), moved, 1.0)
    return moved


def _transported(source: Source, other: Cloud, moved: NDArray, config: TransportConfig) -> Samples:
    """Return what transport by parts says of the points that have a partner."""
    cloud = source.cloud(moved)
    goal, _ = thinned(other, config.blur * config.unit_mm)
    way = transport_by_tag(cloud, goal, config)
    sent = way.mass > 1e-3
    return Samples(cloud.points[sent], way.displacement[sent], (cloud.weights * way.mass)[sent])


def _by_shape(source: Source, other: Cloud, start: Similarity, config: RegisterConfig) -> NDArray[np.float64]:
    """Return the material points of the nearest heart of the cohort's shapes, drawn onto the surface."""
    prior = load_shape(source.template.sha256)
    fit = fit_shape(source, prior, Matcher(thinned(other, config.fit_mm)[0]), start, steps=config.steps)
    away = float(np.sqrt((fit.coefficients**2).mean()))
    if away > MOST_DEVIATIONS:
        left = float(np.mean(cKDTree(other.points).query(source.cloud(fit.points).points)[0]))
        raise RegistrationFailed(
            f"a heart must lie within {MOST_DEVIATIONS:g} standard deviations of the cohort's shapes, the nearest to this one lies at "
            f"{away:.1f} with {left:.1f} mm left; check that the file is a heart, its unit and what its parts are"
        )
    return refine(source, Matcher(thinned(other, config.surface_mm)[0]), fit.points)


def _by_pointpwc(source: Source, other: Cloud, start: Similarity, config: RegisterConfig) -> NDArray[np.float64]:
    """Return the material points where the network's flow and the spline carry them, drawn nearer by transport as after any spline.

    *Source:* paper section 4.3; what follows the network as in the program it cites (science.md A.4).
    """
    points, goal = source.template.points, carried(other, start.inverse())
    flow = flow_samples(load_flow(source.template.sha256), source.cloud(points), goal)
    return _again(source, other, start.carry(points + gaussian_spline(flow, points, config.flow_spline)), config)


_SOLVERS = {"transport": _by_transport, "spline": _by_spline, "pointpwc": _by_pointpwc, "shape": _by_shape}


def _checked(source: Source, other: Cloud, placed: _Placed, config: RegisterConfig) -> Registration:
    """Return the registration with its distances; one that lies far off is refused."""
    cloud = source.cloud(placed.points)
    ahead, back = _gaps(cloud, other), _gaps(other, cloud)
    both = np.concatenate([ahead, back])
    share = np.concatenate([c.weights / c.weights.sum() for c in (cloud, other)])
    seen = np.isfinite(both)
    distance, ahead_mm = float(np.average(both[seen], weights=share[seen])), float(np.average(ahead, weights=cloud.weights))
    if not ahead_mm <= config.most_mm:
        raise RegistrationFailed(
            f"the template must lie within {config.most_mm:g} mm of a heart's surface, {ahead_mm:.1f} mm are left on average; "
            "check that the file is a heart, its unit and what its parts are"
        )
    return Registration(
        points=placed.points,
        start=placed.start,
        confidence=_confidence(cloud, ahead, placed.points),
        distance_mm=distance,
        distance95_mm=_quantile(both[seen], share[seen], 0.95),
        by_tag_mm={int(tag): float(np.average(ahead[cloud.tags == tag])) for tag in np.unique(cloud.tags)},
        folded=int(folds(_carried(source.template, placed.points), placed.points).sum()),
    )


def _gaps(one: Cloud, other: Cloud) -> NDArray[np.float64]:
    """Return how far (K,) in mm each point lies from the planes of the other surface's nearest points; infinite where that has no part."""
    found = np.full(len(one), np.inf)
    pairs = Matcher(other, back=0.0).pairs(one)
    found[pairs.rows] = pairs.gaps(one.points)
    return found


def _quantile(values: NDArray, weights: NDArray, share: float) -> float:
    """Return the value below which ``share`` of the weight lies."""
    order = np.argsort(values)
    total = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(total, share * total[-1])])


def _confidence(cloud: Cloud, gaps: NDArray, points: NDArray, scale_mm: float = 2.0) -> NDArray[np.float64]:
    """Return (N,) how sure the material points are: 1 on the surface, a half ``scale_mm`` off it; of unseen parts half at most."""
    sure = 1 / (1 + (np.where(np.isfinite(gaps), gaps, 1e6) / scale_mm) ** 2)
    near = averaged(Samples(cloud.points, sure[:, None], cloud.weights + 1e-9), points, 3.0)[:, 0]
    away = cKDTree(cloud.points).query(points)[0]
    seen = np.zeros(len(points), bool)
    seen[cloud.vertex] = True
    return np.where(seen, near, 0.5 * near * np.exp(-((away / FADE_MM) ** 2)))
