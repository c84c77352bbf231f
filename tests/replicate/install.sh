#!/usr/bin/env bash
# An installed program works from wherever it was put, and the script that installs packages says what is missing on a
# system that it does not know.
set -u
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
    echo "failed: $*" >&2
    failures=$((failures + 1))
}

cmake --install "$GLMV_BUILD" --prefix "$work/first" >/dev/null || fail "cmake --install"
mv "$work/first" "$work/moved" # nothing may hold the folder's name
program=$work/moved/bin/glmv-replicate
[ -x "$program" ] || fail "no bin/glmv-replicate"
unset GLMV_RENDER_WORKER
(cd / && "$program" --version) | grep -q '^glmv-replicate [0-9]' || fail "--version"
echo '<h1>Installed</h1>' | "$program" render - -o "$work/shot.png" --viewport 400x200 || fail "render"
"$program" "$work/shot.png" -q -o "$work/page.html" || fail "the main job"
grep -q Installed "$work/page.html" || fail "the page lacks its heading"
# Through a link in another folder, as a package manager may put it.
mkdir "$work/bin"
ln -s "$program" "$work/bin/glmv-replicate"
echo '<h1>Linked</h1>' | "$work/bin/glmv-replicate" render - -o "$work/shot.png" || fail "render through a link"
# Without its worker it says what is missing.
rm "$work/moved/libexec/glmv-replicate/glmv-render-worker"
said=$(echo x | "$program" render - -o "$work/none.png" 2>&1)
[ $? = 3 ] && [[ $said == *glmv-render-worker* ]] || fail "without its worker: $said"

printf 'ID=fedora\nPRETTY_NAME="Fedora Linux 40"\n' >"$work/os-release"
echo no-such-package >"$work/packages.txt"
said=$(GLMV_OS_RELEASE="$work/os-release" bash examples/install.sh "$work/packages.txt" 2>&1)
[ $? = 1 ] && [[ $said == *"Fedora Linux 40"* && $said == *no-such-package* && $said == *"cmake --workflow"* ]] ||
    fail "on a system it does not know: $said"
echo bash >"$work/packages.txt"
GLMV_OS_RELEASE="$work/os-release" bash examples/install.sh "$work/packages.txt" >/dev/null || fail "nothing is missing"

echo "$failures failures"
[ $failures = 0 ]
