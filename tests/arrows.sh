#!/usr/bin/env bash
# Refuses an include that goes against the layout: base knows nobody, the four in the middle know base only.
set -u
cd "$(dirname "$0")/.." || exit 2
bad=0
refuse() { # MODULE ALLOWED...: every quoted include of MODULE starts with an allowed folder
    local module=$1 allowed
    shift
    allowed=$(printf '%s|' "$module" "$@")
    local hits
    hits=$(grep -rnE '^[[:space:]]*#[[:space:]]*include[[:space:]]+"' "$module" --include='*.c' --include='*.h' \
        --include='*.cu' --include='*.cuh' | grep -vE "include[[:space:]]+\"(${allowed%|})/")
    if [ -n "$hits" ]; then
        printf 'wrong arrow from %s:\n%s\n' "$module" "$hits"
        bad=1
    fi
}
refuse base
for module in model render diff htmlfix; do
    refuse "$module" base
done
refuse replicate base model render diff htmlfix
if grep -rnE '#[[:space:]]*include[[:space:]]+"replicate/' base model render diff htmlfix; then
    bad=1
fi
[ $bad = 0 ] && echo "all includes follow the layout"
exit $bad
