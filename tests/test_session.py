"""The pure updates of the application's state."""

from pathlib import Path

import numpy as np

from echo3d.core.images import EchoClip, Source
from echo3d.core.sector import Fan
from echo3d.core.structures import BLOOD, Structure
from echo3d.core.study import PatientStudy
from echo3d.core.views import View
from echo3d.session import (
    Session,
    Stage,
    dismissed,
    failed,
    is_free,
    opening,
    progressed,
    read,
    recomputing,
    toggled,
    visible,
    with_phase_frame,
)


def study(*views: View | None) -> PatientStudy:
    clips = tuple(EchoClip(v, np.zeros((2, 4, 4), np.uint8), None, None, Source("a", "user"), Fan(0, 2, 40, 4)) for v in views)
    return PatientStudy("P-1", clips, {}, {})


def test_opening_forgets_the_study_before() -> None:
    old = read(opening(Session(), (Path("a"),)), study(View.A2C))
    new = opening(old, (Path("b"),))
    assert (new.study, new.result, new.ed, new.ticket, new.stage) == (None, None, {}, old.ticket + 1, Stage.READING)


def test_a_view_that_is_there_leads() -> None:
    assert read(Session(), study(View.PSAX_MID, View.A3C)).selected is View.A3C
    assert read(Session(selected=View.PSAX_MID), study(View.PSAX_MID, View.A3C)).selected is View.PSAX_MID
    assert read(Session(), study(None)).selected is View.A4C


def test_correcting_a_phase_keeps_the_others() -> None:
    session = Session(selected=View.A2C, ed={View.A4C: 1}, es={View.A2C: 5})
    changed = with_phase_frame(session, "ed", 7)
    assert changed.ed == {View.A4C: 1, View.A2C: 7} and changed.es == {View.A2C: 5}
    assert changed.stage is Stage.COMPUTING and changed.ticket == session.ticket + 1
    assert recomputing(changed, ed={}, es={}).ed == {}


def test_an_error_is_dismissed_to_what_was_there() -> None:
    assert dismissed(failed(Session(), "x")).stage is Stage.EMPTY
    assert failed(Session(), "x").error == "x"


def test_progress_stays_within_bounds() -> None:
    assert progressed(Session(), 7.0, "m").share == 1.0


def test_blood_is_hidden_at_first() -> None:
    assert not visible(Session()) & set(BLOOD)
    assert Structure.LV_CAVITY in visible(toggled(Session(), frozenset({Structure.LV_CAVITY}), True))
    assert Structure.BACKGROUND not in visible(Session(hidden=frozenset()))


def test_free_panels() -> None:
    assert not is_free(Session(), View.A4C)
    one = read(Session(), study(View.A4C))
    assert is_free(one, View.A2C) and not is_free(one, View.A4C)
