import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from echo3d.engine.protocol import DTYPES, Message, read_message, write_message
from echo3d.errors import EngineError


def packed(message: Message) -> bytes:
    stream = io.BytesIO()
    write_message(stream, message)
    return stream.getvalue()


@pytest.mark.parametrize("dtype", sorted(DTYPES))
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4), (0, 3)])
def test_round_trip(dtype: str, shape: tuple[int, ...]) -> None:
    array = (np.arange(np.prod(shape, dtype=int)).reshape(shape) % 2).astype(dtype)
    back = read_message(io.BytesIO(packed(Message("done", 7, {"text": "zwölf", "list": [1, None]}, {"a": array, "b": array.T}))))
    assert back is not None
    assert (back.kind, back.ticket, back.body) == ("done", 7, {"text": "zwölf", "list": [1, None]})
    for got, want in ((back.arrays["a"], array), (back.arrays["b"], array.T)):
        assert got.dtype == want.dtype and got.shape == want.shape and np.array_equal(got, want)
        assert not got.flags.writeable


def test_messages_follow_each_other_and_the_end_is_none() -> None:
    stream = io.BytesIO(packed(Message("a")) + packed(Message("b", 2, {}, {"x": np.ones(3)})))
    assert [read_message(stream).kind for _ in range(2)] == ["a", "b"]
    assert read_message(stream) is None


def test_every_cut_is_noticed() -> None:
    whole = packed(Message("done", 1, {"k": 1}, {"x": np.ones(5)}))
    for length in range(1, len(whole)):
        with pytest.raises(EngineError):
            read_message(io.BytesIO(whole[:length]))


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=1, max_size=200))
def test_noise_is_an_error_never_a_crash(noise: bytes) -> None:
    try:
        read_message(io.BytesIO(noise))
    except EngineError:
        return
    pytest.fail("noise was taken for a message")


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b'{"kind": 1, "ticket": 1, "body": {}, "arrays": []}',
        b'{"kind": "a", "ticket": 1, "body": {}, "arrays": [{"name": "x", "dtype": "object", "shape": [1]}]}',
        b'{"kind": "a", "ticket": 1, "body": {}, "arrays": [{"name": "x", "dtype": "uint8", "shape": [-1]}]}',
        b'{"kind": "a", "ticket": 1, "body": {}, "arrays": [{"name": "x", "dtype": "uint8", "shape": [99999999999]}]}',
        b'{"kind": "a", "ticket": 1, "body": {}, "arrays": [7]}',
    ],
)
def test_wrong_headers(header: bytes) -> None:
    with pytest.raises(EngineError):
        read_message(io.BytesIO(struct.pack(">I", len(header)) + header + b"\0" * 16))


def test_a_huge_header_is_refused_before_it_is_read() -> None:
    with pytest.raises(EngineError):
        read_message(io.BytesIO(struct.pack(">I", 2**31) + b"{}"))


def test_objects_are_not_sent() -> None:
    with pytest.raises(EngineError, match="types"):
        packed(Message("a", 1, {}, {"x": np.array([object()])}))
