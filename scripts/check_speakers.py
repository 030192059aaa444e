#!/usr/bin/env python3
"""Checks who is taken for the speaker: two people side by side, the sound being that of the left and of the right one in turns.

  scripts/check_speakers.py --shared ../shared [--viseme target/release/viseme] [--sense native] [--keep DIR] [--only NAME]

The scenes are put together by ffmpeg, so that the place and the time say who speaks. Of each pair there are two. In `one talks` the
one who is not heard shows the 0.4 s of his clip in which his mouth is most at rest, slowly back and forth. In `both talk`
both lips move all the time and only one of them to the sound that is heard; GRID is left out there, since its speakers say sentences of
one rhythm at the same moments. Prints, for each scene, of the frames with voice in which both are seen, the share in which the right
one was chosen by `viseme faces --speaking`, and how many turns there were.
"""
import argparse
import functools
import json
import math
import statistics
import subprocess
import tempfile
from array import array
from pathlib import Path

SIDE = 400  # of a place, in pixels
ROOM = 2  # heights of the face in a place, where the clip shows as much
TURN, TURNS = 3, 4  # seconds of a turn; turns of a scene
FPS = 25
REST = 10  # frames in which somebody who says nothing is seen …
SLOWER = 6  # … so much slower, since to and fro at its own pace it looks like talking

GRID = ['grid_bbaf2n.mpg', 'grid_brbk7n.mpg', 'grid_lbax4n.mpg', 'grid_lbbc2a.mpg', 'grid_pwij3p.mpg', 'grid_sbia1a.mpg', 'grid_sbwe5n.mpg']
# Films of one person each, whose lips and sound belong together.
FILMS = ['st_aoc_512.mp4', 'vr_1_700.mp4', 'tpsmm_driving_412.mp4', 'may_5s_512.mp4', 'vasa_10.mp4', 'syncnet_example_224.avi', 'vr_3_590.mp4']
# By how many seconds the sound of a film has to be later to fit its lips, where its authors say so.
LATE = {'syncnet_example_224.avi': 0.12}
FILM_PAIRS = list(zip(FILMS, FILMS[1:] + FILMS[:1]))
PAIRS = {'one talks': list(zip(GRID, GRID[1:] + GRID[:1])) + FILM_PAIRS, 'both talk': FILM_PAIRS}


def ffmpeg(*arguments):
    subprocess.run(['ffmpeg', '-v', 'error', '-nostdin', '-y', *map(str, arguments)], check=True)


def samples(clip):
    """The sound of a clip: 16 bits, 16 kHz."""
    done = subprocess.run(['ffmpeg', '-v', 'error', '-nostdin', '-i', clip, '-f', 's16le', '-ac', '1', '-ar', '16000', '-'], capture_output=True, check=True)
    return array('h', done.stdout)


@functools.cache
def seen(viseme, clip):
    """When the mouth in a clip begins to be most at rest, closed and still, and the middle and the height of the face."""
    call = [viseme, 'faces', clip, '--quiet', '--landmarks']
    lines = [json.loads(line) for line in subprocess.run(call, capture_output=True, text=True, check=True).stdout.splitlines()]
    # The middle of the inner lips and the outer corners of the eyes, of the larger face.
    largest = [max(line['faces'], key=lambda face: face['bbox'][2], default=None) for line in lines]
    gap = lambda points, a, b: math.dist(points[a], points[b])
    openings = [gap(face['landmarks'], 25, 35) / gap(face['landmarks'], 85, 88) if face else 1.0 for face in largest]
    times = [line['timestamp_ms'] / 1000 for line in lines]
    length = round(REST / FPS * (len(times) - 1) / times[-1])
    unrest = lambda i: sum(openings[i:i + length]) + 5 * sum(abs(b - a) for a, b in zip(openings[i:i + length], openings[i + 1:i + length]))
    rest = times[min(range(1, len(times) - length - 1), key=unrest)]
    boxes = [face['bbox'] for face in largest if face]
    x, y, height = (statistics.median(values) for values in zip(*((box[0] + box[2] / 2, box[1] + box[3] / 2, box[3]) for box in boxes)))
    return rest, x, y, height


def scene(viseme, kind, clips, path):
    """Writes a scene: the first of the clips is on the left and is heard first."""
    length = TURN * TURNS
    graph = []
    for side, clip in enumerate(clips):
        rest, x, y, height = seen(viseme, clip)
        # Faces are about equally large.
        crop = f"crop='min(min(iw,ih),{ROOM * height})':'min(min(iw,ih),{ROOM * height})':{x}-ow/2:{y}-oh/2"
        fit = f'fps={FPS},{crop},scale={SIDE}:{SIDE},setsar=1,format=yuv420p'
        sound = samples(clip)
        frames = len(sound) * FPS // 16000 - 1
        late = LATE.get(clip.name, 0)
        # The sound is moved to its lips, then picture and sound start again together as often as needed.
        moved = f'atrim={-late},asetpts=PTS-STARTPTS,apad' if late < 0 else f'adelay={late * 1000}:all=1,apad'
        again = f'aresample=16000,aformat=channel_layouts=mono,{moved},atrim=end_sample={frames * 640},aloop=-1:{frames * 640}'
        spoken = '+'.join(f'between(t,{turn * TURN},{(turn + 1) * TURN})' for turn in range(side, TURNS, 2))
        graph.append(f"[{side}:a]{again},atrim=0:{length},volume='{spoken}':eval=frame[a{side}]")
        talking = f'trim=end_frame={frames},loop=-1:{frames},trim=end_frame={length * FPS},setpts=N/{FPS}/TB'
        if kind == 'both talk':
            graph.append(f'[{side}:v]{fit},{talking}[v{side}]')
            continue
        first = round(rest * FPS)
        graph.append(f'[{side}:v]{fit},split=3[t{side}][f{side}][r{side}]')
        graph.append(f'[t{side}]{talking}[talk{side}]')
        graph.append(f'[f{side}]trim=start_frame={first}:end_frame={first + REST},setpts=PTS-STARTPTS[forth{side}]')
        graph.append(f'[r{side}]trim=start_frame={first}:end_frame={first + REST},setpts=PTS-STARTPTS,reverse[back{side}]')
        slow = f'setpts={SLOWER}*PTS,framerate=fps={FPS}:interp_start=0:interp_end=255:scene=100'
        graph.append(f'[forth{side}][back{side}]concat,{slow},loop=-1:{2 * REST * SLOWER - SLOWER},trim=end_frame={length * FPS},setpts=N/{FPS}/TB[rest{side}]')
        graph.append(f"[talk{side}][rest{side}]overlay=enable='not({spoken})'[v{side}]")
    graph += ['[v0][v1]hstack[v]', '[a0][a1]amix=normalize=0[a]']
    inputs = [x for clip in clips for x in ('-i', clip)]
    ffmpeg(*inputs, '-filter_complex', ';'.join(graph), '-map', '[v]', '-map', '[a]', '-t', length, '-c:v', 'libx264', '-crf', 12, '-preset', 'fast', '-c:a', 'pcm_s16le', path)


def lines(viseme, video, sense):
    done = subprocess.run([viseme, 'faces', video, '--quiet', '--speaking', sense], capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def count(seen):
    """Frames with voice in which both are seen, those of them in which the right one speaks, and turns."""
    voiced = right = turns = 0
    last = None
    for line in seen:
        turn = line['timestamp_ms'] // (1000 * TURN)
        places = {int(face['bbox'][0] + face['bbox'][2] / 2 > SIDE): face for face in line['faces']}
        spoken = [place for place, face in places.items() if face['speaking']]
        turns += bool(spoken) and spoken != last
        last = spoken or last
        if line['voice'] and len(places) == 2:
            voiced += 1
            right += spoken == [turn % 2]
    return voiced, right, turns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shared', type=Path, default=Path('../shared'))
    parser.add_argument('--viseme', type=Path, default=Path('target/release/viseme'))
    parser.add_argument('--sense', default='auto')
    parser.add_argument('--keep', type=Path)
    parser.add_argument('--only', default='')
    args = parser.parse_args()
    folder = args.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    for kind, pairs in PAIRS.items():
        all_voiced = all_right = 0
        for pair in pairs:
            name = '+'.join(clip.split('.')[0] for clip in pair)
            if args.only not in name:
                continue
            video = folder / f'{name} {kind}.mkv'.replace(' ', '_')
            if not video.exists():
                scene(args.viseme.resolve(), kind, [args.shared / 'media' / clip for clip in pair], video)
            voiced, right, turns = count(lines(args.viseme.resolve(), video, args.sense))
            all_voiced, all_right = all_voiced + voiced, all_right + right
            print(f'{name}, {kind}: {right} of {voiced} frames with voice right ({100 * right / max(voiced, 1):.1f} %), {turns} turns of {TURNS}', flush=True)
        print(f'all, {kind}: {all_right} of {all_voiced} ({100 * all_right / max(all_voiced, 1):.1f} %)', flush=True)


if __name__ == '__main__':
    main()
