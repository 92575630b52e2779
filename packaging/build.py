"""Make the package: icons, PyInstaller, licences, bill of materials, version, report, archive. ``make package`` runs it.

The result is dist/echo3d, a folder that runs where it lies, and dist/echo3d-VERSION-SYSTEM-MACHINE.tar.xz of it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import py_compile
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import icon
import sbom
import sizes
from slim import slim

ROOT = Path(__file__).resolve().parents[1]
BUILD, DIST = ROOT / "build", ROOT / "dist"
FOLDER = DIST / "echo3d"


def main() -> None:
    """Build what the words ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--no-archive", action="store_true", help="leave the folder unpacked only")
    parser.add_argument("--finish", action="store_true", help="do only what follows PyInstaller, on the folder that it left")
    words = parser.parse_args()
    begun = time.monotonic()
    if not words.finish:
        icon.write(BUILD / "icons")
        _pyinstaller()
    own_code(FOLDER / "_internal")
    saved = slim(FOLDER)
    facts = {"name": "echo3d", "version": _version(), "built_seconds": round(time.monotonic() - begun), "saved_bytes": saved}
    _furnish(FOLDER)
    archive = None if words.no_archive else _pack()
    values = sizes.report(FOLDER, facts | _machine(), archive)
    sizes.write(FOLDER, values)
    sizes.write(DIST, values)
    print(sizes.as_text(values))


def _version() -> str:
    found = re.search(r'__version__ = "([^"]+)"', (ROOT / "echo3d" / "__init__.py").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("echo3d/__init__.py must name the version, found none; write __version__ = ...")
    return found.group(1)


def _machine() -> dict[str, str]:
    """Return what the package was made with, and what it asks of the machine that runs it."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "glibc": sizes.oldest_glibc(FOLDER) if sys.platform == "linux" else "",
        "python": platform.python_version(),
        "pyinstaller": version("pyinstaller"),
        "torch": version("torch"),
    }


def _pyinstaller() -> None:
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--workpath", str(BUILD / "work"), "--distpath", str(DIST)]
    subprocess.run([*command, str(ROOT / "echo3d.spec")], check=True, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})


def own_code(inside: Path) -> None:
    """Compile our own packages into the folder, under names that say nothing of this machine; what lay there of them goes."""
    for package in ("echo3d", "training"):
        shutil.rmtree(inside / package, ignore_errors=True)
        for source in sorted((ROOT / package).rglob("*.py")):
            name = source.relative_to(ROOT)
            target = (inside / name).with_suffix(".pyc")
            target.parent.mkdir(parents=True, exist_ok=True)
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(str(source), str(target), dfile=name.as_posix(), doraise=True, invalidation_mode=mode)


def _furnish(folder: Path) -> None:
    """Lay licences, bill of materials, version, icons and the desktop's file beside the executables."""
    collected = [tuple(pair) for pair in json.loads((BUILD / "collected.json").read_text(encoding="utf-8"))]
    found = sbom.taken(collected)
    (folder / "sbom.cdx.json").write_text(json.dumps(sbom.bill(found, _version()), indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(folder / "licences", ignore_errors=True)
    bare = sbom.write_licences(found, folder / "licences")
    if bare:
        print(f"no text of a licence lies in the wheels of {', '.join(bare)}; the bill of materials names their licences")
    (folder / "VERSION").write_text(_version() + "\n", encoding="utf-8")
    for name in ("LICENSE", "NOTICE", "CHANGELOG.md"):
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "README.txt").write_text(_README, encoding="utf-8")
    _desktop(folder)


_README = """echo3d: from the 2D views of an echo study to a beating 3D four-chamber heart.
Research use only. Not a medical device, not for diagnosis.

  ./echo3d                        open the window
  ./echo3d doctor --self-test     look at this machine and try a little of everything
  ./echo3d --help                 all words
  ./install-desktop.sh            put echo3d into the menu (--remove takes it away)

The folder may lie anywhere and need not be writable; settings, jobs and logs lie in your own folders, or in $ECHO3D_HOME.
Licences: LICENSE and NOTICE are echo3d's, licences/ holds those of the libraries, sbom.cdx.json lists them all. FFmpeg as PyAV carries it
holds x264 and x265 (GPL-2.0-or-later), so that this folder as a whole is passed on under the terms of the GPL; echo3d's own source stays
under Apache-2.0.
"""


def _desktop(folder: Path) -> None:
    """Copy icons and the desktop's file where there are such desktops."""
    if sys.platform != "linux":
        return
    share = folder / "share"
    shutil.rmtree(share, ignore_errors=True)
    (share / "icons").mkdir(parents=True)
    for file in (BUILD / "icons").glob("*.[sp][vn]g"):
        shutil.copyfile(file, share / "icons" / file.name)
    shutil.copyfile(ROOT / "packaging" / "echo3d.desktop", share / "echo3d.desktop")
    shutil.copy(ROOT / "packaging" / "install-desktop.sh", folder / "install-desktop.sh")


def _pack() -> Path:
    """Pack the folder and return the archive; a report without the archive's size travels inside."""
    sizes.write(FOLDER, sizes.report(FOLDER, {"name": "echo3d", "version": _version()} | _machine()))
    name = f"echo3d-{_version()}-{platform.system().lower()}-{platform.machine()}"
    if sys.platform == "win32":
        return Path(shutil.make_archive(str(DIST / name), "zip", DIST, "echo3d"))
    archive = DIST / f"{name}.tar.xz"
    archive.unlink(missing_ok=True)
    with tempfile.NamedTemporaryFile(dir=DIST, suffix=".part", delete=False) as part:
        tar = ["tar", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-C", str(DIST), "-c", "echo3d"]
        packing = subprocess.Popen(tar, stdout=subprocess.PIPE)
        subprocess.run(["xz", "-T2", "-6", "-c"], stdin=packing.stdout, stdout=part, check=True)
    if packing.wait():
        raise SystemExit("tar must pack the folder, found that it failed; see its message above")
    Path(part.name).chmod(0o644)  # what is begun as a temporary file is readable by its owner only
    return Path(part.name).rename(archive)


if __name__ == "__main__":
    main()
