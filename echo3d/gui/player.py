"""The clock of the cine: wall time in, the frame of every clip and the heart that belongs to it out; no Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from echo3d.core.images import EchoClip
from echo3d.core.result import StudyResult
from echo3d.core.views import View
from echo3d.gui.cycle import Cycle, beat_cycle, clip_cycle, frame_at, free_cycle, phase_at, time_of


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What belongs together at one instant.

    Parameters
    ----------
    ms : time within the leading clip
    frames : per view the frame number
    number : of the heart within the beat
    beat_ms : time from end-diastole
    """

    ms: float = 0.0
    frames: Mapping[View, int] | None = None
    number: int = 0
    beat_ms: float = 0.0


class Player:
    """Keeps time for the clips of one study.

    The clock stands at ``_anchor_ms`` of the leading clip since ``_anchor_s`` of wall time.
    """

    def __init__(self) -> None:
        self.clips: dict[View, EchoClip] = {}
        self.cycles: dict[View, Cycle] = {}
        self.beat: Cycle | None = None
        self.leading = View.A4C
        self._anchor_ms = self._anchor_s = 0.0
        self._speed = 0.0

    def load(self, clips: Mapping[View, EchoClip], result: StudyResult | None) -> None:
        """Take the clips of a study, and what is known of their beats; the phase that is shown stays."""
        self.clips = dict(clips)
        if result is None:
            self.beat = None
            self.cycles = {view: free_cycle(clip) for view, clip in clips.items()}
        else:
            self.beat = beat_cycle(result.beat)
            self.cycles = {
                view: clip_cycle(clip, result.ed_frame.get(view, 0), result.es_frame.get(view, 0), self.beat.beat_ms)
                for view, clip in clips.items()
            }

    def lead(self, view: View, wall_s: float) -> None:
        """Let another view's clip lead, at the same phase."""
        if view in self.cycles and view is not self.leading:
            old = self.cycles.get(self.leading)
            phase = phase_at(old, self.now(wall_s)) if old is not None else 0.0
            self.leading = view
            self.seek(time_of(self.cycles[view], phase), wall_s)

    def run(self, speed: float, wall_s: float) -> None:
        """Run at a speed from now on; 0 stands still."""
        self._anchor_ms, self._anchor_s, self._speed = self.now(wall_s), wall_s, speed

    def seek(self, ms: float, wall_s: float) -> None:
        """Go to a time of the leading clip."""
        self._anchor_ms, self._anchor_s = ms, wall_s

    def now(self, wall_s: float) -> float:
        """Return the time within the leading clip, ms."""
        ms = self._anchor_ms + (wall_s - self._anchor_s) * 1000.0 * self._speed
        cycle = self.cycles.get(self.leading)
        return ms % cycle.loop_ms if cycle is not None else 0.0

    def moment(self, wall_s: float) -> Moment:
        """Return what is shown now."""
        lead = self.cycles.get(self.leading)
        if lead is None:
            return Moment(frames={})
        ms = self.now(wall_s)
        if self.beat is None:
            return Moment(ms, {view: frame_at(cycle, ms) for view, cycle in self.cycles.items()})
        phase = phase_at(lead, ms)
        frames = {view: frame_at(cycle, time_of(cycle, phase)) for view, cycle in self.cycles.items()}
        beat_ms = time_of(self.beat, phase)
        return Moment(ms, frames | {self.leading: frame_at(lead, ms)}, nearest(self.beat, beat_ms), beat_ms)

    def frame_ms(self, index: int) -> float:
        """Return the time of a frame of the leading clip."""
        times = self.cycles[self.leading].times_ms
        return float(times[index % len(times)])

    def phase_ms(self, phase: float) -> float:
        """Return the time within the leading clip at which a phase is shown."""
        cycle = self.cycles.get(self.leading)
        return time_of(cycle, phase) if cycle is not None else 0.0

    def beat_to_lead(self, beat_ms: float) -> float:
        """Return the time within the leading clip that shows a time of the beat."""
        return self.phase_ms(phase_at(self.beat, beat_ms)) if self.beat is not None else beat_ms


def nearest(cycle: Cycle, ms: float) -> int:
    """Return the number of the sample nearest in time, round the end of the beat."""
    step = cycle.loop_ms / len(cycle.times_ms)
    return int(round(ms / step)) % len(cycle.times_ms)
