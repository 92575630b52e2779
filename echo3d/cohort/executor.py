"""Where long loops run: a pool of processes on this machine, or a Dask cluster by its address."""

from __future__ import annotations

import contextlib
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from echo3d.errors import EngineError, InputError

T = TypeVar("T")

AHEAD = 8
"""Pieces of work that are handed out before the first comes back; keeps the memory small."""


@contextlib.contextmanager
def open_executor(*, workers: int | None = None, scheduler: str | None = None) -> Iterator[Executor]:
    """Yield an executor; its processes end with the context.

    Parameters
    ----------
    workers : processes on this machine, as many as it has processors where not given
    scheduler : address of a Dask scheduler, such as tcp://host:8786, instead

    Raises
    ------
    InputError
        If the number of workers is not positive, Dask is not installed, or nothing answers at the address.
    """
    if scheduler is not None:
        with _cluster(scheduler) as executor:
            yield executor
        return
    check_workers(workers)
    with (
        _one_thread_each(),
        ProcessPoolExecutor(
            workers or os.cpu_count() or 1, mp_context=multiprocessing.get_context("spawn"), initializer=_end_with_parent
        ) as pool,
    ):
        yield pool


def check_workers(workers: int | None) -> None:
    """Refuse a number of processes that is not positive; None stands for as many as there are processors.

    Raises
    ------
    InputError
        If there is to be none.
    """
    if workers is not None and workers < 1:
        raise InputError(f"there must be at least one worker, found {workers}; choose another --workers")


@contextlib.contextmanager
def _cluster(address: str) -> Iterator[Executor]:
    """Yield the executor of a Dask cluster."""
    try:
        from distributed import Client
    except ImportError as exc:
        raise InputError("a scheduler needs Dask, found none installed; install echo3d with its extra [cluster]") from exc
    try:
        client = Client(address, timeout=15, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as exc:
        raise InputError(f"a Dask scheduler must answer at the given address, found none ({type(exc).__name__}); start it first") from exc
    with client, client.get_executor(pure=False) as executor:
        yield executor


def _end_with_parent() -> None:
    """Make this worker end when the process that wants its work is gone, killed or not; Ctrl-C is that process's business too."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_follow, args=(parent.sentinel,), name="follows its parent", daemon=True).start()


def _follow(sentinel: int) -> None:
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


@contextlib.contextmanager
def _one_thread_each() -> Iterator[None]:
    """Start processes with one thread of linear algebra each, so that they do not get in each other's way."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def run_all(executor: Executor, function: Callable[..., T], tasks: Sequence[tuple[Any, ...]]) -> Generator[tuple[int, T], None, None]:
    """Yield number and result of ``function(*task)`` for every task as they come, in no order.

    What was not begun when the caller leaves off is taken back. A Dask cluster runs the work of a lost worker again elsewhere; on this
    machine a lost process ends the run.

    Raises
    ------
    EngineError
        If a process of the pool died.
    """
    waiting = iter(enumerate(tasks))
    running: dict[Future[T], int] = {}
    try:
        while True:
            for number, task in waiting:
                running[executor.submit(function, *task)] = number
                if len(running) >= AHEAD:
                    break
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield running.pop(future), future.result()
    except BrokenProcessPool as exc:
        raise EngineError("a worker process ended before its work was done; start again, with fewer --workers if memory is short") from exc
    finally:
        for future in running:
            future.cancel()
