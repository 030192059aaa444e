"""Add rendered heads to a folder that prepare.py wrote: rendered_*.npy for training, rendered_held_*.npy of people held out."""

import argparse
import pathlib

import numpy as np

COVERED, UNCOVERED = 0.35, 0.02  # part of the lips that a prop hides: covered above, visible below
DARKEST = 12  # grey levels: heads whose middle is darker show nothing
HELD = 10  # one person in so many is held out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", required=True, help="folder of npz files: images (n,176,176,3) RGB, points (n,478,3), covered (n,), identity (n,)")
    parser.add_argument("--share", type=float, default=0.3, help="weight of the rendered heads among all faces")
    parser.add_argument("--out", required=True, help="folder written by prepare.py")
    options = parser.parse_args()
    shards = [np.load(path) for path in sorted(pathlib.Path(options.shards).glob("*.npz"))]
    joined = {name: np.concatenate([shard[name] for shard in shards]) for name in ("images", "points", "covered", "identity")}
    light = joined["images"][:, 60:120, 60:120].mean((1, 2, 3)) > DARKEST
    hidden = joined["covered"]
    visible = np.where(hidden > COVERED, 0.0, np.where(hidden < UNCOVERED, 1.0, np.nan)).astype(np.float32)
    held = joined["identity"] % HELD == HELD - 1
    out = pathlib.Path(options.out)
    weight = np.load(out / "weights.npy").sum() * options.share / (1 - options.share) / (light & ~held).sum()
    for start, chosen in (("rendered_", light & ~held), ("rendered_held_", light & held)):
        np.save(out / f"{start}images.npy", joined["images"][chosen])
        np.save(out / f"{start}points.npy", joined["points"][chosen].astype(np.float32))
        np.save(out / f"{start}visible.npy", visible[chosen])
        np.save(out / f"{start}weights.npy", np.full(chosen.sum(), weight, np.float32))
        print(start, chosen.sum(), "covered", (visible[chosen] == 0).sum())


if __name__ == "__main__":
    main()
