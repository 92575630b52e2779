"""A surface whose cells carry their own colours, lit as in every scene of the window."""

from __future__ import annotations

import pyvista as pv
from vtkmodules.vtkRenderingCore import vtkActor, vtkPolyDataMapper


def coloured_actor(*, flat: bool = False, opacity: float = 1.0) -> vtkActor:
    """Return an actor that takes its colours from the cells; flat for what a plane has cut."""
    mapper = vtkPolyDataMapper()
    mapper.SetScalarModeToUseCellFieldData()
    mapper.SelectColorArray("colour")
    mapper.SetColorModeToDirectScalars()
    mapper.SetInputDataObject(pv.PolyData())
    actor = vtkActor()
    actor.SetMapper(mapper)
    look = actor.GetProperty()
    look.SetInterpolationToFlat() if flat else look.SetInterpolationToGouraud()
    look.SetAmbient(0.62 if flat else 0.2)
    look.SetDiffuse(0.45 if flat else 0.84)
    look.SetSpecular(0.0 if flat else 0.22)
    look.SetSpecularPower(16)
    look.SetOpacity(opacity)
    return actor
