"""Where the executable ``echo3d`` of the package begins: the window; every other word is handed to ``echo3d-worker``."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()
    from echo3d.__main__ import main

    sys.exit(main())
