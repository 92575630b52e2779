"""What the user can do, as data: menus, shortcuts and the sheet of keys are all made from this table."""

from __future__ import annotations

from dataclasses import dataclass


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
    """

    name: str
    title: str
    menu: str
    keys: tuple[str, ...] = ()
    icon: str = ""
    ruled: bool = False


COMMANDS: tuple[Command, ...] = (
    Command("open_files", "Open files…", "File", ("Ctrl+O",), "open"),
    Command("open_folder", "Open folder…", "File", ("Ctrl+Shift+O",)),
    Command("open_demo", "Open the demo patient", "File", ("Ctrl+D",), "heart"),
    Command("compute_again", "Compute again", "File", ("Ctrl+R",), "reset"),
    Command("export_result", "Export result folder…", "File", ("Ctrl+E",), "export", True),
    Command("save_screenshot", "Save screenshot…", "File", ("Ctrl+Shift+S",), "camera"),
    Command("save_heart_picture", "Save heart picture…", "File"),
    Command("quit", "Quit", "File", ("Ctrl+Q",), ruled=True),
    Command("toggle_playing", "Play / pause", "Playback", ("Space",), "play"),
    Command("step_forward", "Next frame", "Playback", ("Right", "."), "next"),
    Command("step_back", "Previous frame", "Playback", ("Left", ","), "previous"),
    Command("faster", "Faster", "Playback", ("+", "=")),
    Command("slower", "Slower", "Playback", ("-",)),
    Command("go_ed", "Go to end-diastole", "Playback", ("D",), ruled=True),
    Command("go_es", "Go to end-systole", "Playback", ("S",)),
    Command("set_ed", "Set this frame as ED", "Playback", ("Shift+D",), ruled=True),
    Command("set_es", "Set this frame as ES", "Playback", ("Shift+S",)),
    Command("reset_phases", "Use the proposed ED and ES", "Playback"),
    Command("toggle_outlines", "Overlay outlines", "View", ("O",), "outline"),
    Command("toggle_fill", "Overlay fill", "View", ("F",), "fill"),
    Command("toggle_labels", "Overlay names", "View", ("L",), "tag"),
    Command("draw_cut", "Heart: cut-away", "View", ("1",), ruled=True),
    Command("draw_glass", "Heart: glass", "View", ("2",)),
    Command("draw_solid", "Heart: solid", "View", ("3",)),
    Command("look_anatomical", "Look: from in front", "View", ("A",), ruled=True),
    Command("look_echo", "Look: as the echo view", "View", ("E",)),
    Command("toggle_structures", "List of structures", "View", ("T",), "list", True),
    Command("full_screen", "Full screen", "View", ("F11",), ruled=True),
    Command("reset_layout", "Reset layout", "View"),
    Command("show_keys", "Keyboard shortcuts", "Help", ("F1",)),
    Command("show_report", "System report…", "Help", (), "info"),
    Command("show_about", "About echo3d", "Help", ruled=True),
)
