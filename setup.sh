#!/bin/sh
# Set-up for `make run` and `make test`: system libraries, a virtual environment, the packages; then nothing until their lists change.
#   sh setup.sh install    set up (idempotent)
#   sh setup.sh open       open the window, or without a display compute the embedded patient
set -eu
cd "$(dirname "$0")"

VENV="${VENV:-.venv}"
TORCH=2.13.0
SYSTEM="python3-venv xvfb xauth libegl1 libgl1 libgl1-mesa-dri libopengl0 libglib2.0-0 libdbus-1-3 libfontconfig1 libxkbcommon-x11-0
 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0 libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1
 libxrender1 libxext6 libsm6 libgomp1 fonts-dejavu-core poppler-utils"

say() { printf 'echo3d: %s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }

installed() { dpkg-query -W -f '${Status} ${Provides}\n' "$1" 2>/dev/null | grep -q '^install ok installed' ||
    dpkg-query -W -f '${Status} ${Provides}\n' 2>/dev/null | grep '^install ok installed' | grep -Eq "[ ,]$1([ ,(]|\$)"; }

missing_packages() {
    for name in $SYSTEM; do
        [ "$name" = python3-venv ] && find_python | xargs -I{} {} -c 'import ensurepip, venv' 2>/dev/null && continue
        installed "$name" || printf ' %s' "$name"
    done
}

find_python() {
    for name in python3 python3.13 python3.12 python3.11; do
        command -v "$name" >/dev/null 2>&1 && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$name"; return; }
    done
}

system_libraries() {
    [ -z "${ECHO3D_SKIP_SYSTEM:-}" ] || return 0
    command -v dpkg-query >/dev/null 2>&1 || { say "this is not Debian or Ubuntu; the window needs OpenGL, the xcb libraries of Qt 6 and Xvfb from your system."; return 0; }
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    [ "$(id -u)" = 0 ] || stop "these system packages are missing; ask root to run 'apt-get install$missing' and repeat (ECHO3D_SKIP_SYSTEM=1 goes on without)."
    say "installing system packages:$missing"
    apt-get update -qq || say "apt-get update failed; trying with the package lists that are there."
    # shellcheck disable=SC2086
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null || stop "apt-get could not install:$missing"
}

stamp() { cat pyproject.toml constraints.txt setup.sh | cksum; }

packages() {
    [ -x "$VENV/bin/python" ] && [ "$(cat "$VENV/echo3d.stamp" 2>/dev/null)" = "$(stamp)" ] && return 0
    python=$(find_python)
    [ -n "$python" ] || stop "Python 3.11 or newer is needed and was not found; install python3 and repeat."
    [ -x "$VENV/bin/python" ] || "$python" -m venv "$VENV" || stop "no virtual environment could be made; install python3-venv and repeat."
    pip="$VENV/bin/python -m pip --disable-pip-version-check -q"
    say "installing Python packages into $VENV; the first time takes some minutes."
    torch_first
    $pip install -c constraints.txt -e ".[dev]" || stop "pip could not install the packages; see its message above."
    stamp > "$VENV/echo3d.stamp"
}

# The CPU build first, so that nothing pulls gigabytes of CUDA; README.md says how to get CUDA.
torch_first() {
    "$VENV/bin/python" -c "import importlib.metadata as m, sys; sys.exit(m.version('torch').split('+')[0] != '$TORCH')" 2>/dev/null && return 0
    # shellcheck disable=SC2086
    $pip install -c constraints.txt "torch==$TORCH+cpu" ${TORCH_INDEX:+--extra-index-url "$TORCH_INDEX"} 2>/dev/null ||
        $pip install -c constraints.txt "torch==$TORCH" || stop "pip could not install torch; see its message above."
}

open_window() {
    if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
        exec "$ECHO3D_PYTHON" -m echo3d
    fi
    mkdir -p out
    "$ECHO3D_PYTHON" -m echo3d demo --out out/demo
    say "there is no display, so the embedded patient was computed without a window; the result lies in out/demo (start with report.pdf)."
}

case "${1:-}" in
    install) system_libraries && packages ;;
    open) open_window ;;
    *) stop "say 'sh setup.sh install' or 'sh setup.sh open'." ;;
esac
