"""The log holds nothing of a patient, whoever writes into it."""

from __future__ import annotations

import ast
import logging
from pathlib import Path

import pytest

import echo3d
from echo3d.logs import LOG_NAME, Ring, Word, log_failure, safe_text, start_log
from echo3d.paths import user_logs

PRIVATE = "Doe^Jane /home/jane/Doe.dcm 12345678"


@pytest.fixture
def clean_root():
    root = logging.getLogger()
    before = list(root.handlers)
    for handler in before:
        if isinstance(handler, Ring):
            root.removeHandler(handler)
    yield root
    for handler in list(root.handlers):
        if handler not in before:
            root.removeHandler(handler)
            handler.close()


def test_nothing_private_is_kept_in_memory_or_on_file(clean_root) -> None:
    ring = start_log()
    own = logging.getLogger("echo3d.test")
    own.warning("read %s, %d clips by %s", PRIVATE, 6, Word("lean"))
    own.error("%(name)s", {"name": PRIVATE})
    logging.getLogger("pydicom").warning("bad value in %s", PRIVATE)
    logging.getLogger("other").error(PRIVATE)
    try:
        raise ValueError(PRIVATE)
    except ValueError as error:
        own.exception("it failed")
        log_failure(error)
    told = "\n".join(line.text for line in ring.lines()) + (user_logs() / LOG_NAME).read_text(encoding="utf-8")
    assert "read …, 6 clips by lean" in told and "it failed [ValueError at test_logs.py" in told
    for word in ("Doe", "Jane", "jane", "12345678", "/home"):
        assert word not in told


def test_the_log_is_started_once(clean_root) -> None:
    assert start_log() is start_log()
    assert sum(isinstance(handler, Ring) for handler in clean_root.handlers) == 1


def test_the_ring_is_bounded() -> None:
    ring = Ring(kept=3)
    for number in range(5):
        ring.emit(logging.makeLogRecord({"name": "echo3d", "msg": "line %d", "args": (number,)}))
    assert [line.text for line in ring.lines()] == ["line 2", "line 3", "line 4"]
    assert ring.lines(after=4)[0].text == "line 4"


def test_a_line_that_does_not_fit_is_no_error() -> None:
    assert "could not be written" in safe_text(logging.makeLogRecord({"name": "echo3d", "msg": "%d", "args": ("x",)}))


def test_log_calls_begin_with_constant_text() -> None:
    wrong = []
    texts = {path.name: path.read_text(encoding="utf-8") for path in Path(echo3d.__file__).parent.rglob("*.py")}
    for name, text in texts.items():
        for node in ast.walk(ast.parse(text)) if "getLogger(" in text else ():
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in ("info", "warning", "error", "debug")
            ):
                owner = ast.unparse(node.func.value)
                logs = owner == "_LOG" or owner.startswith("logging.getLogger")
                if logs and not (node.args and isinstance(node.args[0], ast.Constant)):
                    wrong.append(f"{name}:{node.lineno}")
    assert wrong == []
