"""Messages between the window and the inference process: four bytes of length, a JSON header, raw array bytes; no pickle, no port.

*Source:* our choice; a header that any language can read and arrays that are copied once.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from echo3d.errors import EngineError

HEADER_LIMIT = 16 * 2**20
ARRAYS_LIMIT = 2 * 2**30
DTYPES = frozenset({"float32", "float64", "uint8", "int32", "int64", "bool"})


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """One request or reply.

    Parameters
    ----------
    kind : what it asks or says ("reconstruct", "progress", "done", ...)
    ticket : number of the request it belongs to
    body : anything JSON can hold
    arrays : named arrays of the types in ``DTYPES``
    """

    kind: str
    ticket: int = 0
    body: dict[str, Any] = field(default_factory=dict)
    arrays: dict[str, NDArray] = field(default_factory=dict)


def write_message(stream: BinaryIO, message: Message) -> None:
    """Write one message and flush.

    Raises
    ------
    EngineError
        If an array has a type that is not carried, or the message is too large.
    """
    arrays = {name: np.asarray(array, order="C") for name, array in message.arrays.items()}
    table = [{"name": name, "dtype": array.dtype.name, "shape": list(array.shape)} for name, array in arrays.items()]
    for row, array in zip(table, arrays.values(), strict=True):
        _size(row)
        if array.dtype.byteorder == ">":
            raise EngineError("arrays travel in little-endian order, found big-endian; convert before sending")
    header = json.dumps({"kind": message.kind, "ticket": message.ticket, "body": message.body, "arrays": table}).encode()
    if len(header) > HEADER_LIMIT:
        raise EngineError(f"a message header holds at most {HEADER_LIMIT} bytes, found {len(header)}; send large data as arrays")
    stream.write(struct.pack(">I", len(header)) + header)
    for array in arrays.values():
        stream.write(array.reshape(-1).view(np.uint8).data)
    stream.flush()


def read_message(stream: BinaryIO) -> Message | None:
    """Read one message; None where the stream ends between messages.

    Raises
    ------
    EngineError
        If the stream ends within a message or holds something else.
    """
    start = stream.read(4)
    if not start:
        return None
    (length,) = struct.unpack(">I", start if len(start) == 4 else _broken())
    if length > HEADER_LIMIT:
        _broken()
    header = _header(_exactly(stream, length))
    sizes = [_size(row) for row in header["arrays"]]
    if sum(sizes) > ARRAYS_LIMIT:
        _broken()
    arrays = {row["name"]: _array(_exactly(stream, size), row) for row, size in zip(header["arrays"], sizes, strict=True)}
    return Message(header["kind"], header["ticket"], header["body"], arrays)


def _header(raw: bytes) -> dict[str, Any]:
    """Return the parsed header after checking its parts."""
    try:
        header = json.loads(raw)
    except ValueError as exc:
        raise EngineError("a message must begin with a JSON header, found other bytes; the inference process is started again") from exc
    parts = {"kind": str, "ticket": int, "body": dict, "arrays": list}
    if not isinstance(header, dict) or any(not isinstance(header.get(name), kind) for name, kind in parts.items()):
        _broken()
    return header


def _size(row: Any) -> int:
    """Return the bytes of the array that a table row describes.

    >>> _size({"name": "a", "dtype": "float32", "shape": [2, 3]})
    24
    """
    good = isinstance(row, dict) and isinstance(row.get("name"), str) and isinstance(row.get("shape"), list)
    if not good or row.get("dtype") not in DTYPES or any(not isinstance(n, int) or n < 0 for n in row["shape"]):
        raise EngineError(f"arrays in messages are of the types {', '.join(sorted(DTYPES))}; convert before sending")
    count = 1
    for n in row["shape"]:
        count *= n
    return count * int(np.dtype(row["dtype"]).itemsize)


def _array(raw: bytes, row: dict[str, Any]) -> NDArray:
    """Return the read-only array of these bytes."""
    return np.frombuffer(raw, dtype=row["dtype"]).reshape(row["shape"])


def _exactly(stream: BinaryIO, count: int) -> bytes:
    """Return exactly ``count`` bytes."""
    parts = []
    while count > 0:
        part = stream.read(min(count, 2**24))
        if not part:
            _broken()
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def _broken() -> bytes:
    raise EngineError("a message to or from the inference process was cut off or damaged; the next request starts it again")
