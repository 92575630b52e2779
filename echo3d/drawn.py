"""Draw a surface with OpenGL into a picture, without a window; what draws it may end the process where a driver is broken."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from echo3d.errors import InputError

SIZE = (480, 360)
"""Pixels across and down."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """What came of drawing.

    Parameters
    ----------
    renderer : what OpenGL says draws here
    share : share of the picture's pixels that show the surface, 0 to 1
    """

    renderer: str
    share: float


def draw(surface: Path | None = None, out: Path | None = None) -> Drawn:
    """Draw a surface of ours, or a ball, and write it as PNG where that is wanted.

    Parameters
    ----------
    surface : a .vtp file
    out : the picture

    Raises
    ------
    InputError
        If the surface cannot be read, or nothing of it is seen.
    """
    from vtkmodules import vtkRenderingOpenGL2  # noqa: F401 - what draws is registered by the import
    from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper, vtkRenderer, vtkRenderWindow, vtkWindowToImageFilter

    mapper, actor, stage, window = vtkPolyDataMapper(), vtkActor(), vtkRenderer(), vtkRenderWindow()
    source = _ball() if surface is None else _read(surface)
    mapper.SetInputConnection(source.GetOutputPort())
    mapper.ScalarVisibilityOff()
    actor.SetMapper(mapper)
    actor.GetProperty().SetColor(0.8, 0.25, 0.2)
    stage.AddActor(actor)
    stage.SetBackground(0.0, 0.0, 0.0)
    window.SetOffScreenRendering(1)
    window.SetSize(*SIZE)
    window.AddRenderer(stage)
    window.Render()
    taken = vtkWindowToImageFilter()
    taken.SetInput(window)
    taken.Update()
    share = _share(taken.GetOutput())
    if share < 0.01:
        raise InputError("a drawn surface must be seen, found an empty picture; install a graphics driver with OpenGL 3.2 or newer")
    if out is not None:
        _write(taken, out)
    return Drawn(_renderer(window), share)


def _ball() -> Any:
    from vtkmodules.vtkFiltersSources import vtkSphereSource

    return vtkSphereSource()


def _read(surface: Path) -> Any:
    from vtkmodules.vtkIOXML import vtkXMLPolyDataReader

    if not surface.is_file():
        raise InputError("a surface to draw must be a .vtp file, found none there; name one that echo3d wrote")
    reader = vtkXMLPolyDataReader()
    reader.SetFileName(str(surface))
    return reader


def _share(image: Any) -> float:
    """Return the share of pixels that are not black."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    return float(np.mean(vtk_to_numpy(image.GetPointData().GetScalars()).max(axis=1) > 0))


def _write(taken: Any, out: Path) -> None:
    from vtkmodules.vtkIOImage import vtkPNGWriter

    writer = vtkPNGWriter()
    writer.SetFileName(str(out))
    writer.SetInputConnection(taken.GetOutputPort())
    writer.Write()


def _renderer(window: Any) -> str:
    """Return the renderer's line of what OpenGL reports."""
    lines = window.ReportCapabilities().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if "renderer string" in line.lower()), "drawn")
