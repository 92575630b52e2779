"""Orders for data sets: what is typed becomes the spec, or a sentence at its field; the pose is what a data set means by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from echo3d.core.pose import Pose, place
from echo3d.core.views import View
from echo3d.positioning.bodies import own_body
from echo3d.positioning.order_start import departure, left_out, order_of, pose_ranges, probe_ranges
from echo3d.positioning.orders import Ends, Order, checked
from echo3d.positioning.probes import Adjustment
from echo3d.positioning.state import Picture, Placement, Scene, Workspace

GOOD = Order(out="/somewhere/set")


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"count": "many"}, "count", "from 1 to 1000000, found many"),
        ({"seed": "-1"}, "seed", "found -1"),
        ({"hands": ""}, "hands", "found nothing"),
        ({"size": "8"}, "size", "from 16 to 1024"),
        ({"pixel_mm": "20"}, "pixel_mm", "0.05 to 10 mm"),
        ({"workers": "0"}, "workers", "found 0"),
        ({"shares": {"normal": "0"}}, "shares", "above 0"),
        ({"shares": {"normal": "x"}}, "shares", "found x"),
        ({"given": True}, "hearts", "found none"),
        ({"given": True, "hearts": ("template",)}, "hearts", "ED alone"),
        ({"phases": ()}, "phases", "At least one phase"),
        ({"views": ()}, "views", "At least one view"),
        ({"out": " "}, "out", "found no name"),
        ({"pose": {"x": Ends(True, "5", "-5")}}, "pose.x", "must not be above"),
        ({"pose": {"x": Ends(True, "-500", "5")}}, "pose.x", "from -200 to 200"),
        ({"probe": {"depth": Ends(True, "nan", "5")}}, "probe.depth", "found nan"),
    ],
)
def test_what_will_not_do_is_said_at_its_field(change: dict, field: str, said: str) -> None:
    found = checked(replace(GOOD, **change))
    assert found.spec is None and list(found.problems) == [field]
    assert said in found.problems[field]
    assert found.problems[field].endswith(".")


def test_an_order_becomes_its_spec() -> None:
    order = replace(
        GOOD, count="7", shares={"dcm": "3", "rv": "1", "la": ""}, pixel_mm="0,8", workers="3", views=(View.A2C,),
        pose={"x": Ends(True, "-2", "3"), "y": Ends(False, "rubbish", "")},
    )  # fmt: skip
    found = checked(order)
    spec = found.spec
    assert spec is not None and not found.problems
    assert (spec.count, spec.pixel_mm, spec.views, found.workers) == (7, 0.8, (View.A2C,), 3)
    assert spec.mixture == {"dcm": 0.75, "rv": 0.25}
    assert spec.pose == {"x": (-2, 3)} and spec.probe == {}


def test_the_departure_is_the_pose_seen_from_where_the_probes_aim() -> None:
    aim = Pose(np.array([10.0, -20, 30]), np.array([5.0, 40, -30]), 1.2)
    pose = Pose(np.array([14.0, -25, 31]), np.array([-8.0, 20, 10]), 0.9)
    pivot, points = np.array([3.0, 4, 5]), np.random.default_rng(0).normal(0, 40, (50, 3))
    apart = departure(Placement(pose=pose, anchor=aim))
    assert np.allclose(place(place(points, apart, pivot), aim, pivot), place(points, pose, pivot), atol=1e-4)
    followed = departure(Placement(pose=pose, anchor=aim, follows=True))
    assert np.allclose(place(points, followed, pivot), points)


def test_it_begins_at_the_workspace() -> None:
    still = Placement()
    assert not any(ends.on for ends in {**pose_ranges(still), **probe_ranges(still)}.values())
    held = Placement(
        pose=Pose(np.array([3.0, 0, 0]), np.zeros(3)), probes={View.A4C: Adjustment(tilt=20, flipped=True), View.A2C: Adjustment(press=4)}
    )
    order = order_of(Workspace(scene=Scene(placement=held), picture=Picture.PSEUDO), out="x")
    assert order.stage == "pseudo" and not order.given
    assert order.pose["x"] == Ends(True, "-2", "8") and not order.pose["y"].on
    assert order.probe["tilt"] == Ends(True, "-3", "23") and order.probe["standoff"] == Ends(True, "-7", "3")
    assert not order.probe["rotate"].on
    assert "mirrored index markers" in left_out(held)
    assert checked(order).problems == {}
    stages = [checked(order_of(Workspace(picture=picture), out="x")).spec.stage for picture in Picture]
    assert stages == ["labels", "binary", "pseudo", "echo", "cyclegan"]
    assert order.body == checked(order).spec.body == ""


def test_the_body_of_the_scene_is_the_body_of_the_order() -> None:
    body = own_body("f", 160.0, 62.5)
    order = order_of(Workspace(scene=Scene(body=body)), out="x")
    assert order.body == "f:160:62.5" and checked(order).spec.body == order.body
    named = replace(body, origin={"kind": "file", "file": "person.stl", "sex": "f"}, path=Path("/somewhere/person.stl"))
    assert order_of(Workspace(scene=Scene(body=named)), out="x").body == "/somewhere/person.stl"
