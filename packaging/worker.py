"""Where the executable ``echo3d-worker`` of the package begins: the command line, jobs and the inference process; no Qt."""

import multiprocessing
import sys

if __name__ == "__main__":
    multiprocessing.freeze_support()
    from echo3d.__main__ import main

    sys.exit(main())
