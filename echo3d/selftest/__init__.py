"""The self-test: a little of everything that echo3d does, by this very installation, in a folder that is gone afterwards.

``echo3d doctor --self-test`` runs it, from sources and from the package alike.
"""

from echo3d.selftest.course import Step, attempt

__all__ = ["Step", "attempt"]
