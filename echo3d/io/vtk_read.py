"""VTK's readers, made to say what they find wrong.

They read a tetrahedral mesh of a million cells in ASCII in half a second, so that no reader of our own is needed but for PLY, OBJ and GLB,
of which they lose arrays, groups and names; yet what they find wrong they only print, and hand back whatever they had got to.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyvista as pv
from vtkmodules.vtkCommonCore import vtkOutputWindow, vtkStringOutputWindow
from vtkmodules.vtkIOGeometry import vtkSTLReader
from vtkmodules.vtkIOLegacy import vtkPolyDataReader, vtkUnstructuredGridReader
from vtkmodules.vtkIOXML import vtkXMLPolyDataReader, vtkXMLUnstructuredGridReader

from echo3d.errors import InputError
from echo3d.io.legacy_vtk import declared

_READERS: dict[str, Any] = {
    ".vtp": vtkXMLPolyDataReader,
    ".vtu": vtkXMLUnstructuredGridReader,
    ".stl": vtkSTLReader,
}
_LEGACY: dict[bytes, Any] = {b"POLYDATA": vtkPolyDataReader, b"UNSTRUCTURED_GRID": vtkUnstructuredGridReader}


def read_dataset(path: Path) -> Any:
    """Return what VTK reads from a file that :func:`echo3d.io.mesh_claims.check_mesh_file` let pass.

    Returns
    -------
    pyvista PolyData or UnstructuredGrid

    Raises
    ------
    InputError
        If the reader reports anything wrong, such as a file cut short.
    """
    suffix = path.suffix.lower()
    found: list[str] = []
    reader = _legacy_reader(path) if suffix == ".vtk" else _READERS[suffix]()
    reader.SetFileName(str(path))
    if suffix == ".stl":
        reader.ScalarTagsOn()
    if suffix == ".vtk":
        reader.ReadAllScalarsOn()
        reader.ReadAllFieldsOn()
    reader.AddObserver("ErrorEvent", lambda *_: found.append("error"))
    with _unheard():
        reader.Update()
    output = reader.GetOutputDataObject(0)
    if found or output is None or (suffix == ".vtk" and _less_than_declared(path, output)):
        raise InputError(f"a mesh file must be whole, found a damaged {suffix} file or one that ends too early; export or copy it again")
    return pv.wrap(output)


def _less_than_declared(path: Path, output: Any) -> bool:
    """Return whether fewer points or no cells came out of a legacy file than it declares."""
    counts = dict(declared(path))
    cells = sum(counts.get(name, 0) for name in ("CELLS", "POLYGONS"))
    return bool(output.GetNumberOfPoints() < counts.get("POINTS", 0) or (cells > 0 and output.GetNumberOfCells() == 0))


@contextlib.contextmanager
def _unheard() -> Iterator[None]:
    """Keep what VTK prints from the terminal; it quotes paths, and paths carry names."""
    window = vtkOutputWindow.GetInstance()
    vtkOutputWindow.SetInstance(vtkStringOutputWindow())
    try:
        with pv.vtk_verbosity("off"):
            yield
    finally:
        vtkOutputWindow.SetInstance(window)


def _legacy_reader(path: Path) -> Any:
    """Return VTK's reader for the kind of data set that a legacy file declares."""
    with path.open("rb") as file:
        kind = re.search(rb"DATASET\s+(\w+)", file.read(4096), re.IGNORECASE)
    if kind is None or kind[1].upper() not in _LEGACY:
        said = "nothing" if kind is None else kind[1].decode("ascii", "replace").upper()[:40]
        raise InputError(f"a .vtk mesh must be POLYDATA or UNSTRUCTURED_GRID, found {said}; export a surface or tetrahedra")
    return _LEGACY[kind[1].upper()]()
