"""Which commands can be done now, and why the others cannot; no Qt."""

from __future__ import annotations

from dataclasses import dataclass

from echo3d.gui.commands import Command
from echo3d.positioning.probes import STANDARD
from echo3d.positioning.state import Workspace
from echo3d.session import Session, Stage

_STUDY = ("step_forward", "step_back", "faster", "slower")
_RESULT = (
    "export_result",
    "save_heart_picture",
    "set_ed",
    "set_es",
    "draw_cut",
    "draw_glass",
    "draw_solid",
    "look_anatomical",
    "look_echo",
    "toggle_outlines",
    "toggle_fill",
    "toggle_labels",
)
_HEART = (
    "save_views",
    "save_mesh",
    "save_scene",
    "copy_pose",
    "paste_pose",
    "reset_pose",
    "mirror_pose",
    "keep_reference",
    "aim_probes",
    "edit_table",
    "enlarge_view",
    "look_view",
    "next_cut",
)
_STILL = ("toggle_playing", "go_ed", "go_es")
NEEDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(_STUDY, ("study",)),
    **dict.fromkeys(_RESULT, ("result",)),
    **dict.fromkeys(_HEART, ("heart",)),
    "compute_again": ("computable",),
    "reset_phases": ("phases",),
    "no_body": ("body",),
    "toggle_skin": ("body",),
    "best_window": ("heart", "body"),
    "best_windows": ("heart", "body"),
    "save_film": ("heart", "beat"),
    "reset_probe": ("heart", "probe"),
    "reset_probes": ("heart", "probes"),
    "swap_reference": ("reference",),
    **dict.fromkeys(_STILL, ("picture",)),
    **dict.fromkeys(("start_run", "estimate_run", "slurm_run"), ("wish",)),
    **dict.fromkeys(("log_curves", "whole_curves"), ("run",)),
    "cancel_run": ("run", "runs_alive"),
    "resume_run": ("run", "runs_broken"),
    "delete_run": ("run", "runs_ended"),
    "duplicate_run": ("run", "one_run"),
    "export_run": ("run", "one_run", "run_done"),
    "use_run": ("run", "one_run", "run_done"),
}
"""What must be there for a command; the first that is not there is the reason that is given."""
WHY: dict[str, str] = {
    "study": "needs an open study; open one with Ctrl+O",
    "result": "needs a heart; it appears when a study has been computed",
    "computable": "needs a study that was read and is not being computed",
    "phases": "ED and ES are as proposed",
    "heart": "needs a heart; open one with Ctrl+O",
    "body": "needs a body; open one with Ctrl+B",
    "beat": "needs a heart that beats; use the template or draw one",
    "probe": "this probe stands as the table says",
    "probes": "all probes stand as the table says",
    "picture": "belongs to the Patient and the Position workspace",
    "wish": "the new run is not ready; the form says what is missing",
    "run": "needs a run; choose one in the table, or start one",
    "one_run": "needs one run; several are chosen",
    "runs_alive": "no chosen run is at work or waiting",
    "runs_broken": "no chosen run was stopped or failed",
    "runs_ended": "needs runs that have ended; cancel them first",
    "run_done": "needs a run that is done; wait for it, or resume it",
    "reference": "no pose is compared with; keep one with G",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is.

    Parameters
    ----------
    place : the workspace that is shown
    there : words of ``WHY`` that hold
    """

    place: str
    there: frozenset[str]


def situation_of(place: str, session: Session, workspace: Workspace, training: frozenset[str] = frozenset()) -> Situation:
    """Return what there is in a session and a workspace, and by its own words in the training workspace.

    >>> sorted(situation_of("patient", Session(), Workspace()).there)
    ['picture']
    """
    scene = workspace.scene
    known = {
        "study": session.study is not None,
        "result": session.result is not None,
        "computable": session.study is not None and session.stage in (Stage.DONE, Stage.FAILED),
        "phases": bool(session.ed or session.es),
        "heart": scene.heart is not None,
        "body": scene.body is not None,
        "beat": scene.heart is not None and scene.heart.beat is not None,
        "probe": scene.placement.probe(workspace.selected) != STANDARD,
        "probes": any(held != STANDARD for held in scene.placement.probes.values()),
        "reference": workspace.reference is not None,
        "picture": place != "training",
    }
    return Situation(place, training | {word for word, holds in known.items() if holds})


def why_not(command: Command, now: Situation) -> str:
    """Return why a command cannot be done, empty where it can.

    >>> from echo3d.gui.commands import COMMANDS
    >>> by_name = {command.name: command for command in COMMANDS}
    >>> why_not(by_name["faster"], Situation("patient", frozenset()))
    'needs an open study; open one with Ctrl+O'
    >>> why_not(by_name["faster"], Situation("position", frozenset()))
    'belongs to the Patient workspace'
    >>> why_not(by_name["quit"], Situation("position", frozenset()))
    ''
    """
    if command.place and command.place != now.place:
        return f"belongs to the {command.place.capitalize()} workspace"
    return next((WHY[need] for need in NEEDS.get(command.name, ()) if need not in now.there), "")
