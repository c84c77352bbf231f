#!/usr/bin/env bash
# install.sh LIST...: installs the Debian packages named in the lists, one a line, unless all are there already.
set -eu

missing=()
while read -r package; do
    [ -n "$package" ] || continue
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done < <(cat "$@")

if [ ${#missing[@]} = 0 ]; then
    echo "packages: all installed"
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "packages: this script knows Debian 12 and its relatives (apt-get). Install the counterparts of: ${missing[*]}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "packages: run this as root, or install sudo. Missing: ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "packages: installing ${#missing[@]}: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "packages: apt-get failed; see above. Still missing: ${missing[*]}" >&2
    exit 1
fi
echo "packages: done"
