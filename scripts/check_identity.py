#!/usr/bin/env python3
"""Checks who is who: two people side by side, changing places at a cut, or one after the other, with references from other frames.

  scripts/check_identity.py --shared ../shared [--viseme target/release/viseme] [--keep DIR] [--only NAME] [--no-sync]

The scenes are put together by ffmpeg, so that the place and the time say who is meant. Each reference is a frame that the scene
does not show, or of another clip of the same person. A frame counts where `viseme faces` sees a face in every place; it is
right when every face there has the right name. Then `viseme sync --character` speaks with one of the two, losslessly: no sample of
the other's half may change. Prints one line per scene; exits 1 when less than 98 % of the frames are right or anything else changed.
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

LEAST_RIGHT = 0.98
SIDE = 400  # of a place, in pixels
START, LENGTH = 1.0, 2.0  # of each clip, in seconds: what is before the start is for references
REFERENCE_AT = 0.2

GRID = ['grid_bbaf2n.mpg', 'grid_brbk7n.mpg', 'grid_lbax4n.mpg', 'grid_lbbc2a.mpg', 'grid_pwij3p.mpg', 'grid_sbia1a.mpg', 'grid_sbwe5n.mpg']
# Name, the clip of each of two people, and the clip that the reference of each is taken from.
PAIRS = [(f'{a[5:11]}+{b[5:11]}', (a, b), (a, b)) for a, b in zip(GRID, GRID[1:] + GRID[:1])] + [
    ('other clips of her', ('vr_3_590.mp4', 'may_5s_512.mp4'), ('st_aoc_512.mp4', 'may_5s_512.mp4')),
    ('and another', ('may_5s_512.mp4', 'st_aoc_512.mp4'), ('may_5s_512.mp4', 'vx_aoc_512.mp4')),
]
# A filmed split screen, by its own halves.
SPLIT = 'cv_tse002_2faces_cut_720p.avi'


def ffmpeg(*arguments):
    subprocess.run(['ffmpeg', '-v', 'error', '-nostdin', '-y', *map(str, arguments)], check=True)


def reference(clip, path, crop=None):
    ffmpeg('-ss', REFERENCE_AT, '-i', clip, '-frames:v', 1, *(['-vf', f'crop={crop}'] if crop else []), path)
    return path


def scene(kind, clips, path):
    """Writes a scene of two clips; returns who is meant where: (seconds, left edge, right edge, person) of each stretch."""
    fit = f'fps=25,scale={SIDE}:{SIDE}:force_original_aspect_ratio=increase,crop={SIDE}:{SIDE},setsar=1,format=yuv420p'
    inputs = [x for clip in clips for x in ('-ss', START, '-t', LENGTH, '-i', clip)]
    halves = f'[0:v]{fit},split[a][c];[1:v]{fit},split[b][d];'
    half = LENGTH / 2
    cut = f'[a]trim=0:{half}[a1];[b]trim=0:{half}[b1];[c]trim={half},setpts=PTS-STARTPTS[c1];[d]trim={half},setpts=PTS-STARTPTS[d1];'
    graph, truth = {
        'together': (f'{halves}[c]nullsink;[d]nullsink;[a][b]hstack', [(0, LENGTH, (0, 1))]),
        'places changed': (f'{halves}{cut}[a1][b1]hstack[x];[d1][c1]hstack[y];[x][y]concat', [(0, half, (0, 1)), (half, LENGTH, (1, 0))]),
        'in turn': (f'{halves}{cut}[d1]nullsink;[a1][b1][c1]concat=n=3', [(0, half, (0,)), (half, 2 * half, (1,)), (2 * half, 3 * half, (0,))]),
    }[kind]
    ffmpeg(*inputs, '-filter_complex', graph, '-c:v', 'ffv1', path)
    return truth


def named(viseme, video, references):
    """The lines of `viseme faces`."""
    characters = [x for name, path in references.items() for x in ('--character', f'{name}={path}')]
    done = subprocess.run([viseme, 'faces', video, '--quiet', *characters], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def count(lines, truth, width, names):
    """Frames in which a face is seen in every place, and of these the frames in which all have the right name."""
    seen = right = 0
    for line in lines:
        second = line['timestamp_ms'] / 1000
        people = next((people for start, end, people in truth if start <= second < end), None)
        if people is None:
            continue
        found = {}
        for face in line['faces']:
            x, _, w, _ = face['bbox']
            found.setdefault(int((x + w / 2) * len(people) / width), []).append(face['character_id'])
        if len(found) == len(people):
            seen += 1
            right += all(found[place] == [names[person]] for place, person in enumerate(people))
    return seen, right


def half_digest(path, side, width):
    """Digests of one half of every frame."""
    crop = f'crop={width // 2}:ih:{side * width // 2}:0'
    call = ['ffmpeg', '-v', 'error', '-i', path, '-map', '0:v', '-vf', crop, '-f', 'framemd5', '-']
    lines = subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split(',')[-1] for line in lines if not line.startswith('#')]


def others_changed(viseme, video, audio, speaker, references, folder, width):
    """(frames in which the half of the speaker changed, frames in which the other did)."""
    output = folder / 'spoken.mkv'
    call = [viseme, 'sync', video, audio, '-o', output, '--quiet', '--lossless', '--codec', 'ffv1', '--loop', 'none']
    subprocess.run([*call, '--character', f'{speaker}={references[speaker]}'], check=True)
    differ = lambda side: sum(a != b for a, b in zip(half_digest(video, side, width), half_digest(output, side, width)))
    side = list(references).index(speaker)
    return differ(side), differ(1 - side)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shared', type=Path, default=Path('../shared'))
    parser.add_argument('--viseme', type=Path, default=Path('target/release/viseme'))
    parser.add_argument('--keep', type=Path)
    parser.add_argument('--only', default='')
    parser.add_argument('--no-sync', action='store_true')
    args = parser.parse_args()
    viseme, media = args.viseme.resolve(), args.shared / 'media'
    audio = args.shared / 'speech' / 'ip_lap_abstract.mp3'
    folder = args.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    names, totals, is_bad = ['ann', 'ben'], [0, 0], False

    def check(name, video, truth, width, references, sync):
        nonlocal is_bad
        if args.only not in name:
            return
        seen, right = count(named(viseme, video, references), truth, width, names)
        totals[0] += seen
        totals[1] += right
        is_bad |= seen == 0 or right < LEAST_RIGHT * seen
        line = f'{name}: {right} of {seen} frames right'
        if sync and not args.no_sync:
            speaker, other = others_changed(viseme, video, audio, names[0], references, folder, width)
            line += f'; {names[0]} alone speaks: {speaker} frames changed, of the other half {other}'
            is_bad |= speaker == 0 or other > 0
        print(line, flush=True)

    for pair, clips, of in PAIRS:
        references = {name: reference(media / clip, folder / f'{name}.png') for name, clip in zip(names, of)}
        for kind in ['together', 'places changed', 'in turn']:
            truth = scene(kind, [media / clip for clip in clips], folder / 'scene.mkv')
            width = SIDE if kind == 'in turn' else 2 * SIDE
            check(f'{pair}, {kind}', folder / 'scene.mkv', truth, width, references, sync=kind == 'together')
    references = {name: reference(media / SPLIT, folder / f'{name}.png', f'iw/2:ih:{side}*iw/2:0') for side, name in enumerate(names)}
    check(SPLIT, media / SPLIT, [(0, 60, (0, 1))], 1280, references, sync=True)
    seen, right = totals
    print(f'all: {right} of {seen} frames right ({100 * right / max(seen, 1):.2f} %)')
    sys.exit(is_bad)


main()
