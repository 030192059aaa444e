"""Where the 478 points of MediaPipe FaceMesh lie on the mesh of ICT-FaceKit: found on plain renders, kept in a file.

    python fit_correspondence.py fit   --model FaceXModel --out facemesh_on_ict.npz --pictures folder
    python fit_correspondence.py check --model FaceXModel --map facemesh_on_ict.npz --pictures folder

A point is found by casting FaceMesh's result through the known camera on the mesh and taking the median over the
renders, in a pose with an open mouth so that the lips lie apart. `check` needs nothing of `fit` but its file.
"""
import argparse
import json
import os

import bpy  # noqa: F401 (brings mathutils)
import cv2
import mediapipe
import numpy as np
from mathutils.bvhtree import BVHTree

import casting
import stage
from actor import Actor
from correspondence import Correspondence
from face_model import LANDMARKS, POLYGONS, VERTICES, FaceModel
from framing import Framing

HERE = os.path.dirname(os.path.abspath(__file__))
SIDE = 352
EXPRESSIONS = [{}, {"jawOpen": 0.5}, {"jawOpen": 0.35, "mouthSmile": 0.6}, {"jawOpen": 0.3, "mouthStretch": 0.6},
               {"jawOpen": 0.3, "mouthFunnel": 0.5}, {"jawOpen": 0.8}]
UPPER_INNER = [191, 80, 81, 82, 13, 312, 311, 310, 415]
LOWER_INNER = [95, 88, 178, 87, 14, 317, 402, 318, 324]
UPPER_OUTER = [185, 40, 39, 37, 0, 267, 269, 270, 409]
LOWER_OUTER = [146, 91, 181, 84, 17, 314, 405, 321, 375]
CORNERS = [61, 291, 78, 308]
IRISES = range(468, 478)
REFERENCE = {"jawOpen": 0.6}  # the pose in which places are averaged


def triangles(polygons):
    quads = polygons[polygons[:, 3] >= 0]
    return np.concatenate([polygons[:, :3], quads[:, [0, 2, 3]]])


class Region:
    """Triangles (m,3) of the mesh, in one pose of its vertices, that rays can be cast on."""

    def __init__(self, vertices, faces):
        self.vertices, self.faces = vertices, faces
        self.tree = BVHTree.FromPolygons(vertices.tolist(), faces.tolist())

    def nearest(self, point):
        """(vertex ids, weights) of the place nearest to a point."""
        place, _, number, _ = self.tree.find_nearest(point.tolist())
        return self.faces[number], barycentric(self.vertices[self.faces[number]], np.array(place))

    def cast(self, origin, direction):
        """(vertex ids, weights) where the ray meets the region or passes nearest to it; whether it met."""
        place, _, number, _ = self.tree.ray_cast(origin.tolist(), direction.tolist())
        if number is not None:
            return *(self.nearest(np.array(place))), True
        centres = self.vertices[self.faces].mean(1) - origin
        reach = centres @ direction
        away = np.linalg.norm(centres - reach[:, None] * direction, axis=1)
        return *self.nearest(origin + direction * reach[away.argmin()]), False


class Regions:
    """The part of the mesh on which each FaceMesh point may lie."""

    def __init__(self, model):
        skin = triangles(model.faces[slice(*POLYGONS["skin"])])
        front = model.neutral[skin, 2].mean(1) > 0  # rays through an open eye or mouth must not reach the back of the head
        jaw = np.linalg.norm(model.shapes[model.shape_names.index("jawOpen")], axis=1)
        x, y, z = model.neutral.T
        near = (np.abs(x) < 4) & (y > -5.5) & (y < -1.8) & (z > 8.0)
        lips = skin[(skin < VERTICES["mouth_socket"][1]).all(1) & near[skin].all(1)]
        lower = (jaw > 0.45 * jaw[near].max())[lips]
        self.faces = {
            "skin": skin[(skin < VERTICES["mouth_socket"][0]).all(1) & front], "lips": lips, "upper": lips[~lower.any(1)], "lower": lips[lower.all(1)],
            "eyes": np.concatenate([triangles(model.faces[slice(*POLYGONS[f"sclera_{s}"])]) for s in ("left", "right")]),
        }
        self.name = ["skin"] * 478
        for names, indexes in (("eyes", IRISES), ("lips", CORNERS), ("upper", UPPER_INNER + UPPER_OUTER), ("lower", LOWER_INNER + LOWER_OUTER)):
            for index in indexes:
                self.name[index] = names

    def posed(self, vertices):
        """{name: Region} on posed vertices."""
        return {name: Region(vertices, faces) for name, faces in self.faces.items()}


def barycentric(triangle, point):
    """Weights (3,) of a point in the plane of a triangle (3,3), none negative."""
    a, b, c = triangle
    weights = np.linalg.lstsq(np.vstack([np.stack([a, b, c], 1), np.ones(3)]), np.append(point, 1), rcond=None)[0]
    weights = np.clip(weights, 0, None)
    return weights / weights.sum()


def plain_head(actor, rng, number):
    """Casts and poses a bald, shaven person; returns the vertices."""
    look = casting.look(rng)
    look.update(beard=None, style=None, stubble=0.0, hat=None, glasses=None)
    actor.recast(rng.normal(0, 0.8, 100), look, number)
    angles = (rng.normal(0, 7), rng.normal(0, 5), rng.normal(0, 2))
    return actor.show(EXPRESSIONS[number % len(EXPRESSIONS)], angles, gaze=(angles[0], -angles[1]))


def plain_renders(options, count, seed):
    """Well lit, nearly frontal heads on which FaceMesh finds a face.

    Yields (number, vertices, framing, FaceMesh's points (478,3) in pixels, path of the picture, model).
    """
    stage.clear()
    stage.renderer(SIDE, SIDE, 12)
    model, rng = FaceModel(options.model), np.random.default_rng(seed)
    actor = Actor(model, casting.look(np.random.default_rng(0)))
    camera = stage.camera((0, 1, 100), (0, 0, 5), 30)
    stage.area_light("key", (-25, 30, 90), (0, 0, 6), 60, 90000)
    stage.area_light("fill", (45, 0, 90), (0, 0, 6), 60, 60000)
    stage.ambient((1, 1, 1), 0.4)
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3)
    for number in range(count):
        vertices = plain_head(actor, rng, number)
        framing = Framing(camera, SIDE, (0, 1, rng.uniform(70, 130)), vertices[LANDMARKS], zoom=0.9)
        path = os.path.join(options.pictures, f"{options.action}{number:02d}.png")
        stage.render(path)
        found = mesh.process(cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)).multi_face_landmarks
        if found:
            yield number, vertices, framing, np.array([(p.x * SIDE, p.y * SIDE, p.z * SIDE) for p in found[0].landmark]), path, model


def fit(options):
    """Writes the places of the points, and prints how far they scatter."""
    places, offsets, regions = [], [], None
    for number, vertices, framing, found, _, model in plain_renders(options, 28, seed=1):
        regions = regions or Regions(model)
        reference, posed, row = model.express(model.neutral, REFERENCE), regions.posed(vertices), np.full((478, 3), np.nan)
        for index, ray in enumerate(framing.rays(found[:, :2])):
            if number % len(EXPRESSIONS) == 0 and index in UPPER_INNER + LOWER_INNER:
                continue  # closed lips hide their rims
            ids, weights, met = posed[regions.name[index]].cast(framing.position, ray)
            if met or index not in UPPER_OUTER + LOWER_OUTER:
                row[index] = weights @ reference[ids]
        places.append(row)
        offsets.append(found[:, 2].mean() / np.linalg.norm(found[33] - found[263]))
    median = np.nanmedian(np.array(places), 0)
    spread = np.nanmedian(np.linalg.norm(np.array(places) - median, axis=2), 0)
    print(f"renders {len(places)}, scatter in cm: median {np.median(spread):.2f}, worst {spread.max():.2f} (point {spread.argmax()})")
    posed = regions.posed(reference)
    ids, weights = zip(*(posed[regions.name[index]].nearest(median[index]) for index in range(478)))
    np.savez(options.out, ids=np.array(ids, np.int32), weights=np.array(weights, np.float32), depth_offset=np.mean(offsets))


def overlay(path, labels, found, indexes):
    picture = cv2.resize(cv2.imread(path), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    for points, colour in ((found, (0, 0, 255)), (labels, (0, 255, 0))):
        for index in indexes:
            cv2.circle(picture, tuple(int(round(v * 32)) for v in points[index, :2]), 24, colour, -1, cv2.LINE_AA, 4)
    return picture


def check(options):
    """Compares the labels with FaceMesh on renders that `fit` did not see, and draws both (green labels, red FaceMesh)."""
    with open(os.path.join(HERE, "..", "face", "points.json"), encoding="ascii") as handle:
        chosen = json.load(handle)
    places, errors, slopes, pictures = Correspondence(options.map), [], [], []
    for _, vertices, framing, found, path, _ in plain_renders(options, 12, seed=2):
        labels = places.label(vertices, framing)
        errors.append((labels - found)[chosen] / np.linalg.norm(found[33, :2] - found[263, :2]) * 100)
        slopes.append(np.polyfit(labels[chosen, 2], found[chosen, 2], 1)[0])
        pictures.append(overlay(path, labels, found, chosen))
    depth, errors = np.array(errors)[..., 2], np.linalg.norm(np.array(errors)[..., :2], axis=2)
    print(f"renders {len(errors)}; per cent of the outer-eye distance: all {errors.mean():.2f}, lips {errors[:, :40].mean():.2f}, inner lips "
          f"{errors[:, 20:40].mean():.2f}, depth {np.abs(depth).mean():.2f}; FaceMesh's depth over the label's {np.mean(slopes):.2f}")
    for first in range(0, len(pictures) - 2, 3):
        cv2.imwrite(os.path.join(options.pictures, f"check_sheet{first // 3}.png"), np.hstack(pictures[first:first + 3]))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("action", choices=["fit", "check"])
    parser.add_argument("--model", required=True, help="FaceXModel folder of ICT-FaceKit")
    parser.add_argument("--out", default="facemesh_on_ict.npz")
    parser.add_argument("--map", default="facemesh_on_ict.npz")
    parser.add_argument("--pictures", required=True, help="folder for the renders")
    options = parser.parse_args()
    os.makedirs(options.pictures, exist_ok=True)
    options.pictures = os.path.abspath(options.pictures)
    fit(options) if options.action == "fit" else check(options)


if __name__ == "__main__":
    main()
