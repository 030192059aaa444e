"""Compare what `viseme faces VIDEO --json --landmarks` printed with FaceMesh, clip by clip.

Lip errors are in per cent of the canonical unit (the inter-ocular distance as seen from the front). A FaceMesh face
counts when it is at least 64 pixels wide and turned by less than 45 degrees. "Loose" faces are ours where FaceMesh has
none: on clips without faces they are false, elsewhere often true faces that FaceMesh does not see.
"""

import argparse
import collections
import json
import pathlib

import numpy as np

from crops import Layout

HERE = pathlib.Path(__file__).parent
GAPS = ((25, 35, 0.5), (24, 34, 0.25), (26, 36, 0.25))  # upper and lower inner lip, weight
COLUMNS = ("clip", "frames", "faces", "missed %", "lips %", "shift %", "open r", "width r", "pose", "loose/frame", "tracks")


def opening(points, scale):
    return sum(w * np.linalg.norm(points[a, :2] - points[b, :2]) for a, b, w in GAPS) / scale


def width(points, scale):
    return np.linalg.norm(points[0, :2] - points[10, :2]) / scale


def overlap(a, b):
    """Intersection over union of the boxes around two sets of points."""
    low, high = np.maximum(a[:, :2].min(0), b[:, :2].min(0)), np.minimum(a[:, :2].max(0), b[:, :2].max(0))
    common = np.clip(high - low, 0, None).prod()
    return common / (np.ptp(a[:, :2], 0).prod() + np.ptp(b[:, :2], 0).prod() - common)


def correlation(pairs):
    a, b = np.array(pairs).T
    return np.corrcoef(a, b)[0, 1] if len(a) > 10 and a.std() > 1e-6 and b.std() > 1e-6 else np.nan


class Clip:
    """Sums over the frames of one clip."""

    def __init__(self, layout):
        self.layout, self.frames, self.faces, self.missed, self.loose = layout, 0, 0, 0, 0
        self.lips, self.shift, self.turn, self.tracks = [], [], [], collections.Counter()
        self.openings, self.widths = collections.defaultdict(list), collections.defaultdict(list)

    def add(self, truth, found):
        """`truth`: FaceMesh faces (n, 159, 3) of a frame; `found`: our faces, as parsed JSON."""
        self.frames += 1
        points = [np.array(face["landmarks"]) for face in found]
        used = set()
        for number in (face["number"] for face in found):
            self.tracks[number] += 1
        for face in truth:
            scale, rotation, _ = self.layout.pose(face)
            yaw = np.degrees(np.arctan2(-rotation[0, 2], rotation[2, 2]))
            overlaps = [overlap(face, p) for p in points]
            best = int(np.argmax(overlaps)) if overlaps else -1
            used |= {k for k, value in enumerate(overlaps) if value > 0.2}
            if np.ptp(face[:, 0]) < 64 or abs(yaw) > 45:
                continue
            self.faces += 1
            if best < 0 or overlaps[best] < 0.35:
                self.missed += 1
                continue
            ours, track = points[best], found[best]["number"]
            difference = (ours - face)[:40, :2] / scale
            self.lips.append(np.linalg.norm(difference, axis=1).mean())
            self.shift.append((ours - face)[85:123, :2].mean(0) / scale)
            self.turn.append(abs(found[best]["head_pose"][1] - yaw))
            our_scale = self.layout.pose(ours)[0]
            self.openings[track].append((opening(ours, our_scale), opening(face, scale)))
            self.widths[track].append((width(ours, our_scale), width(face, scale)))
        self.loose += len(points) - len(used)

    def row(self, name):
        def r(pairs):
            longest = max(pairs.values(), key=len, default=[])
            return f"{correlation(longest):.3f}" if len(longest) > 10 else "-"

        mean = lambda values, scale=1: f"{scale * np.mean(values):.2f}" if len(values) else "-"
        shift = "%.1f %.1f" % tuple(100 * np.mean(self.shift, 0)) if self.shift else "-"
        missed = f"{100 * self.missed / self.faces:.1f}" if self.faces else "-"
        return (name, self.frames, self.faces, missed, mean(self.lips, 100), shift, r(self.openings), r(self.widths),
                mean(self.turn), f"{self.loose / max(self.frames, 1):.3f}", len(self.tracks))


def compare(teacher, tracked, layout):
    truth = np.load(teacher)
    by_frame = collections.defaultdict(list)
    for face, k in zip(truth["points"][:, layout.indexes].astype(np.float64), truth["frame"]):
        by_frame[int(k)].append(face)
    clip = Clip(layout)
    with open(tracked) as lines:
        for line in map(json.loads, lines):
            k = line["frame"]
            if k < truth["frames"] and k % int(truth["step"]) == 0:
                clip.add(by_frame[k], line["faces"])
    return clip


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", required=True, help="folder of CLIP.npz, made by teacher.py")
    parser.add_argument("--tracked", required=True, help="folder of CLIP.jsonl, the output of viseme faces")
    parser.add_argument("--canonical", required=True, help="canonical_face.npy")
    options = parser.parse_args()
    layout = Layout(HERE / "points.json", options.canonical)
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    faces = missed = 0
    for tracked in sorted(pathlib.Path(options.tracked).glob("*.jsonl")):
        clip = compare(pathlib.Path(options.teacher) / f"{tracked.stem}.npz", tracked, layout)
        print("| " + " | ".join(str(value) for value in clip.row(tracked.stem)) + " |", flush=True)
        faces, missed = faces + clip.faces, missed + clip.missed
    print(f"\nmissed in all: {100 * missed / max(faces, 1):.2f} % of {faces} faces")


if __name__ == "__main__":
    main()
