#!/usr/bin/env bash
# glmv-replicate diff beside odiff, pixelmatch and looks-same on pairs that Chromium makes: cold processes, files in the page
# cache, in turn, every round begun by another. Prints medians, least times, medians of the rounds' ratios, and peak memory.
# With $FOLDER the pictures are made there and kept, and PART, an extended regular expression, chooses by what is printed above
# each pair: "diff.sh 41 1280".
# Usage: GLMV=path [PEERS=folder with node_modules] [FOLDER=path] tests/bench/diff.sh [ROUNDS [PART]]
set -eu
glmv=$(realpath "${GLMV:-build/release/replicate/glmv-replicate}")
rounds=${1:-9}
part=${2:-.}
[ -z "${PEERS:-}" ] || PEERS=$(realpath "$PEERS")
if [ -n "${FOLDER:-}" ]; then
    mkdir -p "$FOLDER"
    cd "$FOLDER"
else
    tmp=$(mktemp -d)
    trap 'rm -rf "$tmp"' EXIT
    cd "$tmp"
fi
if [ -n "${PEERS:-}" ]; then
    ln -sfn "$PEERS/node_modules" node_modules
elif [ ! -d node_modules ]; then
    npm init -y >/dev/null 2>&1
    npm install --silent odiff-bin@4 pixelmatch@7 pngjs@7 looks-same@10 >/dev/null 2>&1
fi
shot() { # NAME SCALE
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --force-device-scale-factor="$2" \
        --user-data-dir="$PWD/profile" --window-size="$3" --screenshot="$1.png" "$1.html" >/dev/null 2>&1
}
page() { # NAME COLOUR-OF-ONE SCALE SIZE
    { echo '<!doctype html><meta charset=utf-8><body style="font:14px DejaVu Sans;columns:3;margin:24px">'
      for i in $(seq 150); do
          colour='#2255cc'
          [ "$i" = 20 ] && colour=$2
          echo "<p><b style=\"background:$colour;color:#fff;padding:2px 8px\">Item $i</b> Deliveries start on Monday at half past nine."
      done; } >"$1.html"
    shot "$1" "$3" "$4"
}
photo() { # NAME COLOUR: noise that no filter predicts, as photographs have it
    cat >"$1.html" <<HTML
<!doctype html><body style="margin:0"><svg width=1920 height=1080><filter id=f><feTurbulence baseFrequency=".02 .03" numOctaves=5 seed=4 /></filter>
<rect width=1920 height=1080 filter="url(#f)" /><rect x=100 y=100 width=80 height=30 fill="$2" /></svg>
HTML
    shot "$1" 2 1920,1080
}
if [ ! -f same.png ]; then
    page a '#2255cc' 2 1920,1080
    page b '#1a9c5b' 2 1920,1080
    page c '#2255cc' 1 1280,800
    page d '#1a9c5b' 1 1280,800
    photo p '#2255cc'
    photo q '#1a9c5b'
    cp a.png same.png
fi
cat >pixelmatch.mjs <<'JS'
import fs from 'node:fs';
import {PNG} from 'pngjs';
import pixelmatch from 'pixelmatch';
const [a, b] = process.argv.slice(2, 4).map((name) => PNG.sync.read(fs.readFileSync(name)));
const out = new PNG({width: a.width, height: a.height});
const count = pixelmatch(a.data, b.data, out.data, a.width, a.height, {threshold: 0.1});
if (process.argv[4]) fs.writeFileSync(process.argv[4], PNG.sync.write(out));
process.exit(count ? 1 : 0);
JS
cat >looks.cjs <<'JS'
const looksSame = require('looks-same');
looksSame(process.argv[2], process.argv[3]).then((r) => process.exit(r.equal ? 0 : 1));
JS
# Library calls: a picture that is in memory already against a file, or, for odiff's server, two files.
cat >calls.mjs <<'JS'
import fs from 'node:fs';
import {PNG} from 'pngjs';
import pixelmatch from 'pixelmatch';
import odiff from 'odiff-bin';
const frame = PNG.sync.read(fs.readFileSync('b.png'));
const file = fs.readFileSync('a.png');
const times = {};
const time = async (name, call) => {
    times[name] = [];
    for (let i = 0; i < Number(process.argv[2]); i++) {
        const start = performance.now();
        await call();
        times[name].push(performance.now() - start);
    }
    times[name].sort((p, q) => p - q);
    console.log(`  ${name.padEnd(32)} median ${times[name][times[name].length >> 1].toFixed(1)} ms, least ${times[name][0].toFixed(1)} ms`);
};
await time('pngjs and pixelmatch', () => {
    const a = PNG.sync.read(file);
    pixelmatch(a.data, frame.data, null, a.width, a.height, {threshold: 0.1, includeAA: true});
});
const server = new odiff.ODiffServer();
await time('odiff, server', () => server.compare('a.png', 'b.png', 'out-server.png'));
server.stop();
process.exit(0);
JS
odiff=node_modules/@odiff/linux-x64/odiff
turns="$(dirname "$glmv")/../tests/diff/turns"
looks=
[ -d node_modules/looks-same ] && looks='-- node looks.cjs a.png b.png'
wanted() { # NAME: what is measured next
    grep -qE -- "$part" <<<"$1" && echo "$1"
}
pair() { # NAME A B [PICTURE]
    wanted "$1" || return 0
    "$turns" "$rounds" "$glmv" diff "$2" "$3" ${4:+-o ours.png} -- "$odiff" "$2" "$3" ${4:+theirs.png}
}
if wanted "4K page, with picture"; then
    # shellcheck disable=SC2086
    "$turns" "$rounds" "$glmv" diff a.png b.png -o ours.png -- "$odiff" a.png b.png theirs.png -- node pixelmatch.mjs a.png b.png pm.png $looks
fi
pair "4K page, verdict" a.png b.png
pair "4K photo, with picture" p.png q.png picture
pair "4K photo, verdict" p.png q.png
pair "4K page, same bytes" a.png same.png
pair "1280x800, with picture" c.png d.png picture
pair "1280x800, verdict" c.png d.png
core=$(dirname "$glmv")/../tests/diff/diff_core
[ -x "$core" ] || exit 0
if wanted "4K frame in memory against a stored picture, library calls"; then
    "$core" $((rounds * 5)) a.png | grep -E 'baseline'
    node calls.mjs "$rounds"
fi
if wanted "comparison core, 4K frames in memory"; then
    "$core" $((rounds * 5)) a.png | grep -vE 'baseline|file has'
    echo "the same on one thread"
    taskset -c 1 "$core" $((rounds * 5)) a.png | grep -E "memcmp|count"
fi
