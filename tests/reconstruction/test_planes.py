"""The shipped slice plane weights beside S2MNet: nearer to the truth than its own planes, asked together and alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from echo3d.core.images import EchoImage, EchoSet
from echo3d.core.sector import Fan
from echo3d.core.views import View
from echo3d.errors import InputError, ModelError
from echo3d.reconstruction.planes import PlaneModel, load_planes, own_planes, planes_of, predict_planes, with_planes
from echo3d.reconstruction.reconstruct import S2MModel, load_model, network_input, predict, reconstruct
from echo3d.reconstruction.s2mnet import VIEWS


@pytest.fixture(scope="module")
def model() -> S2MModel:
    return replace(load_model("lean", "cpu"), quick=None)  # the network's own answer, not moved


@pytest.fixture(scope="module")
def planes(model: S2MModel) -> PlaneModel:
    return load_planes(model)


def picture(view: View, seed: int = 0) -> EchoImage:
    pixels = np.random.default_rng((seed, int(view))).random((160, 160)).astype(np.float32)
    return EchoImage(view, pixels, (1.0, 1.0), Fan(0.0, 80.0, 40.0, 150.0))


def test_own_planes_are_those_that_s2mnet_answers_with(model: S2MModel) -> None:
    pictures, present = network_input([EchoSet({v: picture(v) for v in View})])
    with torch.inference_mode():
        shares = model.network.structures(pictures, present)
    torch.testing.assert_close(own_planes(model.network, shares, present, torch.tensor([True])), predict(model, pictures, present).planes)
    alone = own_planes(model.network, shares, present, torch.tensor([False]))
    single, only = network_input([EchoSet({View.A3C: picture(View.A3C)})])
    torch.testing.assert_close(alone[0, View.A3C], predict(model, single, only).planes[0, View.A3C], atol=1e-4, rtol=1e-4)


def test_a_heart_gets_planes_of_its_views_and_says_whose(model: S2MModel, planes: PlaneModel) -> None:
    one = EchoSet({View.A4C: picture(View.A4C), View.PSAX_MID: picture(View.PSAX_MID)})
    (heart,) = reconstruct(model, [one], ["ED"])
    (better,) = with_planes(planes, model, [one], [heart])
    assert set(better.planes) == set(one.images) and better.planes_by == planes.card.name and heart.planes_by == ""
    assert np.array_equal(better.points, heart.points)
    assert better.planes[View.A4C].depth == heart.planes[View.A4C].depth
    assert not np.allclose(better.planes[View.A4C].origin, heart.planes[View.A4C].origin)


def test_a_view_asked_alone_is_as_if_there_were_no_other(model: S2MModel, planes: PlaneModel) -> None:
    several = EchoSet({v: picture(v) for v in View})
    single = EchoSet({View.A2C: picture(View.A2C)})
    (alone,) = planes_of(planes, model, [several], together=False)
    (only,) = planes_of(planes, model, [single])
    np.testing.assert_allclose(alone[View.A2C].origin, only[View.A2C].origin, atol=1e-3)
    (heard,) = planes_of(planes, model, [several])
    assert not np.allclose(heard[View.A2C].origin, only[View.A2C].origin, atol=1e-2)


def test_fans_are_square(model: S2MModel, planes: PlaneModel) -> None:
    pictures, present = network_input([EchoSet({v: picture(v, 3) for v in View})])
    found = predict_planes(planes, model, pictures, present).double()
    assert found.shape == (1, VIEWS, 9)
    np.testing.assert_allclose((found[..., 3:6] * found[..., 6:9]).sum(-1), 0, atol=1e-5)


def test_weights_of_another_kind_and_empty_sets_are_refused(model: S2MModel, planes: PlaneModel) -> None:
    with pytest.raises(ModelError, match="kind sliceplane"):
        load_planes(model, "lean")
    with pytest.raises(ModelError, match="kind s2mnet, sliceplane is sliceplane"):
        load_model("sliceplane", "cpu")
    with pytest.raises(InputError, match="at least one picture"):
        planes_of(planes, model, [EchoSet({})])
