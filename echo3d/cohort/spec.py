"""What a cohort is made of, and the piece of work that makes some of its hearts: the same for the same seed on any machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from echo3d.anatomy.beat import FAMILIES, check_families
from echo3d.anatomy.cohort import Wish, beat_of_heart, record_to_json, sound_wish
from echo3d.anatomy.groups import MIXTURE, check_mixture
from echo3d.anatomy.material import load_material
from echo3d.anatomy.measure import measure
from echo3d.anatomy.timing import PHASES
from echo3d.errors import InputError

CHUNK = 20
"""Hearts per file and per piece of work."""


@dataclass(frozen=True, slots=True)
class CohortSpec:
    """What is asked of a cohort.

    Parameters
    ----------
    count : hearts
    seed : of everything that is drawn; heart k depends on the seed and k alone
    mixture : share of each group
    families : laws of motion to draw from
    beats : whether all 25 phases of the beat are kept instead of end-diastole and end-systole

    Raises
    ------
    InputError
        If there is no heart to make or a name is not known.
    """

    count: int
    seed: int = 0
    mixture: Mapping[str, float] = field(default_factory=lambda: MIXTURE)
    families: tuple[str, ...] = FAMILIES
    beats: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.count <= 1_000_000:
            raise InputError(f"a cohort must hold between 1 and 1000000 hearts, found {self.count}; choose --count in that range")
        object.__setattr__(self, "mixture", check_mixture(self.mixture))
        check_families(self.families)

    @property
    def phases(self) -> int:
        """How many phases of each heart are kept."""
        return PHASES if self.beats else 2

    def chunks(self) -> list[range]:
        """Return the hearts of each file.

        >>> CohortSpec(45).chunks()
        [range(0, 20), range(20, 40), range(40, 45)]
        """
        return [range(start, min(start + CHUNK, self.count)) for start in range(0, self.count, CHUNK)]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Some finished hearts.

    Parameters
    ----------
    lines : per heart a JSON object with ``index``, ``record``, ``measures`` and ``rejected``
    fields : (K, T, N, 3) float16 mm, displacement of the template's points
    """

    lines: list[dict[str, Any]]
    fields: NDArray[np.float16]


def make_chunk(spec: CohortSpec, hearts: range) -> Chunk:
    """Return the hearts of a range: drawn, checked, measured."""
    count, rest = load_material().count, load_material().rest
    lines, fields = [], []
    for index in hearts:
        found = sound_wish(np.random.default_rng([spec.seed, index]), Wish(mixture=spec.mixture, families=spec.families))
        heart = found.heart
        lines.append(
            {
                "index": index,
                "record": record_to_json(heart.record),
                "measures": {name: round(value, 4) for name, value in asdict(measure(heart.ed, heart.es)).items()},
                "rejected": found.rejected,
            }
        )
        phases = beat_of_heart(heart) if spec.beats else np.stack([heart.ed[:count], heart.es[:count]])
        fields.append((phases - rest[:count]).astype(np.float16))
    return Chunk(lines, np.stack(fields))


def rejections(lines: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Return how many draws were rejected, by reason and by group.

    >>> rejections([{"rejected": {"fold": 2}, "record": {"group": "dcm"}}])
    {'reasons': {'fold': 2}, 'groups': {'dcm': 2}}
    """
    reasons: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    for line in lines:
        reasons.update(line["rejected"])
        groups[line["record"]["group"]] += sum(line["rejected"].values())
    return {"reasons": dict(reasons.most_common()), "groups": dict(groups.most_common())}
