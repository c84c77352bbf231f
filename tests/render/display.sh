#!/usr/bin/env bash
# A display that is missing, that never starts, that starts at a later try, and that says nothing.
set -u
work=$(mktemp -d -p /var/tmp) # the renderer has a /tmp of its own
chmod 755 "$work"
trap 'rm -rf "$work"' EXIT
failures=0
fail() {
    echo "failed: $*" >&2
    failures=$((failures + 1))
}
xvfb=$(command -v Xvfb) || {
    echo "no Xvfb here"
    exit 77
}
echo '<h1>x</h1>' >"$work/page.html"
mkdir "$work/bin" "$work/empty"
draw() { PATH=$1 "$GLMV" render "$work/page.html" -o "$work/page.png" 2>&1; }
says() {
    local want=$1 said=$2
    [[ $said == *"$want"* ]] || fail "'$said' does not say '$want'"
}
put_xvfb() {
    printf '#!/bin/bash\n%s\n' "$1" >"$work/bin/Xvfb"
    chmod 755 "$work/bin/Xvfb"
}

said=$(draw "$work/empty")
[ $? = 4 ] || fail "exit code without Xvfb"
says "Xvfb is not installed; install the package xvfb" "$said"

put_xvfb 'echo "Fatal server error:" >&2; echo "(EE) no keyboard today(EE) " >&2; exit 1'
said=$(draw "$work/bin:$PATH")
[ $? = 4 ] || fail "exit code when Xvfb ends"
says "Xvfb does not start (tried 8 times); it says: no keyboard today" "$said"

# The third try works: every try leaves a file, in the private folder that is also HOME's place.
put_xvfb 'log=$(readlink /proc/$$/fd/2); n=$(cat "$log.n" 2>/dev/null || echo 0); echo $((n + 1)) >"$log.n"
[ "$n" -ge 2 ] && exec '"$xvfb"' "$@"
exit 1'
said=$(draw "$work/bin:$PATH") || fail "a display that starts at the third try: $said"

# One that hangs is not waited for once the client has gone.
put_xvfb "exec -a glmv-silent-$$ sleep 60"
PATH="$work/bin:$PATH" "$GLMV" render "$work/page.html" -o "$work/page.png" 2>/dev/null &
pid=$!
for _ in $(seq 100); do
    pgrep -f "^glmv-silent-$$ 60" >/dev/null && break
    sleep 0.1
done
pgrep -f "^glmv-silent-$$ 60" >/dev/null || fail "the silent display was not started"
kill -TERM $pid
wait $pid
code=$?
case $code in 130 | 143) ;; *) fail "interrupted while the display starts: exit code $code" ;; esac
for _ in $(seq 50); do
    pgrep -f "^glmv-silent-$$ 60" >/dev/null || break
    sleep 0.1
done
pgrep -f "^glmv-silent-$$ 60" >/dev/null && fail "the silent display outlives its client"

echo "$failures failures"
[ $failures = 0 ]
