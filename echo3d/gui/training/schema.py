"""The fields of a recipe as its JSON schema tells them; no Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

Kind = Literal["whole", "number", "yes", "choice", "many", "path", "text"]
BUDGETS = {"minutes": "Minutes", "epochs": "Epochs", "steps": "Steps", "core_minutes": "Minutes of the processor"}
"""Fields of which one says how long is learned."""
PATHS = ("data", "slices", "val", "cal", "clips", "begin", "encoder", "base")
BASIC = (
    "preset",
    "model",
    "batch",
    "samples",
    "rate",
    "strength",
    "heart_core_minutes",
    "principal",
    "cycle",
    "identity",
    "hearts",
    "pairs",
)
OWN = ("device", "styles", "data", "slices", "val", "clips", *BUDGETS)
"""Fields that the page asks for in parts of their own."""
NETWORK = "model"
"""The field that names the lean network that a training begins with."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a recipe.

    Parameters
    ----------
    name : in the settings; a dot leads to a setting within another
    kind : what is entered
    default : its value where nothing is entered
    meaning : a sentence on it
    low, high : bounds of a number, None where there is none; ``open_low`` where ``low`` itself will not do
    optional : whether it may be left empty
    choices : of which one, or for "many" several, are chosen
    published : the paper's value, None where it gives none
    """

    name: str
    kind: Kind
    default: Any = None
    meaning: str = ""
    low: float | None = None
    high: float | None = None
    open_low: bool = False
    optional: bool = False
    choices: tuple[Any, ...] = ()
    published: Any = None

    @property
    def title(self) -> str:
        """Its name for people.

        >>> Field("encoder_steps", "whole").title
        'Encoder steps'
        """
        words = self.name.replace("_", " ").replace(".", ": ")
        return words[:1].upper() + words[1:]

    @property
    def basic(self) -> bool:
        """Whether it is shown at once, not under *More*."""
        return self.name in BASIC


def fields_of(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of a schema in their order; those within others by ``outer.inner``; what no form can ask for is left out.

    >>> one = {"properties": {"batch": {"type": "integer", "minimum": 1, "default": 8, "published": 64}}}
    >>> fields_of(one)
    (Field(name='batch', kind='whole', default=8, meaning='', low=1, high=None, open_low=False, optional=False, choices=(), published=64),)
    """
    return tuple(_fields(schema, schema, ""))


def _fields(node: Mapping[str, Any], whole: Mapping[str, Any], head: str) -> list[Field]:
    found: list[Field] = []
    for name, told in node.get("properties", {}).items():
        one, optional = _resolved(told, whole)
        if "properties" in one:
            if not optional:
                inner = _fields(one, whole, f"{head}{name}.")
                found += [_with_default(field, one, told, name) for field in inner]
            continue
        made = _field(f"{head}{name}", one, optional, whole.get("published", {}))
        found += [made] if made is not None else []
    return found


def _with_default(field: Field, node: Mapping[str, Any], told: Mapping[str, Any], head: str) -> Field:
    """Return a field within another with the default that the outer one gives it."""
    outer = told.get("default", node.get("default"))
    inner = field.name.rpartition(".")[2]
    return replace(field, default=outer[inner]) if isinstance(outer, Mapping) and inner in outer else field


def _resolved(told: Mapping[str, Any], whole: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """Return what a property says once references and the choice of nothing are taken out, and whether nothing may be chosen."""
    one = dict(told)
    options = [dict(option) for option in one.pop("anyOf", one.pop("allOf", []))]
    optional = any(option.get("type") == "null" for option in options)
    for option in options:
        if option.get("type") != "null":
            one = option | one
            break
    if "$ref" in one:
        one = dict(whole.get("$defs", {}).get(str(one.pop("$ref")).rpartition("/")[2], {})) | one
    return one, optional


def _field(name: str, one: Mapping[str, Any], optional: bool, published: Mapping[str, Any]) -> Field | None:
    kind = _kind(one)
    if kind is None:
        return None
    low, high = one.get("minimum", one.get("exclusiveMinimum")), one.get("maximum")
    if "exclusiveMaximum" in one:
        high = one["exclusiveMaximum"] - (1 if kind == "whole" else 1e-6)
    items = one.get("items", {}) if kind == "many" else one
    choices = items.get("enum", [items["const"]] if "const" in items else [])
    return Field(
        name,
        kind,
        one.get("default"),
        str(one.get("description", "")),
        low,
        high,
        "exclusiveMinimum" in one,
        optional,
        tuple(choices or (one.get("default") or () if kind == "many" else ())),
        one.get("published", published.get(name)),
    )


def _kind(one: Mapping[str, Any]) -> Kind | None:
    simple: dict[str, Kind] = {"integer": "whole", "number": "number", "boolean": "yes"}
    if "enum" in one or "const" in one:
        return "choice"
    if one.get("type") in simple:
        return simple[str(one["type"])]
    if one.get("type") == "array":
        return "many" if one.get("items", {}).get("type") == "string" or "enum" in one.get("items", {}) else None
    if one.get("type") == "string":
        return "path" if one.get("format") in ("path", "directory-path", "file-path") else "text"
    return None


def offering(fields: Sequence[Field], networks: Sequence[str]) -> tuple[Field, ...]:
    """Return fields of which the one for a network offers the installed ones by name; its default is among them in any case.

    >>> offering([Field("model", "text", "lean")], ["lean", "mine"])[0].choices
    ('lean', 'mine')
    """
    names = {field.name: tuple(dict.fromkeys([field.default, *networks])) for field in fields if field.name == NETWORK}
    return tuple(replace(field, kind="choice", choices=names[field.name]) if field.name in names else field for field in fields)


def budgets_of(fields: Sequence[Field]) -> tuple[Field, ...]:
    """Return the fields of which one says how long is learned, in the order they are offered."""
    by_name = {field.name: field for field in fields}
    return tuple(by_name[name] for name in BUDGETS if name in by_name)


def settings_of(schema: Mapping[str, Any], values: Mapping[str, Any], carried: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a filled form means.

    Parameters
    ----------
    schema : of the recipe
    values : of the form, those within others by ``outer.inner``
    carried : settings of a run that is duplicated, for what no form can ask for

    >>> settings_of({}, {"seed": 1, "network.side": 8}, {"network": {"side": 4, "weights": [1, 2]}})
    {'network': {'side': 8, 'weights': [1, 2]}, 'seed': 1}
    """
    properties = schema.get("properties", {})
    whole = {name: one["default"] for name, one in properties.items() if isinstance(one.get("default"), Mapping)}
    settings = {name: dict(value) if isinstance(value, Mapping) else value for name, value in {**whole, **carried}.items()}
    for name, value in values.items():
        head, dot, inner = name.partition(".")
        if dot:
            settings[head] = {**(settings.get(head) or {}), inner: value}
        else:
            settings[head] = value
    return settings


def values_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as a form has them.

    >>> values_of({"seed": 1, "network": {"side": 8}})
    {'seed': 1, 'network.side': 8}
    """
    found: dict[str, Any] = {}
    for name, value in settings.items():
        found |= {f"{name}.{inner}": one for inner, one in values_of(value).items()} if isinstance(value, Mapping) else {name: value}
    return found
