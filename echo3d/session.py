"""Frozen state of the application and pure functions that change it; no Qt.

A widget is handed the state and sends one signal back; the window turns the signal into one of these functions.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

from echo3d.core.result import StudyResult
from echo3d.core.structures import BLOOD, Structure
from echo3d.core.study import PatientStudy
from echo3d.core.views import View


class Stage(Enum):
    """How far the open study is."""

    EMPTY = "no study"
    READING = "reading"
    COMPUTING = "computing"
    DONE = "done"
    FAILED = "failed"


class Drawing(Enum):
    """How the heart is drawn."""

    CUT = "Cut-away"
    GLASS = "Glass"
    SOLID = "Solid"


SPEEDS = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Everything the window shows.

    Parameters
    ----------
    stage : how far the open study is
    ticket : number of the newest request; answers with another number are too late
    paths : the files or folders of the study
    views : files that the user gave a view
    ed, es : frames chosen by the user, per view
    study : the study as read, None before
    result : the hearts and numbers, None before
    share, message : progress in [0, 1] and what is being done
    error : one sentence, or empty
    selected : the view whose clip leads the time and whose plane cuts the heart
    hidden : structures not drawn
    opacity : of the overlay's fill, [0, 1]
    fill, outlines, labels : what of the overlay is drawn
    drawing : how the heart is drawn
    as_echo : whether the heart is seen as the echo view sees it, else from in front
    listed : whether the list of structures is open
    playing : whether time runs
    speed : of the cine, 1 is true time
    """

    stage: Stage = Stage.EMPTY
    ticket: int = 0
    paths: tuple[Path, ...] = ()
    views: dict[View, Path] = field(default_factory=dict)
    ed: dict[View, int] = field(default_factory=dict)
    es: dict[View, int] = field(default_factory=dict)
    study: PatientStudy | None = None
    result: StudyResult | None = None
    share: float = 0.0
    message: str = ""
    error: str = ""
    selected: View = View.A4C
    hidden: frozenset[Structure] = frozenset(BLOOD)
    opacity: float = 0.35
    fill: bool = True
    outlines: bool = True
    labels: bool = False
    drawing: Drawing = Drawing.CUT
    as_echo: bool = False
    listed: bool = False
    playing: bool = True
    speed: float = 1.0


def opening(session: Session, paths: tuple[Path, ...], views: dict[View, Path] | None = None) -> Session:
    """Return the state in which a new study is being read.

    >>> s = opening(Session(), (Path("study"),))
    >>> s.stage.value, s.ticket
    ('reading', 1)
    """
    return replace(
        session,
        stage=Stage.READING,
        ticket=session.ticket + 1,
        paths=paths,
        views=dict(views or {}),
        ed={},
        es={},
        study=None,
        result=None,
        share=0.0,
        message="Reading the study",
        error="",
        playing=True,
    )


def read(session: Session, study: PatientStudy) -> Session:
    """Return the state in which the clips are shown and the heart is being computed; the best clip present leads."""
    present = study.by_view()
    selected = session.selected if session.selected in present else min(present, default=View.A4C)
    return replace(session, stage=Stage.COMPUTING, study=study, selected=selected, share=0.0, message="Waking the network")


def progressed(session: Session, share: float, message: str) -> Session:
    """Return the state with newer progress."""
    return replace(session, share=min(max(share, 0.0), 1.0), message=message)


def computed(session: Session, result: StudyResult) -> Session:
    """Return the state that shows a result."""
    return replace(session, stage=Stage.DONE, result=result, share=1.0, message="")


def failed(session: Session, sentence: str) -> Session:
    """Return the state that shows what went wrong; what was read or computed before stays."""
    return replace(session, stage=Stage.FAILED, error=sentence, share=0.0, message="")


def dismissed(session: Session) -> Session:
    """Return the state after the user has seen the error."""
    stage = session.stage if session.stage is not Stage.FAILED else Stage.DONE if session.result else Stage.EMPTY
    return replace(session, error="", stage=stage)


def recomputing(session: Session, *, ed: dict[View, int] | None = None, es: dict[View, int] | None = None) -> Session:
    """Return the state in which the heart is computed again, with other frames where given.

    >>> recomputing(Session(), ed={View.A4C: 3}).ed
    {<View.A4C: 0>: 3}
    """
    return replace(
        session,
        stage=Stage.COMPUTING,
        ticket=session.ticket + 1,
        ed=session.ed if ed is None else ed,
        es=session.es if es is None else es,
        share=0.0,
        message="Computing again",
        error="",
    )


def with_phase_frame(session: Session, phase: str, frame: int) -> Session:
    """Return the state in which the selected view's ED or ES is another frame.

    >>> with_phase_frame(Session(), "es", 9).es
    {<View.A4C: 0>: 9}
    """
    chosen = {"ed": session.ed, "es": session.es}[phase] | {session.selected: frame}
    return recomputing(session, ed=chosen if phase == "ed" else None, es=chosen if phase == "es" else None)


def toggled(session: Session, structures: frozenset[Structure], shown: bool) -> Session:
    """Return the state with some structures shown or hidden.

    >>> Structure.LA_WALL in toggled(Session(), frozenset({Structure.LA_WALL}), False).hidden
    True
    """
    return replace(session, hidden=session.hidden - structures if shown else session.hidden | structures)


def visible(session: Session) -> frozenset[Structure]:
    """Return the structures that are drawn."""
    return frozenset(Structure) - session.hidden - {Structure.BACKGROUND}


def is_free(session: Session, view: View) -> bool:
    """Return whether a file dropped on a view's panel is meant for that view: there is a study, and it lacks the view."""
    if session.study is None:
        return session.stage is Stage.FAILED
    return view not in (session.result.clips if session.result is not None else session.study.by_view())
