"""A patient's study from whatever the user gave: a folder, a zip, a DICOMDIR or single files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from echo3d.core.images import EchoClip, Source
from echo3d.core.study import PatientStudy
from echo3d.core.views import View, view_from_text
from echo3d.errors import InputError
from echo3d.io.clips import Reading, build_clip
from echo3d.io.dicom import Patient, read_dicom
from echo3d.io.dicom_regions import UNCALIBRATED, Calibration
from echo3d.io.dicom_time import ASSUMED, ASSUMED_MS, Timing, steady
from echo3d.io.dicom_view import Recognised
from echo3d.io.gather import Found, gather
from echo3d.io.images import read_sequence, sequences
from echo3d.io.kinds import Kind, kind_of
from echo3d.io.names import safe_label, short_hash
from echo3d.io.video import read_video


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A clip with its patient, where the file names one."""

    clip: EchoClip
    patient: Patient | None


def load_study(
    paths: Sequence[Path],
    *,
    views: Mapping[View, Path] | None = None,
    ed: Mapping[View, int] | None = None,
    es: Mapping[View, int] | None = None,
) -> PatientStudy:
    """Return the study that lies in folders, zips, DICOMDIRs and single files.

    Parameters
    ----------
    paths : what the user gave; may be empty where ``views`` names files
    views : the file of each view that the user names; these come first
    ed, es : the end-diastolic and end-systolic frame of each view that the user chose, counted from 0

    Raises
    ------
    InputError
        If a file that was named cannot be read, nothing readable is found, or a chosen frame does not exist.
    """
    views = dict(views or {})
    with TemporaryDirectory(prefix="echo3d-") as scratch:
        loaded = [_load_named(Path(path), view) for view, path in views.items()]
        taken = {Path(path).resolve() for path in views.values()}
        found = [file for file in gather(paths, Path(scratch)) if file.path.resolve() not in taken]
        more, skipped = _load_all(found)
    if not loaded and not more:
        raise InputError(_nothing(found, skipped))
    return _study([*loaded, *more], skipped, dict(ed or {}), dict(es or {}))


def _study(loaded: list[_Loaded], skipped: list[str], ed: dict[View, int], es: dict[View, int]) -> PatientStudy:
    secrets = [secret for item in loaded if item.patient for secret in item.patient.secrets]
    clips = sorted((_relabelled(item.clip, secrets) for item in loaded), key=_rank)
    patients = list(dict.fromkeys(item.patient.pseudonym for item in loaded if item.patient))
    study = PatientStudy(
        pseudonym=patients[0] if patients else "P-" + short_hash(b"".join(bytes(clip.frames[0]) for clip in clips[:6])),
        clips=tuple(clips),
        ed_frame=ed,
        es_frame=es,
        warnings=_study_warnings(clips, len(skipped), len(patients)),
    )
    _check_frames(study, "end-diastolic", ed)
    _check_frames(study, "end-systolic", es)
    return study


def _rank(clip: EchoClip) -> tuple[bool, bool, bool, bool]:
    """Return the sorting key that puts the best clip of a view first: named by the user, the view itself, moving, calibrated."""
    return clip.source.recognised_by != "user", clip.source.stand_in, len(clip.frames) < 4, clip.pixel_mm is None


def _relabelled(clip: EchoClip, secrets: list[str]) -> EchoClip:
    return replace(clip, source=replace(clip.source, label=safe_label(clip.source.label, secrets)))


def _study_warnings(clips: list[EchoClip], skipped: int, patients: int) -> tuple[str, ...]:
    counts = Counter(clip.view for clip in clips if clip.view is not None)
    warnings = [f"{count} clips show the view {view.title}; the first is used." for view, count in counts.items() if count > 1]
    if skipped:
        files = "1 file of the study was" if skipped == 1 else f"{skipped} files of the study were"
        warnings.append(f"{files} left out: no readable echo clip.")
    if patients > 1:
        warnings.append(f"The clips belong to {patients} different patients or studies by their headers; one heart cannot be made of them.")
    return tuple(warnings)


def _check_frames(study: PatientStudy, name: str, chosen: Mapping[View, int]) -> None:
    clips = study.by_view()
    for view, frame in chosen.items():
        if view not in clips:
            raise InputError(f"The {name} frame was chosen for the view {view.key} but no clip shows it; name the clip with --view.")
        if not 0 <= frame < len(clips[view].frames):
            last = len(clips[view].frames) - 1
            raise InputError(f"The {name} frame of {view.key} must lie between 0 and {last}, given {frame}; choose another.")


def _nothing(found: list[Found], reasons: list[str]) -> str:
    if not found:
        return "A study needs at least one echo clip (DICOM, MP4, AVI, PNG or JPEG), nothing was found; give another folder or files."
    tried = f"{len(found)} file{'s' * (len(found) > 1)}"
    return f"A study needs at least one echo clip, none of {tried} can be used; the first reason: {reasons[0][:1].lower()}{reasons[0][1:]}"


def _load_named(path: Path, view: View) -> _Loaded:
    """Read the file that the user named for a view."""
    try:
        return _load(Found(path, kind_of(path), named=True), view)
    except InputError as exc:
        raise InputError(f"The file given for {view.key} cannot be used: {exc}") from exc


def _load_all(found: list[Found]) -> tuple[list[_Loaded], list[str]]:
    """Return the clips and, for each file left out, why; a file that the user named must not be left out."""
    loaded: list[_Loaded] = []
    reasons: list[str] = []
    for number, group in enumerate(grouped(found), start=1):
        try:
            loaded.append(_load_group(group))
        except InputError as exc:
            if group[0].named:
                raise InputError(f"File {number}: {exc}" if len(found) > 1 else str(exc)) from exc
            reasons += [str(exc)] * len(group)
    return loaded, reasons


def grouped(found: list[Found]) -> list[list[Found]]:
    """Return files one by one, numbered pictures of one folder together."""
    files = {file.path: file for file in found}
    pictures = sequences(file.path for file in found if file.kind is Kind.IMAGE)
    return [[file] for file in found if file.kind is not Kind.IMAGE] + [[files[path] for path in group] for group in pictures]


def _load_group(group: list[Found]) -> _Loaded:
    return _load(group[0], None) if group[0].kind is not Kind.IMAGE else _load_pictures(group, None)


def _load(file: Found, view: View | None) -> _Loaded:
    if file.kind is Kind.DICOM:
        clip, patient = read_dicom(file.path, view=view)
        return _Loaded(clip if clip.view is not None else _from_folder(clip, file), patient)
    if file.kind is Kind.VIDEO:
        return _load_video(file, view)
    if file.kind is Kind.IMAGE:
        return _load_pictures([file], view)
    kind_of(file.path)  # says so where the file may not be read at all
    raise InputError("The file is no DICOM, MP4, AVI, PNG or JPEG file; give one of these.")


def _from_folder(clip: EchoClip, file: Found) -> EchoClip:
    """Return the clip with the view that the folder below the study's own names, if it does."""
    seen = _by_names(file.folders)
    if seen.view is None:
        return clip
    kept = tuple(text for text in clip.source.warnings if "--view" not in text)
    source = Source(clip.source.label, seen.recognised_by, seen.stand_in, (*seen.warnings, *kept))
    return replace(clip, view=seen.view, source=source)


def _by_names(names: Sequence[str]) -> Recognised:
    """Return the view that the last of the names tells, looking backwards."""
    for name in reversed(names):
        found = view_from_text(name)
        if found is not None:
            return Recognised(found[0], "file name", found[1])
    return Recognised()


def _load_video(file: Found, view: View | None) -> _Loaded:
    return _Loaded(build_clip(video_reading(file, view)), None)


def video_reading(file: Found, view: View | None) -> Reading:
    """Return a video's frames and what is known of them."""
    video = read_video(file.path)
    seen = Recognised(view, "user") if view is not None else _by_names([*file.folders, file.path.stem])
    known = video.frame_ms is not None
    timing = Timing(video.frame_ms if video.frame_ms is not None else steady(video.pictures.count, ASSUMED_MS))
    cut = (f"The video is long; only its first {video.pictures.count} frames are used.",) if video.cut else ()
    source = Source(file.path.name, seen.recognised_by, seen.stand_in, (*seen.warnings, *cut, *(() if known else (ASSUMED,))))
    return Reading(video.pictures, seen.view, source, Calibration(None, warnings=(UNCALIBRATED,)), timing)


def _load_pictures(group: list[Found], view: View | None) -> _Loaded:
    return _Loaded(build_clip(pictures_reading(group, view)), None)


def pictures_reading(group: list[Found], view: View | None) -> Reading:
    """Return the frames of numbered pictures, or of a single one, and what is known of them."""
    pictures = read_sequence([file.path for file in group])
    first = group[0].path
    names = [*group[0].folders, first.stem] if group[0].folders or len(group) == 1 else [first.parent.name, first.stem]
    seen = Recognised(view, "user") if view is not None else _by_names(names)
    still = pictures.count == 1
    source = Source(first.name, seen.recognised_by, seen.stand_in, (*seen.warnings, *(() if still else (ASSUMED,))))
    calibration = Calibration(None, warnings=(UNCALIBRATED,))
    return Reading(pictures, seen.view, source, calibration, Timing(steady(pictures.count, ASSUMED_MS)))
