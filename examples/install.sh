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
# GLMV_OS_RELEASE lets a test pretend to be elsewhere.
system() (
    ID=unknown ID_LIKE='' PRETTY_NAME='an unknown system'
    # shellcheck disable=SC1090
    . "${GLMV_OS_RELEASE:-/etc/os-release}" 2>/dev/null || true
    case "$1" in name) echo "$PRETTY_NAME" ;; kin) echo " $ID $ID_LIKE " ;; esac
)
kin=$(system kin)
if ! command -v apt-get >/dev/null || [[ $kin != *" debian "* && $kin != *" ubuntu "* ]]; then
    echo "packages: this is $(system name); this script knows Debian 12 and its relatives only." >&2
    echo "packages: install the counterparts of: ${missing[*]}" >&2
    echo "packages: then build with: cmake --workflow --preset release" >&2
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
