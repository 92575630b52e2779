"""What the package is made of: a software bill of materials as CycloneDX JSON, and the texts of the licences.

A file belongs to the distribution that lists it; a library that lies in a wheel's own folder of libraries is named by its file as well.
*Source:* CycloneDX 1.6, https://cyclonedx.org/docs/1.6/json/.
"""

from __future__ import annotations

import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

_NATIVE = (
    ("libx264", "x264", "GPL-2.0-or-later"),
    ("libx265", "x265", "GPL-2.0-or-later"),
    ("libav(codec|device|filter|format|util)", "FFmpeg", "LGPL-2.1-or-later"),
    ("libsw(resample|scale)", "FFmpeg", "LGPL-2.1-or-later"),
    ("libSvtAv1Enc", "SVT-AV1", "BSD-3-Clause-Clear"),
    ("libdav1d", "dav1d", "BSD-2-Clause"),
    ("libaom", "libaom", "BSD-2-Clause"),
    ("libvpx", "libvpx", "BSD-3-Clause"),
    ("libvpl", "oneVPL", "MIT"),
    ("libopus", "Opus", "BSD-3-Clause"),
    ("libmp3lame", "LAME", "LGPL-2.0-or-later"),
    ("libopencore", "opencore-amr", "Apache-2.0"),
    ("lib(gnutls)", "GnuTLS", "LGPL-2.1-or-later"),
    ("lib(nettle|hogweed)", "Nettle", "LGPL-3.0-or-later"),
    ("libgmp", "GMP", "LGPL-3.0-or-later"),
    ("libunistring", "libunistring", "LGPL-3.0-or-later"),
    ("libasound", "alsa-lib", "LGPL-2.1-or-later"),
    ("lib(webp|sharpyuv)", "libwebp", "BSD-3-Clause"),
    ("libavif", "libavif", "BSD-2-Clause"),
    ("lib(scipy_)?openblas", "OpenBLAS", "BSD-3-Clause"),
    ("libgfortran|libquadmath|libgomp", "GCC runtime", "GPL-3.0-or-later WITH GCC-exception-3.1"),
    ("lib(crypto|ssl)", "OpenSSL", "OpenSSL"),
    ("libpng", "libpng", "libpng-2.0"),
    ("libjpeg", "libjpeg-turbo", "IJG AND BSD-3-Clause"),
    ("libtiff", "libtiff", "libtiff"),
    ("libopenjp2", "OpenJPEG", "BSD-2-Clause"),
    ("libfreetype", "FreeType", "FTL"),
    ("libharfbuzz", "HarfBuzz", "MIT-Modern-Variant"),
    ("liblcms2", "Little CMS", "MIT"),
    ("libzstd", "Zstandard", "BSD-3-Clause"),
    ("liblzma", "XZ", "0BSD"),
    ("libbrotli", "Brotli", "MIT"),
    ("lib(xcb|Xau|drm)", "X.Org and Mesa libraries", "MIT"),
)
"""Libraries that wheels carry: file, name, licence as their authors give it."""

_LICENCE_FILE = re.compile(r"(licen[cs]e|copying|notice|authors)", re.IGNORECASE)
_LONG = 60


@dataclass(frozen=True, slots=True)
class Taken:
    """Where the files of a package came from.

    Parameters
    ----------
    libraries : Python distributions, by name
    carried : files in their folders of libraries, as (distribution, file)
    system : files of the system's own libraries, their places on the machine that built
    """

    libraries: tuple[Distribution, ...]
    carried: tuple[tuple[str, str], ...]
    system: tuple[Path, ...]


def taken(collected: Iterable[tuple[str, str]], search: Sequence[str] | None = None) -> Taken:
    """Return where files came from.

    Parameters
    ----------
    collected : (name in the package, place on this machine) of every file and module
    search : folders with distributions; where Python looks by itself
    """
    owners: dict[str, Distribution] = {}
    for one in distributions() if search is None else distributions(path=list(search)):
        for file in one.files or ():
            owners.setdefault(str(Path(str(one.locate_file(file))).resolve()), one)
    libraries: dict[str, Distribution] = {}
    carried, system = set(), set()
    for name, place in collected:
        owner = owners.get(str(Path(place).resolve()))
        if owner is not None:
            libraries[owner.metadata["Name"]] = owner
            if ".libs/" in f"{name} {place}".replace("\\", "/"):
                carried.add((owner.metadata["Name"], Path(name).name))
        elif place.startswith(("/usr/lib", "/lib")):
            system.add(Path(place))
    return Taken(tuple(libraries[key] for key in sorted(libraries, key=str.lower)), tuple(sorted(carried)), tuple(sorted(system)))


def licence(library: Distribution) -> str:
    """Return the licence that a distribution names."""
    meta = library.metadata
    expression = _field(library, "License-Expression")
    if expression:
        return expression
    lines = _field(library, "License").splitlines()
    if lines and len(lines[0]) <= _LONG and lines[0].strip().upper() not in ("", "UNKNOWN"):
        return lines[0].strip()
    named = [line.split(" :: ")[-1] for line in meta.get_all("Classifier") or () if line.startswith("License ::")]
    return ", ".join(named) or "not named"


def _field(library: Distribution, name: str) -> str:
    return str((library.metadata.get_all(name) or ("",))[0]).strip()


def bill(found: Taken, version: str) -> dict[str, Any]:
    """Return the bill of materials of a package.

    Parameters
    ----------
    found : where its files came from
    version : of echo3d
    """
    parts = [_python()]
    parts += [
        _component(one.metadata["Name"], one.version, licence(one), f"pkg:pypi/{one.metadata['Name'].lower()}@{one.version}")
        for one in found.libraries
        if one.metadata["Name"] != "echo3d"
    ]
    parts += _carried(found.carried)
    parts += [
        _component(package, told, "see licences/system", f"pkg:deb/debian/{package}@{told}") for package, told in packages(found.system)
    ]
    serial = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())
    whole = _component("echo3d", version, "Apache-2.0", f"pkg:generic/echo3d@{version}") | {"type": "application"}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": whole},
        "components": parts,
    }


def _component(name: str, version: str, licence_name: str, purl: str = "") -> dict[str, Any]:
    """Return one component; an SPDX expression stays one, anything else is a licence's name."""
    spdx = re.fullmatch(r"[A-Za-z0-9.+-]+( (AND|OR|WITH) [A-Za-z0-9.+-]+)*", licence_name) is not None
    told = [{"expression": licence_name}] if spdx else [{"license": {"name": licence_name}}]
    values: dict[str, Any] = {"type": "library", "name": name, "version": version, "licenses": told}
    return values | ({"purl": purl, "bom-ref": purl} if purl else {"bom-ref": f"{name}@{version}"})


def _python() -> dict[str, Any]:
    return _component("CPython", platform.python_version(), "PSF-2.0", f"pkg:generic/cpython@{platform.python_version()}")


def _carried(files: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return the libraries in wheels' own folders, one entry for each name and wheel."""
    parts: dict[tuple[str, str], dict[str, Any]] = {}
    for wheel, file in files:
        name, licence_name = next(((title, text) for pattern, title, text in _NATIVE if re.match(pattern, file)), (file, "not named"))
        part = parts.setdefault(
            (wheel, name), _component(name, "as carried", licence_name) | {"bom-ref": f"{wheel}/{name}", "properties": []}
        )
        part["properties"].append({"name": "echo3d:file", "value": f"{file} of {wheel}"})
    return list(parts.values())


def packages(files: Iterable[Path]) -> list[tuple[str, str]]:
    """Return the Debian packages of system files, with their versions; none where there is no dpkg."""
    files = [str(file) for file in files] + [str(file.resolve()) for file in files]
    if not files or shutil.which("dpkg-query") is None:
        return []
    said = subprocess.run(["dpkg-query", "-S", *files], capture_output=True, text=True, check=False).stdout
    names = sorted({line.split(":", maxsplit=1)[0] for line in said.splitlines() if ": /" in line})
    told = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *names], capture_output=True, text=True, check=False)
    return sorted({(line.split()[0], line.split()[1]) for line in told.stdout.splitlines() if len(line.split()) > 1})


def write_licences(found: Taken, out: Path) -> list[str]:
    """Copy the licences' texts of all that was taken below a folder; return the names of libraries that carry none."""
    bare = []
    for library in found.libraries:
        name = library.metadata["Name"]
        texts = [file for file in library.files or () if _LICENCE_FILE.search(Path(str(file)).name) and ".py" not in Path(str(file)).suffix]
        for number, file in enumerate(texts):
            place = Path(str(library.locate_file(file)))
            if place.is_file():
                (out / name).mkdir(parents=True, exist_ok=True)
                target = out / name / place.name
                shutil.copyfile(place, target if not target.exists() else target.with_name(f"{number}-{place.name}"))
        if not (out / name).is_dir():
            bare.append(name)
    _write_others(found, out)
    return bare


def _write_others(found: Taken, out: Path) -> None:
    """Copy the texts of Python's own licence and of the system's libraries."""
    own = Path(sys.base_prefix) / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "LICENSE.txt"
    for place, name in [(own, "CPython")] + [
        (Path("/usr/share/doc") / one / "copyright", f"system/{one}") for one, _ in packages(found.system)
    ]:
        if place.is_file():
            (out / name).mkdir(parents=True, exist_ok=True)
            shutil.copyfile(place, out / name / place.name)
