#!/bin/bash
# A thousand pages, 32 at a time, from a server that fails a third of the time, killed after a third: says how many were
# lost and how many were done twice. GLMV names the program; build/release by default.
cd "$(dirname "$0")/../.." || exit 1
GLMV=${GLMV:-$PWD/build/release/replicate/glmv-replicate} no_proxy=127.0.0.1 exec python3 tests/replicate/batch.py "${1:-1000}" "${2:-32}"
