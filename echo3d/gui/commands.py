"""What the user can do, as data: menus, shortcuts and the sheet of keys are all made from this table."""

from __future__ import annotations

from dataclasses import dataclass, replace

PLACES = ("patient", "position", "training")
"""The workspaces."""


@dataclass(frozen=True, slots=True)
class Command:
    """One thing the user can do.

    Parameters
    ----------
    name : the method of the window that does it
    title : as shown in the menu
    menu : the menu it stands in
    keys : shortcuts, the first is shown
    icon : name of its icon, or empty
    ruled : whether a line is drawn above it
    place : the workspace it belongs to, empty for all
    """

    name: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    ruled: bool = False
    place: str = ""


_SESSION: tuple[Command, ...] = (
    Command("new_session", "New session", "File", ("Ctrl+N",)),
    Command("open_session", "Open session…", "File", ("Ctrl+Alt+O",)),
    Command("save_session", "Save session", "File", ("Ctrl+S",)),
    Command("save_session_as", "Save session as…", "File"),
)
_COMMON: tuple[Command, ...] = (
    Command("show_patient", "Patient", "View", ("Ctrl+1",)),
    Command("show_position", "Position", "View", ("Ctrl+2",)),
    Command("show_training", "Training", "View", ("Ctrl+3",)),
    Command("show_jobs", "Jobs", "View", ("Ctrl+J",), "list", True),
    Command("theme_dark", "Theme: dark", "View", ruled=True),
    Command("theme_light", "Theme: light", "View"),
    Command("theme_system", "Theme: as the system", "View"),
    Command("toggle_load", "Memory and processor", "View", ("Ctrl+Shift+M",)),
    Command("full_screen", "Full screen", "View", ("F11",), ruled=True),
    Command("reset_layout", "Reset layout", "View"),
    Command("toggle_playing", "Play / pause", "Playback", ("Space",), "play"),
    Command("go_ed", "Go to end-diastole", "Playback", ("D",), ruled=True),
    Command("go_es", "Go to end-systole", "Playback", ("S",)),
    Command("manage_networks", "Manage networks of yours…", "File", ("Ctrl+Shift+U",)),
    Command("save_screenshot", "Save screenshot…", "File", ("Ctrl+Shift+S",), "camera", True),
    Command("quit", "Quit", "File", ("Ctrl+Q",), ruled=True),
    Command("show_palette", "Command palette…", "Help", ("Ctrl+K", "Ctrl+Shift+P"), "command"),
    Command("show_keys", "Keyboard shortcuts", "Help", ("F1", "Ctrl+/"), "keyboard"),
    Command("show_notices", "Notifications…", "Help", ("Ctrl+Shift+N",), "bell", True),
    Command("show_log", "Log…", "Help", ("Ctrl+Shift+L",), "list"),
    Command("show_report", "System report…", "Help", (), "info"),
    Command("copy_report", "Copy system report", "Help"),
    Command("show_about", "About echo3d", "Help", ruled=True),
)
_PATIENT: tuple[Command, ...] = (
    Command("open_files", "Open files…", "File", ("Ctrl+O",), "open"),
    Command("open_folder", "Open folder…", "File", ("Ctrl+Shift+O",)),
    Command("open_demo", "Open the demo patient", "File", ("Ctrl+D",), "heart"),
    Command("compute_again", "Compute again", "File", ("Ctrl+R",), "reset"),
    Command("network_lean", "Network: lean, at once", "File"),
    Command("network_accurate", "Network: accurate, some seconds", "File"),
    Command("export_result", "Export result folder…", "File", ("Ctrl+E",), "export", True),
    Command("save_heart_picture", "Save heart picture…", "File"),
    Command("step_forward", "Next frame", "Playback", ("Right", "."), "next"),
    Command("step_back", "Previous frame", "Playback", ("Left", ","), "previous"),
    Command("faster", "Faster", "Playback", ("+", "=")),
    Command("slower", "Slower", "Playback", ("-",)),
    Command("set_ed", "Set this frame as ED", "Playback", ("Shift+D",), ruled=True),
    Command("set_es", "Set this frame as ES", "Playback", ("Shift+S",)),
    Command("reset_phases", "Use the proposed ED and ES", "Playback"),
    Command("toggle_outlines", "Overlay outlines", "View", ("O",), "outline", True),
    Command("toggle_fill", "Overlay fill", "View", ("F",), "fill"),
    Command("toggle_labels", "Overlay names", "View", ("L",), "tag"),
    Command("draw_cut", "Heart: cut-away", "View", ("1",), ruled=True),
    Command("draw_glass", "Heart: glass", "View", ("2",)),
    Command("draw_solid", "Heart: solid", "View", ("3",)),
    Command("look_anatomical", "Look: from in front", "View", ("A",), ruled=True),
    Command("look_echo", "Look: as the echo view", "View", ("E",)),
    Command("toggle_structures", "List of structures", "View", ("T",), "list", True),
)
_POSITION: tuple[Command, ...] = (
    Command("use_template", "Use the template heart", "File", (), "heart"),
    Command("open_heart", "Open heart…", "File", ("Ctrl+O",), "open"),
    Command("open_body", "Open body…", "File", ("Ctrl+B",)),
    Command("no_body", "No body", "File"),
    Command("open_cohort", "Open a heart of a cohort…", "File"),
    Command("save_views", "Save the six views…", "File", ("Ctrl+E",), "export", True),
    Command("save_mesh", "Save the placed heart…", "File"),
    Command("save_scene", "Save a picture of the scene…", "File"),
    Command("save_film", "Save the beat as a film…", "File"),
    Command("generate_dataset", "Generate data set…", "File", ("Ctrl+G",), "layers", True),
    Command("copy_pose", "Copy pose", "Edit", ("Ctrl+C",), ruled=True),
    Command("paste_pose", "Paste pose", "Edit", ("Ctrl+V",)),
    Command("reset_pose", "Anatomical default", "Edit", ("Home",), "reset", True),
    Command("mirror_pose", "Mirror", "Edit", ("M",)),
    Command("keep_reference", "Compare with this heart and pose", "Edit", ("G",)),
    Command("swap_reference", "Swap with the heart compared with", "Edit", ("Shift+G",)),
    Command("aim_probes", "Aim the probes at the heart", "Edit", ("A",), ruled=True),
    Command("best_window", "Best window of this probe", "Edit", ("W",)),
    Command("best_windows", "Best windows of all probes", "Edit", ("Shift+W",)),
    Command("reset_probe", "Reset this probe", "Edit", ("R",)),
    Command("edit_table", "Table of the six views…", "Edit"),
    Command("reset_probes", "Reset all probes", "Edit", ("Shift+R",)),
    Command("picture_labels", "Views: labels", "View", ("1",), ruled=True),
    Command("picture_binary", "Views: binary", "View", ("2",)),
    Command("picture_pseudo", "Views: pseudo", "View", ("3",)),
    Command("picture_echo", "Views: echo", "View", ("4",)),
    Command("picture_cyclegan", "Views: CycleGAN", "View", ("5",)),
    Command("enlarge_view", "Enlarge the selected view", "View", ("E",)),
    Command("look_front", "Look from in front", "View", ("F",), ruled=True),
    Command("look_left", "Look from the left", "View", ("L",)),
    Command("look_right", "Look from the right", "View", ("Shift+L",)),
    Command("look_head", "Look from the head", "View", ("H",)),
    Command("look_view", "Look as the selected view", "View", ("V",)),
    Command("next_cut", "Next cut", "View", ("C",), ruled=True),
    Command("toggle_skin", "Skin", "View", ("K",)),
)
_TRAINING: tuple[Command, ...] = (
    Command("start_run", "Start the run", "File", ("Ctrl+Return",), "play"),
    Command("estimate_run", "Estimate time and memory", "File", ("Ctrl+T",)),
    Command("slurm_run", "Write a batch script for a cluster…", "File"),
    Command("make_samples", "Make a data set to train on…", "File", ("Ctrl+G",), "layers"),
    Command("use_run", "Use the network in the application", "File", ("Ctrl+U",), "heart", True),
    Command("export_run", "Export the run…", "File", ("Ctrl+E",), "export"),
    Command("cancel_run", "Cancel the run", "Edit", ruled=True),
    Command("resume_run", "Resume the run", "Edit"),
    Command("duplicate_run", "Duplicate the run", "Edit", ("Ctrl+D",)),
    Command("delete_run", "Delete the run…", "Edit", ("Delete",)),
    Command("log_curves", "Curves: logarithmic scale", "View", ("L",), ruled=True),
    Command("whole_curves", "Curves: show all", "View", ("0",)),
)
UNDO: tuple[Command, ...] = (
    Command("undo_last", "Undo", "Edit", ("Ctrl+Z",)),
    Command("redo_last", "Redo", "Edit", ("Ctrl+Shift+Z",)),
)
"""The two that say in the menu what they undo; made from the stacks of undo, not from the table."""
COMMANDS: tuple[Command, ...] = (
    *_SESSION,
    *(replace(command, place="patient") for command in _PATIENT),
    *(replace(command, place="position") for command in _POSITION),
    *(replace(command, place="training") for command in _TRAINING),
    *_COMMON,
)
