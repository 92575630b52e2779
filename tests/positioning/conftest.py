"""One heart and one body for all tests of the workspace; both are frozen."""

from __future__ import annotations

import pytest

from echo3d.positioning.bodies import WorkBody, own_body
from echo3d.positioning.hearts import WorkHeart, embedded_heart
from echo3d.positioning.state import Scene, with_body, with_heart


@pytest.fixture(scope="session")
def heart() -> WorkHeart:
    return embedded_heart()


@pytest.fixture(scope="session")
def body() -> WorkBody:
    return own_body("m", 175.0, 75.0)


@pytest.fixture
def scene(heart: WorkHeart, body: WorkBody) -> Scene:
    return with_body(with_heart(Scene(), heart), body)
