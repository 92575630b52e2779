"""Views from codes old and new, from texts in their order."""

from __future__ import annotations

import pytest
from pydicom import Dataset
from pydicom.sequence import Sequence

from echo3d.core.views import DICOM_CODES, View
from echo3d.io.dicom_view import recognise


def coded(value: str, scheme: str, meaning: str, *modifiers: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    parts = []
    for text in modifiers:
        part = Dataset()
        part.CodeMeaning = text
        parts.append(part)
    item.ViewModifierCodeSequence = Sequence(parts)
    dataset = Dataset()
    dataset.ViewCodeSequence = Sequence([item])
    return dataset


@pytest.mark.parametrize(("view", "code"), DICOM_CODES.items())
def test_every_code(view, code):
    found = recognise(coded(code, "SCT", "anything"))
    assert (found.view, found.recognised_by, found.stand_in) == (view, "view code", False)


def test_old_snomed_spelling():
    assert recognise(coded("G-A19C", "SRT", "x")).view is View.A4C


def test_parasternal_long_axis_stands_in():
    found = recognise(coded("399139001", "SCT", "Parasternal long axis"))
    assert found.view is View.A3C and found.stand_in and "Apical 3-chamber" in found.warnings[0]


def test_short_axis_level_from_the_modifier():
    assert recognise(coded("399306005", "SCT", "Parasternal short axis", "apical")).view is View.PSAX_APICAL


@pytest.mark.parametrize("tag", ["ViewName", "StageName", "SeriesDescription", "ImageComments"])
def test_texts(tag):
    dataset = Dataset()
    setattr(dataset, tag, "AP 4 CH")
    found = recognise(dataset)
    assert (found.view, found.recognised_by) == (View.A4C, "description")


def test_the_view_name_is_asked_before_the_comment():
    dataset = Dataset()
    dataset.ViewName, dataset.ImageComments = "A2C", "A4C"
    assert recognise(dataset).view is View.A2C


def test_a_patient_called_pla_is_no_view():
    dataset = Dataset()
    dataset.PatientName = "PLA"
    assert recognise(dataset).view is None
