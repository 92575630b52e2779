"""The licences of the libraries, read from what is installed; no Qt."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution

_LONG = 60
"""A licence field longer than this holds the licence's whole text; its first line or a classifier names it then."""


@dataclass(frozen=True, slots=True)
class Licence:
    """One library.

    Parameters
    ----------
    name, version : of the library
    licence : as it names it, or "not named"
    """

    name: str
    version: str
    licence: str


def licences(root: str = "echo3d") -> tuple[Licence, ...]:
    """Return the libraries that a package needs, and those that they need, by name; optional ones are left out."""
    found: dict[str, Licence] = {}
    waiting = list(_needed(root))
    while waiting:
        name = waiting.pop()
        key = _key(name)
        if key in found or key == _key(root):
            continue
        try:
            library = distribution(name)
        except PackageNotFoundError:
            continue
        found[key] = Licence(str(library.metadata["Name"]), library.version, licence_of(library))
        waiting += _needed(name)
    return tuple(sorted(found.values(), key=lambda one: one.name.lower()))


def licence_of(library: Distribution) -> str:
    """Return the licence that a library names: its expression, its short licence field, or its classifiers."""
    meta = library.metadata
    expression, field = _field(library, "License-Expression"), _field(library, "License")
    if expression:
        return expression
    first = field.splitlines()[0].strip() if field else ""
    if first and len(first) <= _LONG and first.upper() != "UNKNOWN":
        return first
    named = [line.split(" :: ")[-1] for line in meta.get_all("Classifier") or () if line.startswith("License ::")]
    return ", ".join(named) or "not named"


def _field(library: Distribution, name: str) -> str:
    """Return a field of a library's description, empty where it has none."""
    return str((library.metadata.get_all(name) or ("",))[0]).strip()


def _needed(name: str) -> Iterable[str]:
    """Return the libraries that one needs on any machine."""
    try:
        lines = distribution(name).requires or []
    except PackageNotFoundError:
        return []
    return [needed_name(line) for line in lines if "extra ==" not in line]


def needed_name(line: str) -> str:
    """Return the library that a requirement asks for.

    >>> needed_name("pydicom<4,>=3.0.2"), needed_name("pykeops>=2.3; sys_platform != 'win32'")
    ('pydicom', 'pykeops')
    """
    return re.split(r"[^A-Za-z0-9._-]", line.strip(), maxsplit=1)[0]


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
