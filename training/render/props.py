"""Things before a face: microphone, hand, cup, phone, mask, scarf; and what is worn: glasses, hat. All built of plain shapes.

A shape is (points (n,3), polygons (m,4)) in model axes, -1 pads triangles.
"""
import bpy
import numpy as np

import materials
import stage
from face_model import LANDMARKS, POLYGONS, VERTICES
from head import normals

SEGMENTS = 20


def _basis(axis):
    axis = np.asarray(axis, float) / np.linalg.norm(axis)
    side = np.cross(axis, (0, 1, 0) if abs(axis[1]) < 0.9 else (1, 0, 0))
    side /= np.linalg.norm(side)
    return axis, side, np.cross(axis, side)


def tube(path, radii, flat=1.0, closed=False):
    """Skin of circles of `radii` along `path` (n,3), ends capped; `flat` squeezes the circles, `closed` joins the ends."""
    path, radii = np.asarray(path, float), np.asarray(radii, float)
    turn = np.linspace(0, 2 * np.pi, SEGMENTS, endpoint=False)
    if closed:
        up, _, _ = _basis(np.cross(path[0] - path.mean(0), path[len(path) // 4] - path.mean(0)))
        side = np.cross(np.roll(path, -1, 0) - np.roll(path, 1, 0), up)
        side /= np.linalg.norm(side, axis=1, keepdims=True)
    else:
        _, side, up = _basis(path[-1] - path[0])
        side = np.tile(side, (len(path), 1))
    points = [c + r * (np.cos(turn)[:, None] * s + flat * np.sin(turn)[:, None] * up) for c, r, s in zip(path, radii, side)]
    n, m = len(path), SEGMENTS
    rows = range(n if closed else n - 1)
    quads = [[i * m + j, ((i + 1) % n) * m + j, ((i + 1) % n) * m + (j + 1) % m, i * m + (j + 1) % m] for i in rows for j in range(m)]
    points = np.concatenate(points)
    if not closed:
        points = np.concatenate([points, path[:1], path[-1:]])
        quads += [[n * m, (j + 1) % m, j, -1] for j in range(m)]
        quads += [[n * m + 1, (n - 1) * m + j, (n - 1) * m + (j + 1) % m, -1] for j in range(m)]
    return points, np.array(quads)


def capsule(start, end, first, last=None, flat=1.0):
    """Round-ended rod from `start` to `end` with radii `first` and `last`."""
    start, end, last = np.asarray(start, float), np.asarray(end, float), first if last is None else last
    axis = (end - start) / max(np.linalg.norm(end - start), 1e-6)
    bow = np.linspace(np.pi / 2 - 0.05, 0, 5)
    path = [start - axis * first * np.sin(b) for b in bow] + [end + axis * last * np.sin(b) for b in bow[::-1]]
    return tube(path, [first * np.cos(b) for b in bow] + [last * np.cos(b) for b in bow[::-1]], flat)


def join(shapes):
    """One shape of many."""
    points, polygons, count = [], [], 0
    for more, faces in shapes:
        points.append(more)
        polygons.append(np.where(faces >= 0, faces + count, -1))
        count += len(more)
    return np.concatenate(points), np.concatenate(polygons)


def microphone(rng):
    """Ball and handle; the ball at the origin, the handle down and towards the viewer."""
    radius = rng.uniform(1.6, 3.6)
    down = np.array([rng.normal(0, 0.5), -1, rng.uniform(-0.1, 0.6)])
    down = down / np.linalg.norm(down)
    stretch = rng.uniform(0, 1.5)
    return join([capsule(0 * down, -down * stretch, radius), capsule(down * radius * 0.8, down * 18, radius * rng.uniform(0.45, 0.7), radius * 0.4)])


def hand(rng):
    """Palm and fingers, the middle of the fingers near the origin, then turned at random about the view."""
    spread, width = rng.uniform(0.0, 0.22), rng.uniform(0.75, 0.95)
    shapes = [capsule((-1.9, -5.2, 0), (1.9, -5.2, 0), 2.6, flat=0.4), capsule((-1.7, -8.5, 0.2), (1.7, -8.5, 0.2), 2.4, flat=0.45),
              capsule((0, -9, 0.2), (0, -22, 1.5), 2.7, 3.2, flat=0.75)]
    for finger in range(4):
        root = np.array([(finger - 1.5) * 1.75, -3.6 - 0.25 * (finger - 1.5) ** 2, 0])
        lean, bend, long = (finger - 1.5) * spread, rng.uniform(-0.1, 0.7), [6.6, 7.6, 7.2, 5.6][finger]
        position, direction = root, np.array([np.sin(lean), np.cos(lean), 0.0])
        if rng.random() < 0.15:
            bend += 1.0
        for joint, part in enumerate((0.45, 0.32, 0.23)):
            step = direction * np.cos(bend * joint) + np.array([0, 0, -1.0]) * np.sin(bend * joint)
            after = position + step * long * part
            shapes.append(capsule(position, after, width * (1 - 0.07 * joint), width * (0.93 - 0.07 * joint)))
            position = after
    thumb = np.array([-2.9, -7.5, -0.3])
    knee = thumb + (-1.9, 3.2, -0.6)
    shapes += [capsule(thumb, knee, 1.25, 1.0), capsule(knee, knee + (-0.3, 3.0, -0.3), 1.0, 0.85)]
    points, faces = join(shapes)
    angle = rng.uniform(-np.pi, np.pi)
    c, s = np.cos(angle), np.sin(angle)
    points = points * [rng.choice([-1, 1]), 1, 1] * rng.uniform(0.85, 1.1)
    return points @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T, faces


def cup(rng):
    """A mug or glass whose upper edge is near the origin, tipped towards the mouth."""
    radius, tall, tip = rng.uniform(3.2, 4.6), rng.uniform(6, 11), rng.uniform(-0.2, 0.9)
    axis = np.array([0, -np.cos(tip), np.sin(tip)])
    path = [axis * tall * t for t in (0, 0.02, 0.3, 0.6, 0.95, 1.0)]
    body = tube(path, radius * np.array([0.98, 1.0, 1.0, rng.uniform(0.85, 1), rng.uniform(0.7, 1), 0.65]))
    turn = np.linspace(-np.pi, np.pi, 16, endpoint=False)
    ring = [axis * tall * 0.5 + (radius * 0.95 + 1.6 * np.cos(a), 0, 0) - axis * 2.4 * np.sin(a) for a in turn]
    return join([body, tube(ring, np.full(16, 0.5), closed=True)])


def phone(rng):
    """A rounded slab, upright or level."""
    half, tall = rng.uniform(3.2, 4.2), rng.uniform(6, 8)
    angle = rng.choice([0, np.pi / 2]) + rng.normal(0, 0.25)
    corner = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    round_corner = lambda v: np.sign(v) * np.abs(v) ** 0.25
    box = np.stack([round_corner(np.cos(corner)) * half, round_corner(np.sin(corner)) * tall], 1)
    c, s = np.cos(angle), np.sin(angle)
    box = box @ np.array([[c, s], [-s, c]])
    layers = [(0.94, -0.4), (1.0, -0.25), (1.0, 0.25), (0.94, 0.4)]
    points = np.concatenate([np.column_stack([box * k, np.full(24, z)]) for k, z in layers] + [[[0, 0, -0.4], [0, 0, 0.4]]])
    quads = [[i * 24 + j, i * 24 + (j + 1) % 24, (i + 1) * 24 + (j + 1) % 24, (i + 1) * 24 + j] for i in range(3) for j in range(24)]
    quads += [[96, (j + 1) % 24, j, -1] for j in range(24)] + [[97, 72 + j, 72 + (j + 1) % 24, -1] for j in range(24)]
    return points, np.array(quads)


def shell(model, vertices, inside, thickness):
    """The skin polygons whose vertices are all `inside` (V,), moved outwards by `thickness` (number or (V,))."""
    polygons = model.faces[slice(*POLYGONS["skin"])].copy()
    polygons[polygons >= 0] = model.weld[polygons[polygons >= 0]]
    outward = normals(vertices, polygons) * np.broadcast_to(thickness, len(vertices))[:, None]
    kept = polygons[np.where(polygons >= 0, inside[np.maximum(polygons, 0)], True).all(1)]
    used, inverse = np.unique(kept[kept >= 0], return_inverse=True)
    compact = np.full(kept.shape, -1)
    compact[kept >= 0] = inverse
    return (vertices + outward)[used], compact


def mask(model, closed, rng):
    """A cloth or surgical mask over mouth and nose (sometimes worn under the nose).

    `closed` are the posed vertices of the same jaw with closed lips: the cloth bridges an open mouth.
    """
    x, y, z = model.neutral.T
    top = rng.choice([1.2, -1.4], p=[0.85, 0.15]) - 0.12 * np.maximum(np.abs(x) - 2, 0)
    inside = (y < top) & (y > -9.2) & (z > 3.5) & (np.arange(len(x)) < VERTICES["face"][1])
    points, faces = shell(model, closed, inside, rng.uniform(0.8, 1.2))
    corners = np.where(faces >= 0, faces, faces[:, :1])
    count = np.bincount(corners.reshape(-1), minlength=len(points))[:, None]
    for _ in range(rng.integers(2, 12)):  # the cloth does not follow every fold of the lips
        total = np.zeros_like(points)
        np.add.at(total, corners.reshape(-1), np.repeat(points[corners].mean(1), 4, 0))
        points = total / count
    return points, faces


def scarf(rng, vertices):
    """Thick folds around the neck up to the mouth or nose."""
    middle = (vertices[LANDMARKS[8]] + vertices[LANDMARKS[57]]) / 2
    top = vertices[LANDMARKS[57]][1] + rng.uniform(-1.5, 4.5)
    shapes = []
    for fold in range(4):
        turn = np.linspace(0, 2 * np.pi, 32, endpoint=False)
        wave = rng.normal(0, 0.35) * np.sin(turn * rng.integers(1, 4) + rng.uniform(0, 6))
        front = max(middle[2], 6) + 1.0 + 0.25 * fold
        height = top - 1.8 - fold * 2.9 + wave - 1.2 * np.cos(turn) * rng.uniform(0, 1)
        path = np.stack([middle[0] * 0.6 + (8.0 + 0.4 * fold) * np.sin(turn), height, 1.0 + (front - 1.0) * np.cos(turn)], 1)
        shapes.append(tube(path, np.full(32, rng.uniform(1.9, 2.4)), closed=True))
    return join(shapes)


def frames(design, vertices, model):
    """Rims, bridge and temples before the eyes of the unposed `vertices`, and the two lenses: (shape, shape)."""
    rims, lenses = [], []
    eyes = [vertices[slice(*VERTICES[f"sclera_{side}"])] for side in ("left", "right")]
    front = max(vertices[LANDMARKS[27]][2] - 0.2, *(eye[:, 2].max() + 1.1 for eye in eyes))
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    power = design["round"]
    square = lambda v: np.sign(v) * np.abs(v) ** power
    inner = []
    for eye, side in zip(eyes, (1, -1)):
        centre = eye.mean(0)
        across = centre[0] + side * 0.15 + design["width"] * square(np.cos(turn))
        outline = np.stack([across, centre[1] - 0.3 + design["height"] * square(np.sin(turn)), front - 0.06 * np.abs(across) ** 1.2], 1)
        rims.append(tube(outline, np.full(28, design["rim"]), closed=True))
        lenses.append((np.concatenate([outline, [outline.mean(0)]]), np.array([[28, j, (j + 1) % 28, -1] for j in range(28)])))
        inner.append(outline[np.abs(outline[:, 0]).argmin()] + (0, 0.3, 0))
        outer = outline[np.abs(outline[:, 0]).argmax()] + (0, 0.5, 0)
        ear = np.array([side * max(abs(outer[0]) + 0.3, 7.6), outer[1] - 0.2, -0.5])
        rims.append(capsule(outer, ear, design["rim"]))
    rims.append(capsule(inner[0], inner[1], design["rim"] * 0.9))
    return join(rims), join(lenses)


def cap(design, model, vertices):
    """A cap or, with `hood`, a hood or headscarf, as a shell over the rest pose."""
    x, y, z = model.neutral.T
    skin = np.arange(len(x)) < VERTICES["mouth_socket"][0]
    if design["hood"]:
        inside = skin & ((y > design["edge"] + 0.6) | (z < 3.2 - 0.25 * np.maximum(-3 - y, 0)) | ((y < -9.5) & (y > -16)))
        return shell(model, vertices, inside, design["thick"] + 0.6)
    inside = skin & (y > design["edge"] - 0.32 * (8 - z))
    return shell(model, vertices, inside, design["thick"] + 0.4)


class Props:
    """Blender objects whose shape is replaced from picture to picture."""

    def __init__(self):
        self.things, one = {}, (np.array([[0, 0, -500.0], [1, 0, -500], [0, 1, -500]]), np.array([[0, 1, 2, -1]]))
        for name in ("prop", "frames", "lenses", "hat"):
            material = materials.plain(name, (0.1, 0.1, 0.1), 0.5, mottle=0.25 if name in ("prop", "hat") else 0.0)
            self.things[name] = stage.mesh_object(name, *one, material)
            self.things[name].hide_render = True

    def set(self, name, shape, colour=(0.1, 0.1, 0.1), rough=0.6):
        """Gives the object `name` a shape, or hides it (None)."""
        thing = self.things[name]
        thing.hide_render = shape is None
        if shape is None:
            return
        points, polygons = shape
        mesh = thing.data
        mesh.clear_geometry()
        mesh.from_pydata(stage.to_blender(points).tolist(), [], [[int(i) for i in polygon if i >= 0] for polygon in polygons])
        mesh.polygons.foreach_set("use_smooth", np.ones(len(mesh.polygons), bool))
        mesh.update()
        bsdf = mesh.materials[0].node_tree.nodes["Principled BSDF"] if mesh.materials else None
        if bsdf:
            bsdf.inputs["Base Color"].default_value, bsdf.inputs["Roughness"].default_value = (*colour, 1), rough
