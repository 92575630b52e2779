"""An executor that runs everything at once, where it is called."""

from __future__ import annotations

from concurrent.futures import Executor, Future


class Inline(Executor):
    """Runs everything at once, here."""

    def submit(self, fn, /, *args, **kwargs):  # type: ignore[no-untyped-def]
        future: Future = Future()
        future.set_result(fn(*args, **kwargs))
        return future
