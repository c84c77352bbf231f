#!/usr/bin/env bash
# validate.sh FOLDER [PROGRAM]: rebuilds every screenshot of a folder and checks the pages with html-validate's recommended rules.
# A FOLDER of .html files is checked as it is. Needs npm; html-validate is fetched into a temporary folder.
set -eu
folder=${1:?usage: validate.sh FOLDER [PROGRAM]}
program=${2:-build/release/replicate/glmv-replicate}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/pages"
shots=("$folder"/*.png)
if [ -e "${shots[0]}" ]; then
    for shot in "${shots[@]}"; do
        "$program" "$shot" -q -o "$work/pages/$(basename "$shot" .png).html" || [ $? = 1 ] # 1: done, below the wanted score
    done
else
    cp "$folder"/*.html "$work/pages"
fi
cd "$work"
echo '{"root": true, "extends": ["html-validate:recommended"]}' > .htmlvalidate.json
npm install --silent --no-audit --no-fund --prefix "$work" html-validate@8 > /dev/null
# What must be found, or nothing was checked.
echo '<!DOCTYPE html><html lang="en"><head><title>x</title></head><body><p><div>x</div></p></body></html>' > wrong.html
if node_modules/.bin/html-validate wrong.html > /dev/null 2>&1; then
    echo "validate.sh: html-validate does not see a faulty page" >&2
    exit 4
fi
status=0
node_modules/.bin/html-validate pages/*.html || status=1
count=$(ls pages | wc -l)
[ $status = 0 ] && echo "$count pages, 0 errors"
exit $status
