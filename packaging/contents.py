"""What goes into the package and what does not: lists for ``echo3d.spec``, and nothing that needs PyInstaller."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_PARTS = (
    "color",
    "data",
    "draw",
    "exposure",
    "feature",
    "filters",
    "future",
    "graph",
    "io",
    "metrics",
    "morphology",
    "registration",
    "restoration",
    "segmentation",
)
"""Parts of scikit-image that drawing a surface through voxels does not need."""

NEITHER = (
    "IPython",
    "PIL._avif",
    "PyInstaller",
    "PySide6.QtDataVisualization",
    "_pytest",
    "cv2",
    "dask",
    "distributed",
    "hypothesis",
    "cyclopts",
    "fsspec",
    "imageio",
    "ipywidgets",
    "jinja2",
    "keopscore",
    "matplotlib.tests",
    "monai",
    "mpl_toolkits.tests",
    "librt",
    "mypy",
    "mypy_extensions",
    "mypyc",
    "networkx",
    "numpy.tests",
    "pip",
    "pykeops",
    "pygments",
    "pytest",
    "rich",
    "rich_rst",
    "scipy.io",
    "scipy.odr",
    "setuptools",
    *(f"skimage.{part}" for part in _PARTS),
    "tensorboard",
    "tifffile",
    "tkinter",
    "trame",
    "triton",
    "wheel",
    "yaml",
)
"""Modules of neither executable: tools of developers, what needs a compiler, clusters, other programs' windows, and what we can do without.

OpenCV is a tenth of the whole; Pillow and SciPy, which are there anyway, give the same answers (``echo3d/io/_plain.py``).
"""

LEFT_OUT = ("opencv-python",)
"""Distributions that the sources ask for and the package goes without."""

ASKED_FOR_LATE = tuple(f"scipy.{part}" for part in ("fft", "interpolate", "ndimage", "sparse", "sparse.csgraph", "spatial", "special"))
"""Parts of SciPy that it imports when they are first used, which no file says."""

NOT_IN_THE_WINDOW = (
    "echo3d.cli",
    "echo3d.engine.server",
    "echo3d.pipeline",
    "echo3d.reconstruction",
    "echo3d.registration",
    "functorch",
    "geomloss",
    "sympy",
    "torch",
    "torchgen",
    "training",
)
"""Modules that ``echo3d`` leaves to ``echo3d-worker``."""

NOT_IN_THE_WORKER = ("PySide6", "echo3d.gui", "pyqtgraph", "pyvistaqt", "qtpy", "shiboken6")
"""Modules that ``echo3d-worker`` leaves to ``echo3d``."""

_OF_THE_COMPILER = (
    "_functionalize_collectives",
    "analysis",
    "config",
    "cpp_builder",
    "cpu_vec_isa",
    "cudagraph_utils",
    "custom_graph_pass",
    "exc",
    "runtime",
    "standalone_compile",
    "test_operators",
    "utils",
)
"""What torch imports of its compiler as soon as there is an optimiser; the rest only ``torch.compile`` calls, which needs a compiler."""

NO_START = ("pyi_rth_mplconfig",)
"""What PyInstaller would run at each start and does more harm than good: matplotlib would look for all fonts again, into a new folder."""

VTK_PARTS = (
    r"Charts(Core)|Common.*|Parallel(Core)|PythonContext2D|Views(Core|Context2D)"
    r"|Filters(CellGrid|Core|Extraction|General|Geometry|Hybrid|Modeling|Python|Reduction|Sources|Statistics|Texture|Verdict)"
    r"|IO(CellGrid|Core|Geometry|Image|Legacy|PLY|XML|XMLParser)"
    r"|Imaging(Color|Core|General|Hybrid|Math|Sources|Stencil)"
    r"|Interaction(Style|Widgets)"
    r"|Rendering(Annotation|Context2D|ContextOpenGL2|Core|FreeType|HyperTreeGrid|Label|OpenGL2|UI|Volume|VolumeOpenGL2)"
)
"""The parts of VTK that pyvista imports when it starts, and those that surfaces are read, written and worked on with."""


def vtk(*, wanted: bool) -> list[str]:
    """Return the installed modules of VTK that are taken, or those that are left out; pyvista asks for them by name while it runs."""
    import vtkmodules

    place = Path(vtkmodules.__file__).parent
    names = {file.name.partition(".")[0] for ending in ("so", "pyd") for file in place.glob(f"vtk*.{ending}")}
    return sorted(f"vtkmodules.{name}" for name in names if bool(re.fullmatch(VTK_PARTS, name.removeprefix("vtk"))) is wanted)


def compiler() -> list[str]:
    """Return the parts of torch's compiler that are left out."""
    place = Path(str(distribution("torch").locate_file("torch/_inductor")))
    names = {path.name.removesuffix(".py") for path in place.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    return sorted(f"torch._inductor.{name}" for name in names - {"__init__", *_OF_THE_COMPILER})


_DROPPED = (
    # Qt: what no window of ours shows
    r"PySide6/Qt/translations/.*",
    r"PySide6/Qt/lib/libQt6(Quick|Qml|VirtualKeyboard|Pdf|WebEngine|WebChannel|Designer|EglF|Wlshell|Labs).*",
    r"PySide6/Qt/plugins/(platforminputcontexts/libqtvirtualkeyboardplugin|imageformats/libqpdf|platforms/libq(eglfs|linuxfb|vkkhrdisplay|vnc|minimalegl)|egldeviceintegrations/|qmltooling/).*",
    r"PySide6/Qt/plugins/(generic|networkinformation|printsupport|tls|platformthemes/libqgtk3)(/|\.).*",
    r"PySide6/(Qt/lib/lib)?Qt6?DataVisualization.*",
    r"PySide6/.*\.pyi",
    # torch: what is for compiling against it, its own tests, and sources where the compiled code is enough
    r"torch/(include|test|share)/.*",
    r"torch/bin/(?!torch_shm_manager$).*",
    r"torch/lib/.*(test|custom_ops|backend_with_compiler).*",
    r"torch/.*\.(h|cpp|cuh|cu|a|cmake|pyi|in|jinja|yaml|yml)",
    r"torch/(?!(functional|nn/functional|_decomp/[^/]*|distributions/von_mises|distributed/optim/[^/]*|jit/[^/]*|.*config.*)\.py).*\.py",
    # samples, tests and programs of others
    r"matplotlib/mpl-data/(sample_data|fonts/(afm|pdfcorefonts)|images)/.*",
    r"pyvista/examples/.*",
    r"_gdcm/(scripts|pkgconfig)/.*",
    r"(PIL/_avif|pillow\.libs/libavif).*",
    r"yaml/.*",
    r".*\.dist-info/(?!METADATA$).*",
    r"skimage/data/.*",
    r".*/(tests|test|testing/_internal)/.*",
    r".*\.(a|lib|pxd|pyx|c|h)",
)


def dropped(name: str) -> bool:
    """Whether a file of the package is left out, by its name in it.

    >>> dropped("torch/include/ATen/ATen.h"), dropped("torch/lib/libtorch_cpu.so"), dropped("PySide6/Qt/lib/libQt6Quick.so.6")
    (True, False, True)
    """
    name = name.replace("\\", "/")
    return any(re.fullmatch(pattern, name) for pattern in _DROPPED)


def required(root: str = "echo3d", without: Iterable[str] = (*NEITHER, *LEFT_OUT)) -> list[Distribution]:
    """Return the installed distributions that a distribution needs here, itself first, optional ones left out."""
    left_out = {_key(name) for name in without}
    found: dict[str, Distribution] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop(0)
        if _key(name) in found or _key(name) in left_out:
            continue
        try:
            found[_key(name)] = distribution(name)
        except PackageNotFoundError:
            continue
        waiting += [_needed(line) for line in found[_key(name)].requires or () if "extra ==" not in line]
    return list(found.values())


def _needed(line: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0]


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def metadata(folder: Path) -> list[tuple[str, str]]:
    """Return the METADATA files of what is needed, written below ``folder``, as (file, place in the package).

    The program lists its libraries and their licences from them. Nothing else of a ``dist-info`` is taken: it may name
    places of this machine.
    """
    taken = []
    for one in required():
        place = f"{one.metadata['Name']}-{one.version}.dist-info".replace("/", "_")
        file = folder / place / "METADATA"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_without(one.read_text("METADATA") or ""), encoding="utf-8")
        taken.append((str(file), place))
    return taken


def _without(text: str) -> str:
    """Ask for nothing that is left out."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("Requires-Dist: ") or _needed(line.partition(" ")[2]) not in LEFT_OUT)
