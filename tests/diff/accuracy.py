#!/usr/bin/env python3
"""How well changes are told from rendering noise, and what changed is named: pairs of pages with known differences.

Usage: GLMV=build/release/replicate/glmv-replicate tests/diff/accuracy.py [FOLDER]
Twelve designs, fifteen variants each, every other design by Chromium, the rest by WebKit. The first six designs are for
tuning, the last six only for reporting. Pictures and labels.json stay in FOLDER (a temporary one by default); a second run
with the same folder draws nothing and measures again.
"""
import concurrent.futures, json, os, subprocess, sys, tempfile

GLMV = os.environ.get('GLMV', 'build/release/replicate/glmv-replicate')
CSS = '''*{box-sizing:border-box}body{margin:0;font:%s;background:%s;color:%s}main{padding:20px 28px}
h1{font-size:24px;margin:0 0 12px}.btn{display:inline-block;background:%s;color:#fff;padding:8px 18px;border-radius:6px}
.card{background:%s;border:1px solid %s;border-radius:8px;padding:14px;margin:12px 0}
.badge{display:inline-block;background:#c0392b;color:#fff;font-style:normal;border-radius:9px;padding:1px 8px;margin-left:40px}
.row{display:flex;gap:16px}.row>*{flex:1}table{border-collapse:collapse;width:100%%}td{border-bottom:1px solid %s;padding:7px}
pre{background:#272c36;color:#d7dde8;padding:12px}input{padding:6px;width:220px}.pic{height:120px;background:linear-gradient(120deg,#345,#8ac)}'''
LINES = ['Deliveries start on Monday at half past nine.', 'Twelve people answered, four of them twice.', 'The kitchen closes early in winter.',
         'Every third order leaves from the northern store.', 'Prices include tax and a paper receipt.']


def cards(n, k):
    return ''.join('<div class=card><b>Part %d</b><br>%s</div>' % (i + 1, LINES[(i + k) % 5]) for i in range(n))


def table(n, k):
    return '<table>%s</table>' % ''.join('<tr><td>%d<td>%s<td>%d.50</tr>' % (i + 11, LINES[(i * 2 + k) % 5], 7 * i + k) for i in range(n))


HEAD = '<h1>Weekly <span class=w>Report</span></h1><p><a class=btn>Continue</a><i class=badge>3 new</i></p>'
DESIGNS = [  # font, ground, ink, button, card, line, first part, second part
    ('14px DejaVu Sans', '#fff', '#222', '#2255cc', '#fff', '#ccd', cards(3, 0), table(6, 1)),
    ('15px Liberation Serif', '#fbf8f1', '#2b2b2b', '#8a5a2b', '#fffdf7', '#e2d9c5', '<p>%s</p>' % ' '.join(LINES), cards(4, 2)),
    ('13px Liberation Sans', '#eef1f5', '#1c2430', '#1a7f5b', '#fff', '#d5dae2', '<div class=row>%s</div>' % cards(3, 1), table(8, 3)),
    ('14px DejaVu Sans Mono', '#10151c', '#dbe2ec', '#7a4fd0', '#1a212b', '#2c3644', '<pre>for (i = 0; i < n; i++)\n    sum += v[i];</pre>', cards(3, 3)),
    ('16px Liberation Sans', '#fff', '#111', '#d9480f', '#f7f7f7', '#ddd', '<p><input value="name@example.org"></p><p><input placeholder=Town></p>', table(5, 0)),
    ('14px Noto Sans', '#fdfdfd', '#333', '#0b7285', '#fff', '#cfe0e4', '<div class=pic></div>', '<div class=row>%s</div>' % cards(2, 4)),
    ('15px DejaVu Serif', '#fff', '#1d1d1d', '#5f3dc4', '#faf9ff', '#dcd6f5', '<blockquote>%s</blockquote>' % LINES[3], cards(4, 1)),
    ('13px DejaVu Sans', '#f2f2ef', '#262626', '#2b8a3e', '#fff', '#d8d8d0', table(7, 2), '<pre>make &amp;&amp; make test</pre>' + cards(1, 0)),
    ('16px Noto Serif', '#fffaf3', '#3a2f25', '#b5446e', '#fff', '#eadfce', '<div class=row>%s</div>' % cards(4, 2), '<p>%s</p>' % ' '.join(LINES)),
    ('14px Liberation Sans', '#0e1a2b', '#e8eef6', '#e67700', '#16263c', '#26405f', '<div class=pic></div>' + cards(1, 3), table(6, 4)),
    ('14px Noto Sans CJK JP', '#fff', '#222', '#1864ab', '#f8fbff', '#c9dcef', '<p>毎週月曜日の朝に配達します。</p>' + cards(2, 1), table(5, 2)),
    ('15px DejaVu Sans', '#f6f7fb', '#20242e', '#c2255c', '#fff', '#dcdfe8', '<ol>%s</ol>' % ''.join('<li>%s' % l for l in LINES), '<div class=row>%s</div>' % cards(3, 0)),
]
BAND = '<div style="height:%dpx;background:#ffe08a;border-bottom:2px solid #b08900"></div>'
# name, class, extra CSS, word, band on top, band in the middle
VARIANTS = [
    ('identical', 'identical', '', 'Report', 0, 0), ('part-of-a-pixel', 'noise', 'main{transform:translate(.3px,.2px)}', 'Report', 0, 0),
    ('quarter-sideways', 'noise', 'main{transform:translate(.25px,0)}', 'Report', 0, 0), ('turned', 'noise', 'main{transform:rotate(.004deg)}', 'Report', 0, 0),
    ('opacity', 'noise', 'main{opacity:.994}', 'Report', 0, 0), ('inserted', 'shift', '', 'Report', 20, 0), ('inserted-below', 'shift', '', 'Report', 0, 33),
    ('removed', 'shift-back', '', 'Report', 27, 0), ('recoloured', 'real', '.btn{filter:hue-rotate(40deg)}', 'Report', 0, 0),
    ('text', 'real', '', 'Repeat', 0, 0), ('resized', 'real', '.btn{padding-bottom:14px;margin-bottom:-6px}', 'Report', 0, 0),
    ('restyled', 'real', '.card,td{border-color:#e0a030;box-shadow:0 2px 5px #0005}', 'Report', 0, 0),
    ('vanished', 'real', '.badge{visibility:hidden}', 'Report', 0, 0), ('sideways', 'real', '.badge{position:relative;left:14px}', 'Report', 0, 0),
    ('onto-itself', 'real', '.btn{position:relative;top:-9px}', 'Report', 0, 0),
]
KINDS = {'recoloured': 'colour', 'text': 'text', 'resized': 'size', 'vanished': 'vanished', 'sideways': 'moved', 'onto-itself': 'moved'}


def page(design, variant):
    font, ground, ink, button, card, line, first, second = design
    _, _, extra, word, top, middle = variant
    return ('<!doctype html><meta charset=utf-8><style>%s%s</style><body>%s<main>%s%s%s%s</main>' % (
        CSS % (font, ground, ink, button, card, line, line), extra, BAND % top if top else '', HEAD.replace('Report', word), first,
        # A box of its own keeps the margins around it apart, filled or not.
        '<div style="overflow:hidden">%s</div>' % (BAND % middle if middle else ''), second))


def draw(folder, d, variant):
    stem = os.path.join(folder, 'd%02d-%s' % (d, variant[0]))
    if os.path.exists(stem + '.png'):
        return stem + '.png'
    with open(stem + '.html', 'w') as f:
        f.write(page(DESIGNS[d], variant))
    if d % 2 == 0:
        cmd = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--user-data-dir=' + stem + '.profile',
               '--window-size=900,700', '--screenshot=' + stem + '.png', stem + '.html']
    else:
        cmd = [GLMV, 'render', stem + '.html', '-o', stem + '.png', '--viewport', '900x700', '--no-full-page']
    subprocess.run(cmd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
    if not os.path.exists(stem + '.png'):
        sys.exit('%s was not drawn' % stem)
    return stem + '.png'


def auc(noise, real):
    wins = sum((r > n) + 0.5 * (r == n) for n in noise for r in real)
    return wins / (len(noise) * len(real))


def report(name, rows):
    noise = [r for r in rows if r['class'] == 'noise']
    real = [r for r in rows if r['class'] == 'real']
    shifts = [r for r in rows if r['class'].startswith('shift')]
    named = [r for r in real if r['variant'] in KINDS]
    print('%s: %d pairs' % (name, len(rows)))
    for key in ('noise', 'differing_aa'):
        print('  AUC of %-13s %.3f' % ({'noise': 'the noise score', 'differing_aa': 'the pixel count'}[key],
                                       auc([r[key] for r in noise], [r[key] for r in real])))
    print('  at the limit: %d of %d noise pairs flagged, %d of %d changes missed, %d of %d identical pairs flagged' % (
        sum(r['noise'] > 512 for r in noise), len(noise), sum(r['noise'] <= 512 for r in real), len(real),
        sum(r['differing'] > 0 for r in rows if r['class'] == 'identical'), sum(r['class'] == 'identical' for r in rows)))
    print('  shifts named with the exact number of pixels: %d of %d' % (sum(r['exact'] for r in shifts), len(shifts)))
    print('  false shifts elsewhere: %d' % sum(len(r['shifts']) > 0 for r in rows if not r['class'].startswith('shift')))
    for variant, kind in KINDS.items():
        these = [r for r in named if r['variant'] == variant]
        print('  %-11s named %-9s %d of %d' % (variant, kind, sum(r['kind'] == kind for r in these), len(these)))


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp()
    os.makedirs(folder, exist_ok=True)
    base = ('base', '', '', 'Report', 0, 0)
    jobs = [(d, v) for d in range(len(DESIGNS)) for v in [base] + VARIANTS]
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        pictures = dict(zip([(d, v[0]) for d, v in jobs], pool.map(lambda j: draw(folder, *j), jobs)))
    rows = []
    for d in range(len(DESIGNS)):
        for name, kind, _, _, top, middle in VARIANTS:
            a, b = pictures[d, 'base'], pictures[d, name]
            if kind == 'shift-back':
                a, b = b, a
            run = lambda *more: json.loads(subprocess.run([GLMV, 'diff', a, b, '--json', *more], stdout=subprocess.PIPE).stdout)
            r = run('--noise')
            # The viewport stays, so what is inserted pushes as much out below: the first shift is the one that was made.
            first = r['shifts'][0] if r['shifts'] else {}
            rows.append({'design': d, 'variant': name, 'class': kind, 'noise': r.get('noise', 0), 'differing': r['differing'],
                         'differing_aa': run('--aa')['differing'], 'shifts': r['shifts'], 'kind': r['regions'][0]['kind'] if r['regions'] else '',
                         'exact': first.get('height') == (top or middle) and first.get('kind') == ('removed' if kind == 'shift-back' else 'inserted')
                         and len(r['shifts']) <= 2})
    with open(os.path.join(folder, 'labels.json'), 'w') as f:
        json.dump(rows, f, indent=1)
    report('tuning designs 1-6', [r for r in rows if r['design'] < 6])
    report('reporting designs 7-12', [r for r in rows if r['design'] >= 6])


main()
