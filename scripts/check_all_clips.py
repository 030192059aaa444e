#!/usr/bin/env python3
"""Runs `viseme sync` over every clip of a folder with several speech files and checks each result from outside with ffprobe.

  scripts/check_all_clips.py --shared ../shared [--viseme target/release/viseme] [--keep DIR] [--only NAME]

For each pair: exit code 0, frames in the file = frames planned, the times of the first pass through the clip equal to the source's to
1 ms, the length of the picture within one frame of the plan. Prints one line per pair and a summary; exits 1 if anything failed.
"""
import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SPEECH = ['talking_test1.flac', 'ip_lap_abstract.mp3', 'eamm_sample1.mov']


def frame_times(path):
    """Presentation times of all frames of the picture, in seconds."""
    call = ['ffprobe', '-v', 'error', '-select_streams', 'V:0', '-show_entries', 'frame=best_effort_timestamp_time,pts_time', '-of', 'json', path]
    frames = json.loads(subprocess.run(call, capture_output=True, text=True, check=True).stdout)['frames']
    return [float(f.get('best_effort_timestamp_time', f.get('pts_time', 'nan'))) for f in frames]


def check(viseme, clip, speech, output, source_times):
    """Returns (what is wrong or None, the report)."""
    call = [viseme, 'sync', clip, speech, '-o', output, '--json', '--quiet', '--preset', 'ultrafast']
    done = subprocess.run(call, capture_output=True, text=True)
    if done.returncode:
        return f'exit {done.returncode}: {done.stderr.strip().splitlines()[-1:]}', None
    report = json.loads(done.stdout)
    planned, times = report['output']['frames_planned'], frame_times(output)
    if not planned == report['output']['frames_written'] == len(times):
        return f'{planned} planned, {report["output"]["frames_written"]} reported, {len(times)} in the file', report
    # A container may start its clock anywhere: what must be kept is the time since the first frame.
    worst = max((abs((a - times[0]) - (b - source_times[0])) for a, b in zip(times, source_times)), default=0)
    if worst > 0.001 and len(source_times) > 1:
        return f'times differ by {worst * 1000:.2f} ms', report
    step = max([b - a for a, b in zip(times, times[1:])], default=0.04)
    length = report['output']['duration_ms'] / 1000
    if not times[-1] <= length <= times[-1] + 2 * step + 0.002:
        return f'reported length {length} s, last frame at {times[-1]:.3f} s', report
    return None, report


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--shared', type=Path, default=Path('../shared'))
    parser.add_argument('--viseme', type=Path, default=Path('target/release/viseme'))
    parser.add_argument('--keep', type=Path)
    parser.add_argument('--only', default='')
    parser.add_argument('--speech', nargs='*', default=SPEECH)
    args = parser.parse_args()
    args.viseme = args.viseme.resolve()
    folder = args.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    failed = total = 0
    for clip in sorted((args.shared / 'media').iterdir()):
        if args.only not in clip.name:
            continue
        source_times = frame_times(clip)
        for name in args.speech:
            output, start = folder / f'{clip.stem}__{Path(name).stem}.mp4', time.time()
            wrong, report = check(args.viseme, clip, args.shared / 'speech' / name, output, source_times)
            total += 1
            failed += wrong is not None
            facts = '' if report is None else (f'{report["output"]["frames_written"]} frames, {report["output"]["frames_changed"]} changed, '
                                               f'{report["peak_memory_bytes"] / 1e6:.0f} MB, {[w["code"] for w in report["warnings"]]}')
            print(f'{"FAILED" if wrong else "ok    "} {clip.name} ← {name}: {wrong or ""} {facts} ({time.time() - start:.1f} s)', flush=True)
            if not args.keep:
                output.unlink(missing_ok=True)
    print(f'{total - failed} of {total} pairs hold')
    sys.exit(failed > 0)


if __name__ == '__main__':
    main()
