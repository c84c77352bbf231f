#!/usr/bin/env bash
# quickstart.sh: from a fresh Debian 12 to a rebuilt page. Installs the packages it needs, builds, rebuilds the
# screenshots of this folder and says where to look.
set -eu
cd "$(dirname "$0")/.."

echo "== packages"
bash examples/install.sh examples/packages.txt

echo "== build"
cmake --preset release >/dev/null
cmake --build --preset release --target glmv-replicate glmv-render-worker

mkdir -p out
program=build/release/replicate/glmv-replicate
for shot in examples/*.png; do
    name=$(basename "$shot" .png)
    mkdir -p "out/$name"
    echo "== $shot"
    "$program" "$shot" -o "out/$name/page.html" --report "out/$name/report.html"
    echo "   page:   $PWD/out/$name/page.html"
    echo "   report: $PWD/out/$name/report.html"
done
echo "== done: your own screenshot next:"
echo "   $program SHOT.png -o page.html --report report.html"
