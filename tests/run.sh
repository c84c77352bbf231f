#!/usr/bin/env bash
# run.sh [CTEST OPTION...]: installs what the tests need, builds with sanitizers, runs every test and ends with
# the line "N passed, N failed, N skipped".
set -u
cd "$(dirname "$0")/.." || exit 2

echo "== packages"
bash examples/install.sh examples/packages.txt tests/packages.txt || exit 1

echo "== build (ASan + UBSan, warnings are errors)"
cmake --preset dev >/dev/null || exit 1
cmake --build --preset dev || exit 1

echo "== tests"
results=build/dev/results.xml
rm -f "$results"
ctest --preset dev --output-junit results.xml "$@"
status=$?
if [ ! -f "$results" ]; then
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
attribute() {
    sed -n "s/.*<testsuite[^>]*//; s/^[[:space:]]*$1=\"\([0-9]*\)\".*/\1/p" "$results" | head -n 1
}
total=$(attribute tests)
failed=$(attribute failures)
skipped=$(($(attribute skipped) + $(attribute disabled)))
echo "$((total - failed - skipped)) passed, $failed failed, $skipped skipped"
[ "$status" = 0 ] && [ "$failed" = 0 ]
