"""What can be said of the package without building it: its lists, its report, its bill of materials, its icon, its two executables."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution, version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PACKAGING = ROOT / "packaging"
if not (ROOT / "echo3d.spec").is_file():
    pytest.skip("the package is built from the sources, which are not here", allow_module_level=True)

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch):
    """The modules that make the package, by name."""
    monkeypatch.syspath_prepend(str(PACKAGING))
    return __import__


def run(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(PACKAGING), str(ROOT)])
    known = os.environ | {"PYTHONPATH": paths, "QT_QPA_PLATFORM": "offscreen"} | environment
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False, env=known)


def test_the_spec_names_files_that_are_there() -> None:
    text = (ROOT / "echo3d.spec").read_text()
    compile(text, "echo3d.spec", "exec")
    for script in re.findall(r'looked_at\(\s*"([^"]+)"', text):
        assert (PACKAGING / script).is_file(), script
    assert set(re.findall(r'executable\((\w+), "([^"]+)"', text)) == {("window", "echo3d"), ("worker", "echo3d-worker")}
    assert (ROOT / "resources").is_dir() and (PACKAGING / "hooks" / "hook-torch.py").is_file()


BLOCKED = """
import importlib, pkgutil, sys, contents
for name in (*contents.NEITHER, *contents.vtk(wanted=False), *contents.{left_out}):
    sys.modules[name] = None
for package in {packages}:
    root = importlib.import_module(package)
    for found in pkgutil.walk_packages(root.__path__, package + "."):
        if not found.name.startswith({but!r}) and not found.name.endswith("__main__"):
            importlib.import_module(found.name)
print(sorted(name for name in {absent!r} if sys.modules.get(name)))
"""


def test_the_window_needs_nothing_that_is_left_to_the_worker() -> None:
    code = BLOCKED.format(left_out="NOT_IN_THE_WINDOW", packages=("echo3d.gui", "echo3d.jobs"), but=("-",), absent=("torch", "echo3d.cli"))
    done = run(code)
    assert done.stdout.strip() == "[]", done.stderr


def test_the_worker_needs_nothing_that_is_left_to_the_window() -> None:
    code = BLOCKED.format(left_out="NOT_IN_THE_WORKER", packages=("echo3d", "training"), but=("echo3d.gui",), absent=("PySide6", "mypy"))
    done = run(code)
    assert done.stdout.strip() == "[]", done.stderr


TRAINED = """
import sys, contents
for name in (*contents.NEITHER, *contents.NOT_IN_THE_WORKER, *contents.compiler()):
    sys.modules[name] = None
import geomloss, torch
from torch.utils.checkpoint import checkpoint
layer = torch.nn.Sequential(torch.nn.Conv3d(1, 2, 3, padding=1), torch.nn.BatchNorm3d(2), torch.nn.Flatten(), torch.nn.Linear(128, 3))
before = layer[0].weight.detach().clone()
optimizer = torch.optim.AdamW(layer.parameters(), lr=0.1)
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1.0)
with torch.autocast("cpu", torch.bfloat16):
    found = checkpoint(layer, torch.ones(2, 1, 4, 4, 4), use_reentrant=False)
loss = found.float().square().mean() + geomloss.SamplesLoss("sinkhorn", backend="tensorized")(torch.rand(5, 3), torch.rand(5, 3))
loss.backward(); torch.nn.utils.clip_grad_norm_(layer.parameters(), 1.0); optimizer.step(); schedule.step()
torch.save(optimizer.state_dict(), sys.argv[1]); torch.load(sys.argv[1], weights_only=True)
print(len(contents.compiler()) > 50, bool((layer[0].weight != before).any()))
"""


def test_training_needs_nothing_of_what_is_left_out(tmp_path: Path) -> None:
    done = run(TRAINED.replace("sys.argv[1]", repr(str(tmp_path / "state.pt"))))
    assert done.stdout.split() == ["True", "True"], done.stderr


@pytest.mark.parametrize(
    ("name", "gone"),
    [
        ("torch/lib/libtorch_cpu.so", False),
        ("torch/lib/libjitbackend_test.so", True),
        ("torch/include/ATen/ATen.h", True),
        ("torch/nn/functional.py", False),
        ("torch/_dynamo/config.py", False),
        ("torch/nn/modules/conv.py", True),
        ("torch/functional.py", False),
        ("PySide6/Qt/lib/libQt6Widgets.so.6", False),
        ("PySide6/Qt/lib/libQt6WebEngineCore.so.6", True),
        ("PySide6/Qt/plugins/platforms/libqxcb.so", False),
        ("PySide6/Qt/plugins/platforminputcontexts/libqtvirtualkeyboardplugin.so", True),
        ("matplotlib/mpl-data/matplotlibrc", False),
        ("resources/weights/lean.safetensors", False),
        ("torch/bin/torch_shm_manager", False),
        ("torch/bin/protoc", True),
        ("PySide6/Qt/plugins/platformthemes/libqgtk3.so", True),
        ("PySide6/Qt/plugins/platformthemes/libqxdgdesktopportal.so", False),
        ("numpy-2.4.6.dist-info/METADATA", False),
        ("numpy-2.4.6.dist-info/RECORD", True),
    ],
)
def test_what_is_dropped(made, name: str, gone: bool) -> None:
    assert made("contents").dropped(name) is gone


def test_metadata_tells_nothing_of_this_machine(made, tmp_path: Path) -> None:
    taken = made("contents").metadata(tmp_path)
    assert {"echo3d", "torch", "vtk"} <= {place.split("-")[0].lower() for _, place in taken}
    assert all(Path(file).name == "METADATA" for file, _ in taken)
    own = next(Path(file).read_text() for file, place in taken if place.startswith("echo3d-"))
    assert "Requires-Dist: pillow" in own and str(ROOT) not in own
    assert "Requires-Dist: opencv" not in own and not any("opencv" in place.lower() for _, place in taken), "the package goes without"


def test_bill_of_materials_and_licences(made, tmp_path: Path) -> None:
    sbom = made("sbom")
    numpy = distribution("numpy")
    places = [(str(file), str(numpy.locate_file(file))) for file in numpy.files or () if str(file).endswith((".so", "numpy/__init__.py"))]
    found = sbom.taken([*places, ("echo3d/cli.py", str(ROOT / "echo3d" / "cli.py"))])
    assert [one.metadata["Name"] for one in found.libraries] == ["numpy"]
    bill = sbom.bill(found, "1.2.3")
    assert (bill["bomFormat"], bill["specVersion"], bill["metadata"]["component"]["version"]) == ("CycloneDX", "1.6", "1.2.3")
    parts = {part["name"]: part for part in bill["components"]}
    assert parts["numpy"]["version"] == version("numpy") and parts["numpy"]["purl"].startswith("pkg:pypi/numpy@")
    assert parts["numpy"]["licenses"] and "CPython" in parts
    if any(".libs/" in name for name, _ in places):
        assert parts["OpenBLAS"]["licenses"] == [{"expression": "BSD-3-Clause"}]
    assert len({part["bom-ref"] for part in bill["components"]}) == len(bill["components"])
    assert sbom.bill(found, "1.2.3") == bill, "the same files must give the same bill"
    assert sbom.write_licences(found, tmp_path) == []
    assert any(text.stat().st_size > 500 for text in (tmp_path / "numpy").iterdir())


def test_report_by_component(made, tmp_path: Path) -> None:
    sizes = made("sizes")
    for name, size in (("torch/lib/libtorch.so", 500), ("PySide6/Qt/lib/libQt6Core.so.6", 300), ("libxcb.so.1", 20)):
        place = tmp_path / "echo3d" / "_internal" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"GLIBC_2.28\0" + bytes(size - 11))
    (tmp_path / "echo3d" / "_internal" / "libQt6Core.so.6").symlink_to("PySide6/Qt/lib/libQt6Core.so.6")
    (tmp_path / "echo3d" / "echo3d").write_bytes(bytes(70))
    (tmp_path / "a.tar.xz").write_bytes(bytes(90))
    values = sizes.report(tmp_path / "echo3d", {"version": "1.2.3"}, tmp_path / "a.tar.xz")
    assert values["components"] == {"torch": 500, "Qt for Python": 300, "echo3d": 70, "libraries of the system": 20}
    assert (values["unpacked_bytes"], values["packed_bytes"], sizes.oldest_glibc(tmp_path)) == (890, 90, "2.28")
    sizes.write(tmp_path, values)
    assert json.loads((tmp_path / "build-report.json").read_text()) == values
    assert "goal 1100" in (tmp_path / "build-report.txt").read_text()


def test_what_nothing_needs_is_found(made, tmp_path: Path) -> None:
    slim = made("slim")
    inside = tmp_path / "_internal"
    (inside / "kiwisolver").mkdir(parents=True)
    extension = next(
        Path(str(distribution("kiwisolver").locate_file(file))) for file in distribution("kiwisolver").files or () if ".so" in str(file)
    )
    shutil.copy(extension, inside / "kiwisolver" / "_cext.so")
    needs = slim.needed([extension])[extension]
    assert "libstdc++.so.6" in needs
    for name in ("libstdc++.so.6", "libnothing.so.1"):
        shutil.copy(extension, inside / name)
    (inside / "libgone.so.2").symlink_to("nowhere")
    assert "libnothing.so.1" in {path.name for path in slim.unreached(tmp_path)}
    assert "libstdc++.so.6" not in {path.name for path in slim.unreached(tmp_path)}
    slim.drop(tmp_path)
    assert not (inside / "libgone.so.2").is_symlink()


def test_our_own_code_is_compiled_under_names_of_its_own(made, tmp_path: Path) -> None:
    made("build").own_code(tmp_path)
    code = "import echo3d.frozen as f, training.schedule; print(f.__file__, f.is_frozen.__code__.co_filename)"
    done = subprocess.run(
        [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == [str(tmp_path / "echo3d" / "frozen.pyc"), "echo3d/frozen.py"], done.stderr
    assert not list(tmp_path.rglob("*.py"))


def test_icon_in_every_size_and_format(tmp_path: Path) -> None:
    done = run(f"import icon, pathlib; icon.write(pathlib.Path({str(tmp_path)!r}))")
    assert done.returncode == 0, done.stderr
    for side in (16, 256):
        with Image.open(tmp_path / f"echo3d-{side}.png") as picture:
            assert picture.size == (side, side)
            pixels = np.asarray(picture.convert("RGBA")).astype(int)
        red, green, blue, cover = pixels[side * 170 // 256, side * 120 // 256]
        assert red > 150 > green and cover == 255 > blue, "the heart is red"
        assert pixels[0, 0, 3] == 0
    with Image.open(tmp_path / "echo3d.ico") as windows:
        assert windows.info["sizes"] >= {(16, 16), (256, 256)}
    assert (tmp_path / "echo3d.icns").read_bytes()[:4] == b"icns"


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script")
def test_desktop_entry_is_put_into_the_menu_and_taken_away(tmp_path: Path) -> None:
    here, home = tmp_path / "some where", tmp_path / "home"
    (here / "share" / "icons").mkdir(parents=True)
    (here / "share" / "icons" / "echo3d.svg").write_text("<svg/>")
    for side in (16, 24, 32, 48, 64, 128, 256, 512):
        (here / "share" / "icons" / f"echo3d-{side}.png").write_bytes(b"png")
    (here / "share" / "echo3d.desktop").write_bytes((PACKAGING / "echo3d.desktop").read_bytes())
    (here / "install-desktop.sh").write_bytes((PACKAGING / "install-desktop.sh").read_bytes())
    known = {"HOME": str(home), "PATH": os.environ["PATH"]}
    subprocess.run(["sh", str(here / "install-desktop.sh")], check=True, env=known, capture_output=True)
    entry = home / ".local" / "share" / "applications" / "echo3d.desktop"
    assert f'Exec="{here}/echo3d" gui %F' in entry.read_text() and "@FOLDER@" not in entry.read_text()
    assert (home / ".local" / "bin" / "echo3d").readlink() == here / "echo3d"
    subprocess.run(["sh", str(here / "install-desktop.sh"), "--remove"], check=True, env=known, capture_output=True)
    assert [path for path in home.rglob("*") if not path.is_dir()] == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems find libraries otherwise")
def test_programs_of_others_find_the_systems_libraries() -> None:
    code = (
        "import os, subprocess, sys; sys.frozen = True; from echo3d.frozen import outside\n"
        "def child(): return subprocess.run(['sh', '-c', 'echo \"$LD_LIBRARY_PATH\"'], capture_output=True, text=True).stdout.strip()\n"
        "with outside(): inner = child()\n"
        "print(inner or '-', child())"
    )
    assert run(code, LD_LIBRARY_PATH="/ours", LD_LIBRARY_PATH_ORIG="/theirs").stdout.split() == ["/theirs", "/ours"]
    assert run(code, LD_LIBRARY_PATH="/ours").stdout.split() == ["-", "/ours"]


@pytest.mark.skipif(sys.platform == "win32", reason="shell scripts stand for the executables")
@pytest.mark.parametrize(
    ("own", "words", "becomes"),
    [
        ("echo3d", ["doctor", "--json"], "echo3d-worker doctor --json"),
        ("echo3d", ["worker"], "echo3d-worker worker"),
        ("echo3d-worker", [], "echo3d gui"),
        ("echo3d-worker", ["Monday.echo3d"], "echo3d gui Monday.echo3d"),
    ],
)
def test_an_executable_hands_over_what_is_the_others(tmp_path: Path, own: str, words: list[str], becomes: str) -> None:
    for name in ("echo3d", "echo3d-worker"):
        script = tmp_path / name
        script.write_text('#!/bin/sh\necho "$(basename "$0") $*"\n')
        script.chmod(0o755)
    done = run(
        f"import sys; sys.frozen, sys.executable, sys.argv = True, {str(tmp_path / own)!r}, {[own, *words]!r}\n"
        "from echo3d.__main__ import main; main()"
    )
    assert done.stdout.split() == becomes.split(), done.stderr


@pytest.mark.parametrize("frozen", [False, True])
def test_what_opens_the_window_is_understood_as_such(frozen: bool) -> None:
    done = run(
        f"import sys; sys.frozen = {frozen}; from echo3d.frozen import window_command; from echo3d.__main__ import opens_window\n"
        "words = window_command('--trial', 'a.json'); print(opens_window(words[1 if sys.frozen else 4:]), words[-3:])"
    )
    assert done.stdout.split(maxsplit=1) == ["True", "['gui', '--trial', 'a.json']\n"], done.stderr
