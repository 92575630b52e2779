"""The real child process, also killed in earnest."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import psutil
import pytest

from echo3d.engine.client import EngineClient
from echo3d.errors import EngineError, InputError, ModelError

COMMAND = [sys.executable, "-m", "echo3d.engine.server"]
WAIT = 60


@pytest.fixture
def client(tmp_path) -> Iterator[EngineClient]:
    engine = EngineClient(COMMAND, tmp_path / "engine.log")
    yield engine
    engine.close()


def test_starts_lazily_and_without_torch(client: EngineClient) -> None:
    assert client.pid is None
    answer = client.request("ping").result(WAIT)
    assert answer.body["pid"] == client.pid != os.getpid()
    assert answer.body["torch"] is False


def test_many_requests_keep_their_answers_apart(client: EngineClient) -> None:
    futures = [client.request("ping") for _ in range(20)]
    assert {f.result(WAIT).ticket for f in futures} == set(range(1, 21))


def test_bad_input_is_a_sentence_and_the_process_stays(client: EngineClient, tmp_path) -> None:
    pid = client.request("ping").result(WAIT).body["pid"]
    with pytest.raises(InputError, match="knows ping"):
        client.request("no such thing").result(WAIT)
    with pytest.raises(InputError, match="finished result"):
        client.request("export", {"out": str(tmp_path / "out")}).result(WAIT)
    assert client.request("ping").result(WAIT).body["pid"] == pid


def test_killed_while_asked_gives_a_sentence_and_the_next_request_works(client: EngineClient) -> None:
    first = client.request("ping").result(WAIT).body["pid"]
    os.kill(first, signal.SIGSTOP)
    owed = client.request("ping")
    os.kill(first, signal.SIGKILL)
    with pytest.raises(EngineError, match="signal 9"):
        owed.result(WAIT)
    second = client.request("ping").result(WAIT).body["pid"]
    assert second != first and not psutil.pid_exists(first)


def test_killed_while_idle_is_not_noticed_by_the_user(client: EngineClient) -> None:
    first = client.request("ping").result(WAIT).body["pid"]
    os.kill(first, signal.SIGKILL)
    deadline = time.monotonic() + WAIT
    while client.pid is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert client.request("ping").result(WAIT).body["pid"] != first


def test_close_ends_the_process(client: EngineClient) -> None:
    pid = client.request("ping").result(WAIT).body["pid"]
    client.close()
    assert not psutil.pid_exists(pid)
    assert client.pid is None


def test_a_command_that_does_not_exist_is_a_sentence() -> None:
    engine = EngineClient(["/no/such/program"])
    with pytest.raises(EngineError, match="could not be reached"):
        engine.request("ping").result(WAIT)
    engine.close()


def test_the_process_ends_with_its_parent() -> None:
    child = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdin.close()
    assert child.wait(WAIT) == 0
    child.stdout.close()


def plain_pictures() -> tuple[dict, dict]:
    """Return body and arrays of a request for two pictures of different sizes in the trained style."""
    rng = np.random.default_rng(0)
    sizes = (112, 160)
    arrays = {f"pseudo.{number}": rng.random((size, size), np.float32) for number, size in enumerate(sizes)}
    arrays |= {f"inside.{number}": np.tri(size, dtype=bool) for number, size in enumerate(sizes)}
    return {"pixel_mm": [1.6, 1.1]}, arrays


def test_pictures_are_translated(client: EngineClient) -> None:
    body, arrays = plain_pictures()
    answer = client.request("style", body, arrays=arrays).result(WAIT)
    for number, size in enumerate((112, 160)):
        made = answer.arrays[f"styled.{number}"]
        assert made.shape == (size, size) and made.dtype == np.float32 and made.any() and not made[~arrays[f"inside.{number}"]].any()
    with pytest.raises(ModelError, match="installed ones"):
        client.request("style", body | {"style": "monet"}, arrays=arrays).result(WAIT)


def test_killed_while_it_translates_gives_a_sentence_and_the_next_request_works(client: EngineClient) -> None:
    body, arrays = plain_pictures()
    pid = client.request("ping").result(WAIT).body["pid"]
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (pid, signal.SIGKILL)).start()  # the pipe holds less than the pictures, so that the request waits
    with pytest.raises(EngineError, match=r"signal 9|could not be reached"):
        client.request("style", body, arrays=arrays).result(WAIT)
    assert len(client.request("style", body, arrays=arrays).result(WAIT).arrays) == 2
