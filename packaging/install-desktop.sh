#!/bin/sh
# Puts echo3d, wherever this folder lies, into the menu of your desktop and its words onto your path; --remove takes both away again.
set -eu
here=$(cd "$(dirname "$0")" && pwd -P)
data="${XDG_DATA_HOME:-$HOME/.local/share}"
bin="$HOME/.local/bin"

if [ "${1:-}" = --remove ]; then
    rm -f "$data/applications/echo3d.desktop" "$data"/icons/hicolor/*/apps/echo3d.png "$data/icons/hicolor/scalable/apps/echo3d.svg" "$bin/echo3d"
    exit 0
fi
mkdir -p "$data/applications" "$data/icons/hicolor/scalable/apps" "$bin"
sed "s|@FOLDER@|$here|g" "$here/share/echo3d.desktop" > "$data/applications/echo3d.desktop"
cp "$here/share/icons/echo3d.svg" "$data/icons/hicolor/scalable/apps/"
for side in 16 24 32 48 64 128 256 512; do
    mkdir -p "$data/icons/hicolor/${side}x$side/apps"
    cp "$here/share/icons/echo3d-$side.png" "$data/icons/hicolor/${side}x$side/apps/echo3d.png"
done
ln -sf "$here/echo3d" "$bin/echo3d"
echo "echo3d is in the menu; the word echo3d works where $bin is on the path."
