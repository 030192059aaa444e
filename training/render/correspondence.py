"""Where the 478 points of MediaPipe FaceMesh lie on the mesh of ICT-FaceKit: found on plain renders, kept in a file.

    python correspondence.py fit   --model FaceXModel --out facemesh_on_ict.npz --pictures folder
    python correspondence.py check --model FaceXModel --map facemesh_on_ict.npz --pictures folder

A point is found by casting FaceMesh's result through the known camera on the mesh and taking the median over the
renders, in a pose with an open mouth so that the lips lie apart. `check` needs nothing of `fit` but its file.
"""
import argparse
import os

import bpy
import cv2
import numpy as np
from mathutils.bvhtree import BVHTree

import casting
import stage
from actor import Actor
from face_model import LANDMARKS, POLYGONS, VERTICES, FaceModel
from framing import Framing

COUNT, SIDE = 28, 352
FLATTER = 0.92  # FaceMesh's depth over the true one, measured by `check`
UPPER_INNER = [191, 80, 81, 82, 13, 312, 311, 310, 415]
LOWER_INNER = [95, 88, 178, 87, 14, 317, 402, 318, 324]
UPPER_OUTER = [185, 40, 39, 37, 0, 267, 269, 270, 409]
LOWER_OUTER = [146, 91, 181, 84, 17, 314, 405, 321, 375]
CORNERS = [61, 291, 78, 308]
IRISES = range(468, 478)
REFERENCE = {"jawOpen": 0.6}  # the pose in which places are averaged


class Correspondence:
    """Vertex ids (478,3), their weights (478,3), and FaceMesh's offset of depth in parts of the outer-eye distance."""

    def __init__(self, path):
        data = np.load(path)
        self.ids, self.weights, self.depth_offset = data["ids"], data["weights"], float(data["depth_offset"])

    def points(self, vertices):
        """The 478 points (478,3) on posed vertices, model axes."""
        return np.einsum("nij,ni->nj", vertices[self.ids], self.weights)

    def label(self, vertices, framing):
        """The 478 points (478,3) in the pixels of a framed picture, z as FaceMesh has it."""
        points = framing.project(self.points(vertices))
        eyes = np.linalg.norm(self.points(vertices)[33] - self.points(vertices)[263]) * framing.focal * framing.size / framing.depth
        points[:, 2] = FLATTER * (points[:, 2] - points[:, 2].mean()) + self.depth_offset * eyes
        return points.astype(np.float32)


def triangles(polygons):
    quads = polygons[polygons[:, 3] >= 0]
    return np.concatenate([polygons[:, :3], quads[:, [0, 2, 3]]])


class Regions:
    """Triangles a point may lie on."""

    def __init__(self, model):
        skin = triangles(model.faces[slice(*POLYGONS["skin"])])
        start = VERTICES["mouth_socket"][0]
        front = model.neutral[skin, 2].mean(1) > 0  # rays through an open eye or mouth must not reach the back of the head
        self.skin = skin[(skin < start).all(1) & front]
        jaw = np.linalg.norm(model.shapes[model.shape_names.index("jawOpen")], axis=1)
        x, y, z = model.neutral.T
        near = (np.abs(x) < 4) & (y > -5.5) & (y < -1.8) & (z > 8.0)
        lower = jaw > 0.45 * jaw[near].max()
        lips = skin[(skin < VERTICES["mouth_socket"][1]).all(1) & near[skin].all(1)]
        self.lips = lips
        self.upper, self.lower = lips[~lower[lips].any(1)], lips[lower[lips].all(1)]
        self.eyes = np.concatenate([triangles(model.faces[slice(*POLYGONS[f"sclera_{s}"])]) for s in ("left", "right")])

    def of(self, index):
        if index in IRISES:
            return self.eyes
        if index in CORNERS:
            return self.lips
        if index in UPPER_INNER + UPPER_OUTER:
            return self.upper
        return self.lower if index in LOWER_INNER + LOWER_OUTER else self.skin


def barycentric(triangle, point):
    """Weights (3,) of a point in the plane of a triangle (3,3), none negative."""
    a, b, c = triangle
    weights = np.linalg.lstsq(np.vstack([np.stack([a, b, c], 1), np.ones(3)]), np.append(point, 1), rcond=None)[0]
    weights = np.clip(weights, 0, None)
    return weights / weights.sum()


def cast(vertices, region, origin, direction):
    """(triangle's vertices, weights) where the ray meets the region, or passes nearest to it; and whether it met."""
    tree = BVHTree.FromPolygons(vertices.tolist(), region.tolist()) if isinstance(region, np.ndarray) else region[0]
    faces = region if isinstance(region, np.ndarray) else region[1]
    place, _, number, _ = tree.ray_cast(origin.tolist(), direction.tolist())
    if number is None:
        reach = (vertices[faces].mean(1) - origin) @ direction
        centre = vertices[faces].mean(1)
        away = np.linalg.norm(centre - origin - reach[:, None] * direction, axis=1)
        start = origin + direction * (reach[away.argmin()])
        place, _, number, _ = tree.find_nearest(start.tolist())
        met = False
    else:
        met = True
    return faces[number], barycentric(vertices[faces[number]], np.array(place)), met


def plain_head(actor, rng, number):
    """Casts and poses a well lit plain head; (vertices, framing)."""
    look = casting.look(rng)
    look.update(beard=None, style=None, stubble=0.0, hat=None, glasses=None)
    actor.recast(rng.normal(0, 0.8, 100), look, number)
    kinds = [{}, {"jawOpen": 0.5}, {"jawOpen": 0.35, "mouthSmile": 0.6}, {"jawOpen": 0.3, "mouthStretch": 0.6},
             {"jawOpen": 0.3, "mouthFunnel": 0.5}, {"jawOpen": 0.8}]
    angles = (rng.normal(0, 7), rng.normal(0, 5), rng.normal(0, 2))
    vertices = actor.show(kinds[number % len(kinds)], angles, gaze=(angles[0], -angles[1]))
    return vertices, angles


def look_at(camera, vertices, rng):
    return Framing(camera, SIDE, (0, 1, rng.uniform(70, 130)), vertices[LANDMARKS], zoom=0.9)


def seen(mesh, path):
    """FaceMesh on a picture: (478,3) in its pixels, or None."""
    picture = cv2.imread(path)
    found = mesh.process(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).multi_face_landmarks
    return found and np.array([(p.x * SIDE, p.y * SIDE, p.z * SIDE) for p in found[0].landmark])


def studio(folder):
    import mediapipe

    stage.clear()
    stage.renderer(SIDE, SIDE, 12)
    model = FaceModel(folder)
    actor = Actor(model, casting.look(np.random.default_rng(0)))
    camera = stage.camera((0, 1, 100), (0, 0, 5), 30)
    stage.area_light("key", (-25, 30, 90), (0, 0, 6), 60, 90000)
    stage.area_light("fill", (45, 0, 90), (0, 0, 6), 60, 60000)
    stage.ambient((1, 1, 1), 0.4)
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3)
    return model, actor, camera, mesh


def fit(options):
    model, actor, camera, mesh = studio(options.model)
    regions, rng = Regions(model), np.random.default_rng(1)
    reference = model.express(model.neutral, REFERENCE)
    places, offsets = [], []
    for number in range(COUNT):
        vertices, _ = plain_head(actor, rng, number)
        framing = look_at(camera, vertices, rng)
        path = os.path.join(options.pictures, f"fit{number:02d}.png")
        stage.render(path)
        found = seen(mesh, path)
        if found is None:
            print("no face in", path)
            continue
        rays = framing.rays(found[:, :2])
        trees = {id(r): (BVHTree.FromPolygons(vertices.tolist(), r.tolist()), r) for r in (regions.skin, regions.lips, regions.upper, regions.lower, regions.eyes)}
        closed = number % 6 == 0
        row = np.full((478, 3), np.nan)
        for index in range(478):
            if closed and index in UPPER_INNER + LOWER_INNER:
                continue
            ids, weights, met = cast(vertices, trees[id(regions.of(index))], framing.position, rays[index])
            if met or index not in UPPER_OUTER + LOWER_OUTER:
                row[index] = weights @ reference[ids]
        places.append(row)
        eyes = np.linalg.norm(found[33] - found[263])
        offsets.append(found[:, 2].mean() / eyes)
    median = np.nanmedian(np.array(places), 0)
    spread = np.nanmedian(np.linalg.norm(np.array(places) - median, axis=2), 0)
    print("renders", len(places), "spread cm: median", np.median(spread), "worst", np.argsort(spread)[-12:], np.sort(spread)[-12:])
    print("depth offset", np.mean(offsets), "+-", np.std(offsets))
    ids, weights = [], []
    for index in range(478):
        region = regions.of(index)
        place, _, number, _ = BVHTree.FromPolygons(reference.tolist(), region.tolist()).find_nearest(median[index].tolist())
        ids.append(region[number])
        weights.append(barycentric(reference[region[number]], np.array(place)))
    np.savez(options.out, ids=np.array(ids, np.int32), weights=np.array(weights, np.float32), depth_offset=np.mean(offsets))


def overlay(path, labels, found, indexes):
    picture = cv2.resize(cv2.imread(path), None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    for points, colour in ((found, (0, 0, 255)), (labels, (0, 255, 0))):
        for index in indexes:
            cv2.circle(picture, tuple(int(round(v * 32)) for v in points[index, :2]), 24, colour, -1, cv2.LINE_AA, 4)
    return picture


def check(options):
    import json
    model, actor, camera, mesh = studio(options.model)
    chosen = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "face", "points.json"), encoding="ascii"))
    place, rng, errors, depth, slopes, pictures = Correspondence(options.map), np.random.default_rng(2), [], [], [], []
    for number in range(12):
        vertices, _ = plain_head(actor, rng, number)
        framing = look_at(camera, vertices, rng)
        path = os.path.join(options.pictures, f"check{number:02d}.png")
        stage.render(path)
        found, labels = seen(mesh, path), place.label(vertices, framing)
        if found is None:
            continue
        eyes = np.linalg.norm(found[33, :2] - found[263, :2])
        difference = (labels - found)[chosen] / eyes
        errors.append(np.linalg.norm(difference[:, :2], axis=1))
        depth.append(difference[:, 2])
        slopes.append(np.polyfit(labels[chosen, 2], found[chosen, 2], 1)[0])
        pictures.append(overlay(path, labels, found, chosen))
    errors, depth = np.array(errors), np.array(depth)
    print(f"renders {len(errors)}; per cent of the outer-eye distance: all {100 * errors.mean():.2f} lips {100 * errors[:, :40].mean():.2f} "
          f"inner lips {100 * errors[:, 20:40].mean():.2f} stable {100 * errors[:, 85:123].mean():.2f} z {100 * np.abs(depth).mean():.2f} bias {100 * depth.mean():.2f}, FaceMesh's z over the label's {np.mean(slopes):.2f}")
    print("worst points", *(f"{chosen[i]}:{100 * errors.mean(0)[i]:.1f}" for i in np.argsort(-errors.mean(0))[:16]))
    for part in range(0, len(pictures), 6):
        group = pictures[part:part + 6]
        cv2.imwrite(os.path.join(options.pictures, f"check_sheet{part // 6}.png"), np.vstack([np.hstack(group[:3]), np.hstack(group[3:6])]))


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
