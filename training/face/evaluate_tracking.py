"""Compare what `viseme faces VIDEO --json --landmarks` printed with FaceMesh, clip by clip.

Distances are in per cent of the outer eye corners' distance, corrected for yaw, as in evaluate.py. A FaceMesh face counts
when it is at least 64 pixels wide and turned by less than 45 degrees. "Loose" faces are ours where FaceMesh has none: on
clips without faces they are false, elsewhere often true faces that FaceMesh does not see. "Covered" is the share of frames
whose lips count as covered; `covered_frames.tsv` says, by eye, in which frames of which clips they are; in the clips that it
does not name they are in plain sight.
"""

import argparse
import collections
import csv
import json
import pathlib

import numpy as np

from crops import Layout

HERE = pathlib.Path(__file__).parent
COVERED = 0.4  # below this much certainty that the lips are visible the product leaves a mouth alone (segments.rs)
MOVING = 0.02  # canonical units: least standard deviation of the opening in clips whose lips move
GAPS = ((25, 35, 0.5), (24, 34, 0.25), (26, 36, 0.25))  # upper and lower inner lip, weight
COLUMNS = ("clip", "frames", "faces", "missed %", "lips %", "shift %", "open r", "width r", "pose", "loose/frame", "tracks", "covered %")


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

    def __init__(self, layout, states=()):
        """`states`: (first frame, last frame, what the lips are in them)."""
        self.states, self.visible = states, collections.defaultdict(list)
        self.layout, self.frames, self.faces, self.missed, self.loose = layout, 0, 0, 0, 0
        self.lips, self.shift, self.turn, self.tracks = [], [], [], collections.Counter()
        self.openings, self.widths = collections.defaultdict(list), collections.defaultdict(list)

    def state(self, frame):
        return next((state for first, last, state in self.states if first <= frame <= last), "other" if self.states else "clear")

    def add(self, frame, truth, found):
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
            unit = np.linalg.norm(face[85, :2] - face[88, :2]) / max(0.5, np.cos(np.radians(yaw)))
            difference = (ours - face)[:40, :2] / unit
            self.lips.append(np.linalg.norm(difference, axis=1).mean())
            self.shift.append((ours - face)[85:123, :2].mean(0) / unit)
            self.turn.append(abs(found[best]["head_pose"][1] - yaw))
            self.visible[self.state(frame)].append(found[best]["mouth_visible"])
            our_scale = self.layout.pose(ours)[0]
            self.openings[track].append((opening(ours, our_scale), opening(face, scale)))
            self.widths[track].append((width(ours, our_scale), width(face, scale)))
        self.loose += len(points) - len(used)

    def longest(self, pairs):
        """Ours and the teacher's values along the longest track, if it is long enough to correlate."""
        pairs = max(pairs.values(), key=len, default=[])
        return pairs if len(pairs) > 20 else []

    def moving_r(self):
        """Correlation of the opening, or None where the teacher sees none."""
        pairs = np.array(self.longest(self.openings)).reshape(-1, 2)
        return correlation(pairs) if len(pairs) and pairs[:, 1].std() > MOVING else None

    def row(self, name):
        def r(pairs):
            pairs = self.longest(pairs)
            return f"{correlation(pairs):.3f}" if pairs else "-"

        mean = lambda values, scale=1: f"{scale * np.mean(values):.2f}" if len(values) else "-"
        shift = "%.1f %.1f" % tuple(100 * np.mean(self.shift, 0)) if self.shift else "-"
        seen = [v for values in self.visible.values() for v in values]
        covered = f"{100 * np.mean(np.array(seen) < COVERED):.1f}" if seen else "-"
        missed = f"{100 * self.missed / self.faces:.1f}" if self.faces else "-"
        return (name, self.frames, self.faces, missed, mean(self.lips, 100), shift, r(self.openings), r(self.widths),
                mean(self.turn), f"{self.loose / max(self.frames, 1):.3f}", len(self.tracks), covered)


def compare(teacher, tracked, layout, states):
    truth = np.load(teacher)
    by_frame = collections.defaultdict(list)
    for face, k in zip(truth["points"][:, layout.indexes].astype(np.float64), truth["frame"]):
        by_frame[int(k)].append(face)
    clip = Clip(layout, states)
    with open(tracked) as lines:
        for line in map(json.loads, lines):
            k = line["frame"]
            if k < truth["frames"] and k % int(truth["step"]) == 0:
                clip.add(k, by_frame[k], line["faces"])
    return clip


def summary(clips):
    """The main figures over all clips."""
    counted = [c for c in clips if len(c.lips) > 20]
    r = [value for c in counted if (value := c.moving_r()) is not None]
    faces, missed = sum(c.faces for c in clips), sum(c.missed for c in clips)
    yield f"missed {100 * missed / max(faces, 1):.2f} % of {faces} faces"
    yield f"lips {100 * np.mean([np.mean(c.lips) for c in counted]):.2f} % (mean of {len(counted)} clips)"
    yield f"opening r mean {np.mean(r):.3f}, median {np.median(r):.3f} (of {len(r)} clips whose lips move)"
    for state in ("clear", "partly", "covered"):
        values = np.array([v for c in clips for v in c.visible[state]])
        yield f"lips {state}: {100 * np.mean(values < COVERED):.1f} % of {len(values)} frames counted as covered"


def labelled(path):
    states = collections.defaultdict(list)
    with open(path, newline="") as handle:
        for row in csv.DictReader(handle, delimiter="\t"):
            states[row["clip"]].append((int(row["first"]), int(row["last"]), row["state"]))
    return states


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", required=True, help="folder of CLIP.npz, made by teacher.py")
    parser.add_argument("--tracked", required=True, help="folder of CLIP.jsonl, the output of viseme faces")
    parser.add_argument("--canonical", required=True, help="canonical_face.npy")
    options = parser.parse_args()
    layout, states = Layout(HERE / "points.json", options.canonical), labelled(HERE / "covered_frames.tsv")
    print("| " + " | ".join(COLUMNS) + " |\n|" + " --- |" * len(COLUMNS))
    clips = []
    for tracked in sorted(pathlib.Path(options.tracked).glob("*.jsonl")):
        clip = compare(pathlib.Path(options.teacher) / f"{tracked.stem}.npz", tracked, layout, states[tracked.stem])
        print("| " + " | ".join(str(value) for value in clip.row(tracked.stem)) + " |", flush=True)
        clips.append(clip)
    print("", *summary(clips), sep="\n")


if __name__ == "__main__":
    main()
