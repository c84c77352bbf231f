#!/usr/bin/env bash
# Makes tests/diff/pairs again: small screenshots by Chromium, and what pixelmatch and odiff count in them.
# Needs chromium, node and npm; the peers go to a temporary folder.
set -eu
out=$(cd "$(dirname "$0")" && pwd)/pairs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
npm init -y >/dev/null
npm install --silent pixelmatch@7.2.0 pngjs@7 odiff-bin@4 >/dev/null

page() { # NAME BANNER-CSS BUTTON-COLOUR MARGIN WORD
    cat >"$1.html" <<HTML
<!doctype html><meta charset=utf-8><style>body{margin:0;font:14px DejaVu Sans;background:#fff}
.banner{$2}main{padding:${4}px 16px}h1{font-size:20px;margin:0 0 8px}
a{display:inline-block;background:$3;color:#fff;padding:6px 14px;border-radius:6px}
.card{border:1px solid #ccd;border-radius:10px;padding:8px;margin-top:10px;box-shadow:0 2px 6px #0003}</style>
<div class=banner></div><main><h1>$5 of the week</h1><a>Continue</a>
<div class=card>Twelve people answered, <i>four</i> of them twice.</div>
<div class=card>Deliveries start on Monday at half past nine.</div></main>
HTML
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size=360,240 \
        --screenshot="$out/$1.png" "$1.html" >/dev/null 2>&1
}
mkdir -p "$out"
page base 'height:0' '#2255cc' 16 'Report'
page colour 'height:0' '#1a9c5b' 16 'Report'
page faint 'height:0' '#2f5fd0' 16 'Report'
page text 'height:0' '#2255cc' 16 'Rapport'
page subpixel 'height:0}main{transform:translate(.3px,.2px)' '#2255cc' 16 'Report'
page banner 'height:20px;background:#ffe08a' '#2255cc' 16 'Report'

cat >count.mjs <<'JS'
import fs from 'node:fs';
import {PNG} from 'pngjs';
import pixelmatch from 'pixelmatch';
import {compare} from 'odiff-bin';
const out = process.argv[2];
const read = name => PNG.sync.read(fs.readFileSync(`${out}/${name}.png`));
const glass = read('text');   // the same picture with alpha that runs over it
for (let i = 0; i < glass.data.length; i += 4) glass.data[i + 3] = 255 - (i >> 2) % 200;
fs.writeFileSync(`${out}/glass.png`, PNG.sync.write(glass));
const a = read('base');
const lines = ['# pair threshold pixelmatch pixelmatch-without-antialiasing odiff (- where it blends alpha its own way)'];
for (const name of ['base', 'colour', 'faint', 'text', 'subpixel', 'banner', 'glass']) {
    const b = read(name);
    for (const threshold of [0.02, 0.1, 0.3]) {
        const count = includeAA => pixelmatch(a.data, b.data, null, a.width, a.height, {threshold, includeAA});
        const odiff = await compare(`${out}/base.png`, `${out}/${name}.png`, 'odiff.png', {threshold});
        const pixels = name === 'glass' ? '-' : odiff.match ? 0 : odiff.diffCount;
        lines.push(`${name} ${threshold} ${count(true)} ${count(false)} ${pixels}`);
    }
}
fs.writeFileSync(`${out}/counts.txt`, lines.join('\n') + '\n');
JS
node count.mjs "$out"
cat "$out/counts.txt"
