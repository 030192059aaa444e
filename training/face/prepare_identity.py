"""Gather what the embedder learns from: faces with their points and the number of the person, as plain .npy files.

Stills and clips get copies turned in depth. Rendered heads join as persons of their own. Writes `train_*` and `held_*`.
"""

import argparse
import pathlib

import numpy as np

from crops import Crops, Layout
from people import held_out_persons, persons, usable
from rendered import DARKEST
from views import add_views

HERE = pathlib.Path(__file__).parent
STILL_VIEWS, CLIP_VIEWS = 6, 1  # turned copies of a still, and of a picture of a clip
COVERED, TURNED = 0.6, 55  # rendered heads with more of the lips hidden, or turned by more degrees, are left out


def rendered(folders, least=2):
    """Images, points and person of the rendered heads; persons with fewer than `least` pictures are left out."""
    images, points, people, base = [], [], [], 0
    for folder in folders:
        shards = [np.load(path) for path in sorted(pathlib.Path(folder).glob("*.npz"))]
        joined = {name: np.concatenate([shard[name] for shard in shards]) for name in ("images", "points", "covered", "identity", "yaw")}
        light = joined["images"][:, 60:120, 60:120].mean((1, 2, 3)) > DARKEST
        good = light & (joined["covered"] < COVERED) & (np.abs(joined["yaw"]) < TURNED)
        count = np.bincount(joined["identity"][good], minlength=joined["identity"].max() + 1)
        good &= count[joined["identity"]] >= least
        images.append(joined["images"][good])
        points.append(joined["points"][good])
        people.append(joined["identity"][good] + base)
        base += joined["identity"].max() + 1
    return np.concatenate(images), np.concatenate(points), np.concatenate(people)


def real(options, layout):
    """Images, points, names of persons, and whether each is held out, with turned copies of those that are not."""
    crops = Crops(options.data, options.labels, options.tiers)
    chosen = np.array([usable(clip) for clip in crops.clips])
    images, points, clips = crops.images[chosen], crops.points[chosen], crops.clips[chosen]
    of = persons(clips.tolist())
    names, held = np.array([of[clip] for clip in clips]), held_out_persons(of)
    held = np.array([name in held for name in names])
    stacks = [(images, points, names, held)]
    rng, still = np.random.default_rng(0), np.char.startswith(clips, "img_")
    lesson = np.char.startswith(clips, "lipread")
    for part, count in ((still & ~held, STILL_VIEWS), (~still & ~held & ~lesson, CLIP_VIEWS)):
        yaws = [np.arcsin(np.clip(layout.pose(p[layout.indexes].astype(np.float64))[1][0, 2], -1, 1)) for p in points[part]]
        turned, moved = add_views(images[part], points[part], yaws, count, rng)
        stacks.append((turned, moved, np.repeat(names[part], count), np.zeros(len(turned), bool)))
    return [np.concatenate(arrays) for arrays in zip(*stacks)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with face_crops.npz, SOURCES.tsv and canonical_face.npy")
    parser.add_argument("--labels", required=True, help="written by relabel.py")
    parser.add_argument("--shards", nargs="*", default=[], help="folders of rendered heads, one for each seed they were cast with")
    parser.add_argument("--tiers", default="ABC")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    layout = Layout(HERE / "points.json", pathlib.Path(options.data) / "canonical_face.npy")
    images, points, names, held = real(options, layout)
    _, person = np.unique(names, return_inverse=True)
    heads = np.zeros(len(images), bool)
    if options.shards:
        more, moved, people = rendered(options.shards)
        heads = np.concatenate([heads, np.ones(len(more), bool)])
        held = np.concatenate([held, people % 10 == 9])
        images, points = np.concatenate([images, more]), np.concatenate([points, moved])
        person = np.concatenate([person, people + person.max() + 1])
    for start, part in (("train", ~held), ("held", held)):
        _, number = np.unique(person[part], return_inverse=True)
        np.save(out / f"{start}_images.npy", images[part])
        np.save(out / f"{start}_points.npy", points[part].astype(np.float32))
        np.save(out / f"{start}_person.npy", number.astype(np.int32))
        np.save(out / f"{start}_rendered.npy", heads[part])
        print(start, part.sum(), "pictures of", len(np.unique(number[~heads[part]])), "people and", len(np.unique(number[heads[part]])), "rendered heads")


if __name__ == "__main__":
    main()
