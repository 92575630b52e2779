"""Studies from folders, zips, DICOMDIRs and files, good and bad."""

from __future__ import annotations

import gc
import logging
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.fileset import FileSet
from pydicom.sequence import Sequence

from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.errors import InputError
from echo3d.io.dicom_write import ClipHeader, write_echo_dicom
from echo3d.io.images import write_png
from echo3d.io.studies import load_study
from echo3d.io.video import write_mp4

FAN = Fan(0.0, 80.0, 35.0, 115.0)


@pytest.fixture
def study(tmp_path, frames) -> Path:
    """A folder with the six views, a text and a file in a folder below."""
    folder = tmp_path / "study"
    (folder / "more").mkdir(parents=True)
    for view in View:
        write_echo_dicom(folder / f"IM{int(view):03}.dcm", frames, ClipHeader(view, "demo", 0.8, 40.0, FAN))
    (folder / "more" / "read me.txt").write_text("hello")
    return folder


def test_folder(study):
    found = load_study([study])
    assert list(found.by_view()) == list(View)
    assert found.pseudonym.startswith("P-")
    assert found.warnings == ("1 file of the study was left out: no readable echo clip.",)
    assert [clip.source.label for clip in found.clips] == [f"IM{n:03}.dcm" for n in range(6)]


def test_json_beside_the_clips_is_passed_over(study, tmp_path):
    (study / "more" / "read me.txt").unlink()
    (study / "truth.json").write_text("{}")
    (study / "more" / "CARD.JSON").write_text("{}")
    assert load_study([study]).warnings == ()
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "truth.json").write_text("{}")
    with pytest.raises(InputError, match="nothing was found"):
        load_study([tmp_path / "bare"])
    with pytest.raises(InputError, match="no DICOM, MP4"):
        load_study([study / "truth.json"])


def test_zip(study, tmp_path):
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as packed:
        for path in study.rglob("*.dcm"):
            packed.write(path, f"deep/er/{path.name}")
    found = load_study([tmp_path / "study.zip"])
    assert list(found.by_view()) == list(View)
    assert found.by_view()[View.A2C].frames[2].shape == (120, 160)


def test_files_and_user_views(study):
    found = load_study([study / "IM001.dcm"], views={View.PSAX_MID: study / "IM000.dcm"})
    assert {view: clip.source.recognised_by for view, clip in found.by_view().items()} == {
        View.PSAX_MID: "user",
        View.A2C: "view code",
    }


def test_a_user_view_wins_over_the_header(study):
    found = load_study([study], views={View.A4C: study / "IM003.dcm"})
    assert found.by_view()[View.A4C].source.label == "IM003.dcm"
    assert len(found.clips) == 6
    assert "2 clips show the view Apical 4-chamber; the first is used." in found.warnings


def test_chosen_frames(study):
    found = load_study([study], ed={View.A4C: 0}, es={View.A4C: 3})
    assert (found.ed_frame, found.es_frame) == ({View.A4C: 0}, {View.A4C: 3})
    with pytest.raises(InputError, match="between 0 and 3, given 4"):
        load_study([study], es={View.A4C: 4})
    with pytest.raises(InputError, match="no clip shows it"):
        load_study([study / "IM000.dcm"], ed={View.A2C: 0})


def test_dicomdir(study, tmp_path):
    files = FileSet()
    for path in sorted(study.glob("*.dcm"))[:2]:
        dataset = dcmread(path)
        dataset.StudyDate, dataset.StudyTime = "20200101", "120000"
        files.add(dataset)
    files.write(tmp_path / "set")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # pydicom leaves its scratch folder to the collector
        del files
        gc.collect()
    assert set(load_study([tmp_path / "set" / "DICOMDIR"]).by_view()) == {View.A4C, View.A2C}
    assert set(load_study([tmp_path / "set"]).by_view()) == {View.A4C, View.A2C}


def test_picture_sequences_by_folder(tmp_path, frames):
    for view in ("a4c", "a2c"):
        (tmp_path / "s" / view).mkdir(parents=True)
        for number, frame in enumerate(frames):
            write_png(tmp_path / "s" / view / f"{number + 8}.png", frame)
    found = load_study([tmp_path / "s"])
    assert {clip.view: len(clip.frames) for clip in found.clips} == {View.A4C: 4, View.A2C: 4}
    inside = Fan(0.0, 80.0, 33.0, 110.0).mask(120, 160)
    for index in range(4):
        np.testing.assert_array_equal(found.by_view()[View.A4C].frames[index][inside], frames[index][inside])


def test_the_folder_itself_may_name_a_sequence(tmp_path, frames):
    (tmp_path / "psax_mid").mkdir()
    for number, frame in enumerate(frames):
        write_png(tmp_path / "psax_mid" / f"f{number}.png", frame)
    assert load_study([tmp_path / "psax_mid"]).clips[0].view is View.PSAX_MID


def test_video(tmp_path, frames):
    write_mp4(tmp_path / "a3c.mp4", frames, frame_ms=50)
    clip = load_study([tmp_path / "a3c.mp4"]).clips[0]
    assert (clip.view, clip.source.recognised_by, clip.pixel_mm) == (View.A3C, "file name", None)
    np.testing.assert_allclose(clip.frame_ms, [0, 50, 100, 150], atol=0.5)
    assert any("uncalibrated" in text for text in clip.source.warnings)


def test_unrecognised_view_stays_open(make_dicom, frames):
    clip = load_study([make_dicom("IM1.dcm", frames)]).clips[0]
    assert clip.view is None
    assert any("--view" in text for text in clip.source.warnings)


def test_folder_below_the_study_names_the_view(make_dicom, frames, tmp_path):
    (tmp_path / "s" / "A2C").mkdir(parents=True)
    make_dicom("s/A2C/IM1.dcm", frames)
    clip = load_study([tmp_path / "s"]).clips[0]
    assert (clip.view, clip.source.recognised_by) == (View.A2C, "file name")
    assert not any("--view" in text for text in clip.source.warnings)


def test_outside_the_fan_is_black(make_dicom, frames):
    """Whatever is burned in beside the fan is gone."""
    written = frames.copy()
    written[:, 2:12, 2:40] = 250
    clip = load_study([make_dicom("a4c.dcm", written)]).clips[0]
    assert clip.frames[1][2:12, 2:40].max() == 0
    assert clip.frames[1].max() > 100


def test_patients_are_named_nowhere(make_dicom, frames, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "s").mkdir()
    make_dicom("s/Doe_a4c_4711.dcm", frames)
    write_mp4(tmp_path / "s" / "jane_a2c.mp4", frames, frame_ms=40)
    found = load_study([tmp_path / "s"])
    shown = repr([(clip.source, clip.view) for clip in found.clips]) + repr((found.pseudonym, found.warnings)) + caplog.text
    assert found.by_view().keys() == {View.A4C, View.A2C}
    for secret in ("doe", "jane", "4711", str(tmp_path).lower()):
        assert secret not in shown.lower()


def test_the_pseudonym_is_the_same_every_time_and_no_number(make_dicom, frames):
    one, two = load_study([make_dicom("a.dcm", frames)]), load_study([make_dicom("b.dcm", frames[:2])])
    assert one.pseudonym == two.pseudonym
    other = load_study([make_dicom("c.dcm", frames, change=lambda d: setattr(d, "PatientID", "MRN4712"))])
    assert other.pseudonym != one.pseudonym


def test_without_a_number_the_content_stands_for_the_patient(make_dicom, frames):
    def nameless(dataset: Dataset) -> None:
        del dataset.PatientID, dataset.PatientName

    one, two = (load_study([make_dicom(name, part, change=nameless)]) for name, part in (("a", frames), ("b", frames[::-1])))
    assert one.pseudonym != two.pseudonym


def test_two_patients_are_noticed(make_dicom, frames, tmp_path):
    (tmp_path / "s").mkdir()
    make_dicom("s/a4c.dcm", frames)
    make_dicom("s/a2c.dcm", frames, change=lambda d: setattr(d, "PatientID", "X2"))
    assert any("2 different patients" in text for text in load_study([tmp_path / "s"]).warnings)


def test_colour_is_noticed(make_dicom, frames):
    rgb = np.repeat(frames[..., None], 3, axis=-1)
    rgb[:, 50:70, 70:90] = (200, 30, 30)
    clip = load_study([make_dicom("a4c.dcm", rgb)]).clips[0]
    assert any("colour" in text for text in clip.source.warnings)
    plain = load_study([make_dicom("a2c.dcm", np.repeat(frames[..., None], 3, axis=-1))]).clips[0]
    assert not any("colour" in text for text in plain.source.warnings)


def obstetric(dataset: Dataset) -> None:
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "OBSTETRICAL"]


def test_another_organ(make_dicom, frames):
    path = make_dicom("a.dcm", frames, change=obstetric)
    with pytest.raises(InputError, match="not a usable view of the heart"):
        load_study([path])
    clip = load_study([], views={View.A4C: path}).clips[0]
    assert any("cannot be trusted" in text for text in clip.source.warnings)


def bad_sixteen(dataset: Dataset) -> None:
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 16, 15


def test_bad_input_is_one_sentence(make_dicom, frames, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.dcm").write_text("no picture")
    (tmp_path / "broken.mp4").write_bytes(b"\0\0\0\x18ftypmp42" + bytes(400))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (tmp_path / "broken.zip").write_bytes(b"PK\x03\x04" + bytes(50))
    (tmp_path / "notes.txt").write_text("x")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        packed.writestr("../outside.dcm", "x")
    make_dicom("cut.dcm", frames)
    (tmp_path / "cut.dcm").write_bytes((tmp_path / "cut.dcm").read_bytes()[:2000])
    make_dicom("none.dcm", frames, change=lambda d: setattr(d, "NumberOfFrames", 0))
    make_dicom("deep.dcm", frames, change=bad_sixteen)
    names = (
        "empty",
        "text.dcm",
        "broken.mp4",
        "broken.png",
        "broken.zip",
        "notes.txt",
        "evil.zip",
        "cut.dcm",
        "none.dcm",
        "deep.dcm",
        "gone",
    )
    for name in names:
        with pytest.raises(InputError) as caught:
            load_study([tmp_path / name])
        text = str(caught.value)
        assert "\n" not in text and text.endswith(".") and text.count(". ") == 0 and str(tmp_path) not in text and name not in text, text


def test_a_folder_of_one_bad_file_says_why(make_dicom, frames, tmp_path):
    (tmp_path / "s").mkdir()
    make_dicom("s/a.dcm", frames, change=bad_sixteen)
    with pytest.raises(InputError, match="8 bits"):
        load_study([tmp_path / "s"])


def test_one_of_several_files_is_bad(make_dicom, frames, tmp_path):
    (tmp_path / "b.dcm").write_text("x")
    with pytest.raises(InputError, match="File 2"):
        load_study([make_dicom("a.dcm", frames), tmp_path / "b.dcm"])
    with pytest.raises(InputError, match="given for a4c"):
        load_study([], views={View.A4C: tmp_path / "b.dcm"})
    with pytest.raises(InputError, match="cannot be opened"):
        load_study([], views={View.A4C: tmp_path / "gone.dcm"})


def test_calibrated_moving_clips_come_before_stand_ins(make_dicom, frames, tmp_path):
    (tmp_path / "s").mkdir()

    def calibrated(dataset: Dataset) -> None:
        dataset.PixelSpacing = [0.5, 0.5]

    def plax(dataset: Dataset) -> None:
        dataset.SeriesDescription = "PLAX"
        dataset.SequenceOfUltrasoundRegions = Sequence()

    make_dicom("s/1.dcm", frames, change=plax)
    make_dicom("s/2_a3c.dcm", frames)
    make_dicom("s/3_a3c.dcm", frames, change=calibrated)
    found = load_study([tmp_path / "s"])
    assert [clip.source.label for clip in found.clips] == ["3_a3c.dcm", "2_a3c.dcm", "1.dcm"]
    assert found.clips[-1].source.stand_in


def test_real_apical_clip(shared):
    clip = load_study([shared / "data/echo/pydicom/examples_ybr_color.dcm"]).clips[0]
    assert len(clip.frames) == 30 and clip.view is None
    assert clip.pixel_mm == pytest.approx((1.021, 1.021), abs=5e-4)
    assert any("640 x 480" in text and "1.021 mm" in text for text in clip.source.warnings)
    assert clip.frame_ms[1] == pytest.approx(33.333)


def test_real_palette_clip(shared):
    clip = load_study([shared / "data/echo/dcm4che/US-PAL-8-10x-echo.dcm"]).clips[0]
    assert (len(clip.frames), clip.view, clip.pixel_mm) == (10, View.A3C, None)
    assert clip.source.stand_in and clip.source.recognised_by == "description"
    text = " ".join(clip.source.warnings)
    assert "uncalibrated" in text and "colour" in text and "nearest" in text
    assert clip.frame_ms[1] == 76


def test_real_video(shared):
    clip = load_study([shared / "data/echo/fiammante/Anonymized_EchoCardiography06.mp4"]).clips[0]
    assert len(clip.frames) == 76 and clip.frame_ms[1] == pytest.approx(50)


def test_real_obstetric_still(shared):
    with pytest.raises(InputError, match="not a usable view of the heart"):
        load_study([shared / "data/echo/pydicom/examples_palette.dcm"])
