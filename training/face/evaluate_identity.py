"""Measure embedders on clips and portraits of people whom ours never saw, as the product aligns them.

The faces come from `viseme faces CLIP --landmarks --quiet > TRACKED/CLIP.jsonl` (portraits likewise). `merged` counts what shows two
people and lies above the threshold, `torn` what shows one and lies below it: single pictures, half a track against a single picture
(a reference), and half a track against half a track (mean cosines, as the product takes them).
"""

import argparse
import json
import pathlib

import cv2
import numpy as np
import onnxruntime

from identity_batches import SIDE, alignment
from verification import directions, equal_error

HERE = pathlib.Path(__file__).parent
FRAMES = 12  # pictures of each track, evenly spread
# The same person under several clips or tracks (clip:track). Every other track is a person of its own.
SAME = [["st_aoc_512.mp4:1", "vx_aoc_512.mp4:1", "vr_3_590.mp4:1"],
        ["lp_s13_portrait_fullbody.mp4:1", "lp_s13_portrait_fullbody.mp4:2"]]
# Tracks of which it cannot be seen whether they are somebody else, dogs and a monkey.
UNCLEAR = {"fr_hamilton_cuts_360p.mp4:1", "fr_hamilton_cuts_360p.mp4:3", "asl_thanks_480p.mkv:1",
           "liveportrait_s22.jpg:1", "liveportrait_s30.jpg:1", "liveportrait_s31.jpg:1"}
THRESHOLDS = np.arange(0.2, 0.61, 0.02)


def five_points(landmarks, indexes):
    at = lambda a, b: (landmarks[indexes.index(a)] + landmarks[indexes.index(b)]) / 2
    return np.array([at(33, 133), at(362, 263), at(1, 1), at(61, 61), at(291, 291)])[:, :2]


def faces(folder, media, indexes):
    """(clip:track, frame, aligned face) of everything that was followed in the clips of a folder."""
    for path in sorted(pathlib.Path(folder).glob("*.jsonl")):
        seen = {}
        for line in path.read_text().splitlines():
            record = json.loads(line)
            for face in record["faces"]:
                if face["confidence"] > 0.5:
                    seen.setdefault(face["number"], {})[record["frame"]] = np.array(face["landmarks"])
        wanted = {n: set(np.array(list(t))[np.unique(np.linspace(0, len(t) - 1, FRAMES).astype(int))].tolist()) for n, t in seen.items()}
        video = cv2.VideoCapture(str(pathlib.Path(media) / path.stem))
        for k in range(max((max(w) for w in wanted.values()), default=-1) + 1):
            found, frame = video.read()
            if not found:
                break
            for number in [n for n, frames in wanted.items() if k in frames]:
                # Landmarks count from the edge of the frame, OpenCV from the middle of the first pixel.
                matrix = alignment(five_points(seen[number][k], indexes) - 0.5)
                yield f"{path.stem}:{number}", k, cv2.warpAffine(frame[..., ::-1], matrix, (SIDE, SIDE))


def embed(path, pictures):
    """Directions (n, d). MobileFaceNet's input is normalised as ImageNet's; ours goes from -1 to 1."""
    session = onnxruntime.InferenceSession(str(path))
    values = pictures.astype(np.float32)
    if "MobileFaceNet" in str(path):
        values = (values / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    else:
        values = values / 127.5 - 1
    values, name = values.transpose(0, 3, 1, 2).astype(np.float32), session.get_inputs()[0].name
    return directions(np.concatenate([session.run(None, {name: value[None]})[0] for value in values]))


def extremes(cosines, tracks, rows, largest):
    """The pairs of tracks with the most extreme cosines among the pairs in `rows`."""
    found = {}
    order = np.argsort(cosines[rows])
    for k in (order[::-1] if largest else order)[:4000]:
        pair = tuple(sorted((tracks[rows[0][k]], tracks[rows[1][k]])))
        found.setdefault(pair, cosines[rows][k])
    return [f"{value:.2f} {a} {b}" for (a, b), value in list(found.items())[:8]]


def right_of_two(cosines, people):
    """For each two people: how often a picture lies nearer its own reference than the other's. The mean, how many pairs reach 98 %, the worst.

    One reference is one picture of a track, in turn each; as in a video of the two with reference pictures of both.
    """
    shares = {}
    kinds = sorted(set(people))
    at = {p: np.flatnonzero(people == p) for p in kinds}
    for i, a in enumerate(kinds):
        for b in kinds[:i]:
            if len(at[a]) < 2 or len(at[b]) < 2:
                continue
            right = []
            for own, other in ((at[a], at[b]), (at[b], at[a])):
                near = cosines[np.ix_(own, own)][~np.eye(len(own), dtype=bool)].reshape(len(own), -1)
                right.append((near[:, :, None] > cosines[np.ix_(own, other)][:, None]).mean())
            shares[a, b] = np.mean(right)
    ranked = sorted(shares, key=shares.get)
    return np.mean(list(shares.values())), np.mean([s >= 0.98 for s in shares.values()]), [f"{shares[p]:.3f} {p[0]} {p[1]}" for p in ranked[:6]]


def halves(tracks):
    """The pictures of the first and of the second half of each track; those of a portrait are one."""
    parts = [part for track in dict.fromkeys(tracks.tolist()) for part in np.array_split(np.flatnonzero(tracks == track), 2)]
    return [part for part in parts if len(part)]


def comparisons(faces_, tracks, people):
    """Cosines of one person, of one person in two clips, and of two people, for each way of comparing."""
    parts = halves(tracks)
    means = np.stack([faces_[part].mean(0) for part in parts])
    first = np.array([part[0] for part in parts])
    inside = np.zeros((len(faces_), len(parts)), bool)
    for k, part in enumerate(parts):
        inside[part, k] = True
    every = np.arange(len(faces_))
    ways = {"two pictures": (faces_ @ faces_.T, every, every, np.triu(np.ones((len(faces_),) * 2, bool), 1)),
            "half a track and a picture": (faces_ @ means.T, every, first, ~inside),
            "two halves": (means @ means.T, first, first, np.triu(np.ones((len(parts),) * 2, bool), 1))}
    for name, (cosines, left, right, chosen) in ways.items():
        same = people[left][:, None] == people[right][None]
        near = tracks[left][:, None] == tracks[right][None]
        yield name, cosines[chosen & near], cosines[chosen & same & ~near], cosines[chosen & ~same]


def show(name, faces_, tracks, people):
    print(f"\n{name}")
    for way, own, across, other in comparisons(faces_, tracks, people):
        error, threshold = equal_error(np.concatenate([own, across]), other)
        print(f"  {way}: {len(own)} of one track, {len(across)} of one person in two, {len(other)} of two people; equal error {100 * error:.2f} % at {threshold:.2f}")
        print("    threshold  torn in a track  torn between tracks  merged")
        for t in THRESHOLDS:
            print(f"    {t:9.2f} {100 * np.mean(own < t):14.2f} % {100 * np.mean(across < t):18.1f} % {100 * np.mean(other >= t):6.2f} %")
    cosines = faces_ @ faces_.T
    upper = np.triu(np.ones_like(cosines, bool), 1)
    same, one_track = people[:, None] == people[None], tracks[:, None] == tracks[None]
    average, sure, hardest = right_of_two(cosines, people)
    print(f"  two people, a reference of each: {100 * average:.2f} % right; at least 98 % in {100 * sure:.1f} % of the pairs of people; worst {hardest}")
    print("  likest strangers", extremes(cosines, tracks, np.nonzero(upper & ~same), True))
    print("  most torn", extremes(cosines, tracks, np.nonzero(upper & one_track), False))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracked", nargs="+", required=True, help="folders of .jsonl files")
    parser.add_argument("--media", nargs="+", required=True, help="the folder of the clips of each")
    parser.add_argument("--nets", nargs="+", required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    indexes = json.loads((HERE / "points.json").read_text())
    found = [face for pair in zip(options.tracked, options.media) for face in faces(*pair, indexes)]
    found = [face for face in found if face[0] not in UNCLEAR]
    tracks, pictures = np.array([face[0] for face in found]), np.stack([face[2] for face in found])
    of = {track: group[0] for group in SAME for track in group}
    people = np.array([of.get(track, track) for track in tracks])
    print(len(pictures), "pictures,", len(set(tracks)), "tracks,", len(set(people)), "people")
    for net in options.nets:
        show(net, embed(net, pictures), tracks, people)


if __name__ == "__main__":
    main()
