"""Renders heads of many persons with the 478 FaceMesh points known exactly, as training data for the face nets.

    python labelled_heads.py render --model FaceXModel --out shards --count 30
    python labelled_heads.py merge  --shards shards --out rendered.npz

A shard holds 100 pictures; see README.md for its keys. An interrupted run goes on with the missing shards.
"""
import argparse
import glob
import json
import os
import sys
import time

import bpy
import cv2
import numpy as np
from mathutils.bvhtree import BVHTree

import casting
import props
import stage
from actor import Actor
from correspondence import Correspondence
from face_model import FaceModel
from framing import Framing

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "face"))
from backgrounds import drawn  # noqa: E402

SIZE, SHARD, SAMPLES = 176, 100, 4
LIPS = 40  # the first of the points in points.json


class Set:
    """Actor, props, lights and camera, and the picture they make."""

    def __init__(self, model_folder, map_path, scratch):
        stage.clear()
        stage.renderer(SIZE, SIZE, SAMPLES)
        scene = bpy.context.scene
        scene.render.film_transparent, scene.render.image_settings.color_mode = True, "RGBA"
        scene.render.image_settings.compression = 0
        self.model, self.map, self.scratch = FaceModel(model_folder), Correspondence(map_path), scratch
        with open(os.path.join(HERE, "..", "face", "points.json"), encoding="ascii") as handle:
            self.lips = json.load(handle)[:LIPS]
        self.actor = Actor(self.model, casting.look(np.random.default_rng(0)))
        self.props = props.Props()
        self.camera = stage.camera((0, 1, 100), (0, 0, 5), 30)
        self.lights = [stage.area_light(name, (0, 0, 100), (0, 0, 5), 40, 1.0) for name in ("key", "fill", "rim")]

    def cast(self, number, seed):
        """The person `number` comes on the set."""
        rng = np.random.default_rng([seed, 1, number])
        self.look = casting.look(rng)
        self.actor.recast(casting.coefficients(rng), self.look, number)
        rest = self.actor.head.rest
        self.rims = self.look["glasses"] and props.frames(self.look["glasses"], rest, self.model)
        self.cap = self.look["hat"] and props.cap(self.look["hat"], self.model, rest)

    def picture(self, rng):
        """One labelled picture as a dict of the keys of a shard."""
        expression, tongue = casting.face(rng)
        yaw, pitch, roll = casting.angles(rng)
        turned = rng.uniform(0, 0.6)  # part of the yaw that is the camera's
        angles = (yaw * (1 - turned), pitch, roll)
        lift = rng.normal(0, 6)
        gaze = (yaw, -lift - pitch) if rng.random() < 0.5 else rng.normal(0, 12, 2)
        vertices = self.actor.show(expression, angles, np.clip(gaze, -28, 28), tongue)
        points = self.map.points(vertices)
        far, towards = np.exp(rng.uniform(np.log(38), np.log(220))), casting.towards(-yaw * turned, lift)
        zoom, shift = float(np.exp(rng.normal(0, 0.04))), rng.normal(0, 0.012, 2)
        framing = Framing(self.camera, SIZE, points.mean(0) + far * towards, points, zoom, shift)
        self._wear(angles)
        name, shape = self._prop(rng, vertices, expression, angles, points[self.lips].mean(0), towards)
        exposure = self._light(rng, points.mean(0))
        labels = self.map.label(vertices, framing)
        image, alpha = self._shoot(rng, exposure)
        return {"images": image, "alpha": alpha, "points": labels, "covered": covered(shape, framing, labels[self.lips], points[self.lips]),
                "prop": name, "yaw": yaw}

    def _wear(self, angles):
        place = lambda shape: shape and (self.actor.head.place(shape[0], angles), shape[1])
        design, cap = self.look["glasses"] or {}, self.look["hat"] or {}
        rims, lenses = self.rims or (None, None)
        self.props.set("frames", place(rims), design.get("colour"), 0.25)
        self.props.set("lenses", place(lenses) if design.get("lens") is not None else None, design.get("lens"), 0.08)
        self.props.set("hat", place(self.cap), cap.get("colour"), 0.9)

    def _prop(self, rng, vertices, expression, angles, mouth, towards):
        """Puts something before the mouth in about a third of the pictures: (name or "", shape or None)."""
        if rng.random() > 0.35:
            self.props.set("prop", None)
            return "", None
        name, colour, rough = str(rng.choice(casting.PROPS)), rng.uniform(0.01, 0.8, 3), rng.uniform(0.15, 0.9)
        if name == "mask":
            jaw = expression.get("jawOpen", 0.0)
            closed = self.actor.head.pose({"jawOpen": jaw, "mouthClose": 0.94 * jaw}, angles)
            shape, rough = props.mask(self.model, closed, rng), 0.9
            colour = rng.choice(np.array([(0.75, 0.75, 0.75), (0.25, 0.5, 0.65), (0.01, 0.01, 0.01), colour]))
        elif name == "scarf":
            shape, rough = props.scarf(rng, vertices), 0.95
        else:
            points, faces = getattr(props, name)(rng)
            away = {"microphone": rng.uniform(2, 6), "hand": rng.uniform(1.2, 5), "cup": rng.uniform(2.5, 5), "phone": rng.uniform(2, 9)}[name]
            shift = rng.normal(0, 1.8, 3) * [1, 1, 0] + ([0, -2.2, 0] if name in ("microphone", "cup") else [0, 0, 0])
            shape = (points + mouth + towards * away + shift, faces)
            if name == "microphone":
                colour = np.full(3, rng.uniform(0.005, 0.08)) if rng.random() < 0.75 else colour
            elif name == "hand":
                colour, rough = self.look["skin"] * rng.uniform(0.8, 1.2), 0.55
        self.props.set("prop", shape, colour, rough)
        return name, shape

    def _light(self, rng, middle):
        """Sets lamps and ambient light; returns the exposure, 1 usual."""
        lamps, (colour, strength), exposure = casting.lights(rng)
        bright = exposure * (0.3 / self.look["skin"].mean()) ** 0.35
        for thing, (towards, size, power, tint) in zip(self.lights, lamps):
            stage.aim(thing, middle + 100 * towards, middle)
            thing.data.size, thing.data.energy, thing.data.color = size, 75000 * power * bright, np.clip(tint, 0, 3)
        stage.ambient(np.clip(colour, 0, 2), strength * bright)
        bpy.context.scene.view_settings.view_transform = "AgX" if rng.random() < 0.35 else "Standard"
        return exposure

    def _shoot(self, rng, exposure):
        bpy.context.scene.cycles.seed = int(rng.integers(1 << 30))
        stage.render(self.scratch)
        shot = cv2.imread(self.scratch, cv2.IMREAD_UNCHANGED)
        alpha = shot[..., 3:].astype(np.float32) / 255
        behind = drawn(SIZE, SIZE, rng).astype(np.float32) * np.clip(exposure ** 0.45 * rng.uniform(0.3, 1.3), 0, 1)
        if rng.random() < 0.7:
            behind = cv2.GaussianBlur(behind, (0, 0), rng.uniform(1, 8))
        return np.clip(shot[..., 2::-1] * alpha + behind * (1 - alpha) + 0.5, 0, 255).astype(np.uint8), shot[..., 3]


def covered(shape, framing, lips, places):
    """Part 0..1 of the area of the lips' convex hull (pixels `lips`) that `shape` hides; `places` are the lips in space."""
    if shape is None:
        return 0.0
    scale = 3  # samples per pixel and axis
    area = np.zeros((SIZE * scale, SIZE * scale), np.uint8)
    cv2.fillConvexPoly(area, cv2.convexHull((lips[:, :2] * scale).astype(np.float32)).astype(np.int32), 1)
    rows, columns = np.nonzero(area)
    if not len(rows):
        return 0.0
    pick = np.linspace(0, len(rows) - 1, min(len(rows), 400)).astype(int)
    pixels = (np.stack([columns[pick], rows[pick]], 1) + 0.5) / scale
    tree = BVHTree.FromPolygons(shape[0].tolist(), [[int(i) for i in face if i >= 0] for face in shape[1]])
    reach = np.linalg.norm(places.mean(0) - framing.position) + 1.5  # cm: not what is behind the lips
    hits = [tree.ray_cast(framing.position.tolist(), ray.tolist(), reach)[2] is not None for ray in framing.rays(pixels)]
    return float(np.mean(hits))


def render(options):
    scratch = os.path.join("/dev/shm" if os.path.isdir("/dev/shm") else options.out, f"labelled_head_{os.getpid()}.png")
    os.makedirs(options.out, exist_ok=True)
    stage_set = Set(options.model, options.map, scratch)
    for shard in range(options.first, options.first + options.count):
        path = os.path.join(options.out, f"{shard:03d}.npz")
        if os.path.exists(path):
            continue
        begin, rows = time.time(), []
        for index in range(shard * SHARD, shard * SHARD + options.pictures):
            if index % options.per_person == 0:
                stage_set.cast(index // options.per_person, options.seed)
            rows.append({**stage_set.picture(np.random.default_rng([options.seed, 2, index])), "identity": index // options.per_person})
        kinds = {"covered": np.float32, "yaw": np.float32, "identity": np.int32}
        with open(path + ".part", "wb") as handle:
            np.savez_compressed(handle, **{key: np.array([row[key] for row in rows], kinds.get(key)) for key in rows[0]})
        os.replace(path + ".part", path)
        print(f"shard {shard} {(time.time() - begin) / len(rows):.2f} s per picture", flush=True)
    if os.path.exists(scratch):
        os.remove(scratch)


def merge(options):
    shards = [np.load(path) for path in sorted(glob.glob(os.path.join(options.shards, "*.npz")))]
    np.savez(options.out, **{key: np.concatenate([shard[key] for shard in shards]) for key in shards[0].files})
    print(len(shards), "shards")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["render", "merge"])
    parser.add_argument("--model", help="FaceXModel folder of ICT-FaceKit")
    parser.add_argument("--map", default=os.path.join(HERE, "facemesh_on_ict.npz"))
    parser.add_argument("--out", required=True, help="folder of the shards, or the merged file")
    parser.add_argument("--shards", help="folder of the shards to merge")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=30, help="shards")
    parser.add_argument("--pictures", type=int, default=SHARD, help="pictures in each shard (fewer for a look)")
    parser.add_argument("--per-person", type=int, default=2, help="pictures of each person; divides 100")
    parser.add_argument("--seed", type=int, default=2)
    options = parser.parse_args()
    render(options) if options.action == "render" else merge(options)


if __name__ == "__main__":
    main()
