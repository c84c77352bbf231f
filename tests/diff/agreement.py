#!/usr/bin/env python3
"""Whether `glmv-replicate score` says what an independent evaluator says of the same pages.

Usage: GLMV=build/release/replicate/glmv-replicate tests/diff/agreement.py EVALUATOR PAGES [--made FOLDER] [NAME...]
EVALUATOR is a folder with evaluate.py, evaluate(png, json, html, keep) of which gives block, text, position, color and
pixel {match, ssim, ssim_quarter, ms_ssim} and leaves page.png, notext.png and info.json in keep; and with blocks.py, whose
load_rgb() and finalize() read these. PAGES has NAME.png and NAME.json (the reference's blocks of text). The pages that are
scored are FOLDER/NAME.html, or made by the program. Every score is compared twice: given the evaluator's render and blocks, where
the two may differ by 0.005, and from the page on, which our renderer draws.
Exit code 1 when a score differs by more, or fewer than ten pages could be compared.
"""
import argparse, json, os, subprocess, sys, tempfile

LIMIT = 0.005
LEAST = 10  # pages
TRIES = 3  # of one command: a machine under load may let a render run out of time
glmv = os.environ.get('GLMV', 'build/release/replicate/glmv-replicate')
parser = argparse.ArgumentParser(usage=__doc__)
parser.add_argument('evaluator')
parser.add_argument('pages')
parser.add_argument('--made')
parser.add_argument('names', nargs='*')
args = parser.parse_intermixed_args()
sys.path.insert(0, args.evaluator)
import evaluate, blocks  # noqa: E402


def scores_of(shot, page, *options):
    command = [glmv, 'score', shot, page, '--json', *options]
    for _ in range(TRIES):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode == 0:
            break
    else:
        sys.exit(f'{" ".join(command)}: {run.stderr}')
    found = json.loads(run.stdout)
    return ({k: found['design2code'][k] for k in ('block', 'text', 'position', 'colour')} |
            {k: found['published'][k] for k in ('ssim', 'ssim_quarter', 'ms_ssim', 'pixels')})


def page_of(name, folder):
    html = os.path.join(args.made or folder, name + '.html')
    if not args.made:
        subprocess.run([glmv, os.path.join(args.pages, name + '.png'), '-o', html], capture_output=True, check=False)
    return html if os.path.exists(html) else None


def compare(name, folder):
    """The evaluator's scores, ours of its render and blocks, ours of the page."""
    shot, truth = (os.path.join(args.pages, name + end) for end in ('.png', '.json'))
    html = page_of(name, folder)
    if html is None:
        return None
    keep = os.path.join(folder, name)
    for attempt in range(TRIES):
        try:
            theirs = evaluate.evaluate(shot, truth, html, keep)
            break
        except (RuntimeError, subprocess.TimeoutExpired):
            if attempt == TRIES - 1:
                raise
    pixel = theirs['pixel']
    want = dict(block=theirs['block'], text=theirs['text'], position=theirs['position'], colour=theirs['color'], ssim=pixel['ssim'],
                ssim_quarter=pixel['ssim_quarter'], ms_ssim=pixel['ms_ssim'], pixels=pixel['match'])
    with open(os.path.join(keep, 'info.json'), encoding='utf-8') as file:
        info = json.load(file)
    drawn = os.path.join(keep, 'page.png')
    found = blocks.finalize(info, blocks.load_rgb(drawn), blocks.load_rgb(os.path.join(keep, 'notext.png')))
    listed = os.path.join(keep, 'blocks.json')
    with open(listed, 'w', encoding='utf-8') as file:
        json.dump({'blocks': [{k: b[k] for k in ('text', 'bbox', 'color')} for b in found]}, file)
    return want, scores_of(shot, drawn, '--blocks', listed, '--ref-blocks', truth), scores_of(shot, html, '--ref-blocks', truth)


names = args.names or sorted(f[:-4] for f in os.listdir(args.pages) if f.endswith('.png'))
worst, own, done = {}, {}, 0
with tempfile.TemporaryDirectory() as folder:
    for name in names:
        result = compare(name, folder)
        if result is None:
            print(f'{name}: no page')
            continue
        want, same, ours = result
        done += 1
        for k in want:
            worst[k] = max(worst.get(k, 0), abs(same[k] - want[k]))
            own.setdefault(k, []).append(abs(ours[k] - want[k]))
        k = max(want, key=lambda k: abs(same[k] - want[k]))
        print(f'{name:28} furthest apart: {k} {want[k]:.4f} and {same[k]:.4f}', flush=True)
print(f'{done} pages, same render and blocks, largest difference: ' + ', '.join(f'{k} {v:.6f}' for k, v in worst.items()))
print('from the page on, mean and largest: ' + ', '.join(f'{k} {sum(v) / len(v):.4f} {max(v):.4f}' for k, v in own.items()))
sys.exit(done < LEAST or max(worst.values()) > LIMIT)
