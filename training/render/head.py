"""Rig and growth of a person: pose, eyeballs, tongue, and the roots and strands of hair, brows and lashes."""
import numpy as np

from face_model import EYE_CENTRES, NECK_PIVOT, POLYGONS, VERTICES, smoothstep


def rotation(yaw, pitch, roll):
    """Rotation of the head, degrees: yaw to the person's left, pitch down, roll to the person's left shoulder."""
    yaw, pitch, roll = np.radians([yaw, pitch, -roll])
    ry = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    rx = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    rz = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return ry @ rx @ rz


class Head:
    """One person that can be posed; all positions in model units."""

    def __init__(self, model, coefficients, seed=0):
        self.model = model
        self.rest = model.person(coefficients)
        self.random = np.random.default_rng(seed)

    def pose(self, expression, angles=(0, 0, 0), gaze=(0, 0), tongue=0.0, shift=(0, 0, 0)):
        """Vertices for an expression (name → weight), head angles and gaze (right, down) in degrees.

        `tongue` 0..1 lifts the tip behind the upper teeth; `shift` sways the whole person.
        """
        points = self.model.express(self.rest, expression)
        points += tongue * self.model.tongue[:, None] * np.array([0, 1.0, 0.25], np.float32)
        for side, centre in zip(("left", "right"), EYE_CENTRES):
            start, stop = VERTICES["sclera_" + side]
            moved = centre + (self.rest[start:stop] - self.model.neutral[start:stop]).mean(0)
            points[start:stop] = (points[start:stop] - moved) @ rotation(-gaze[0], gaze[1], 0).T + moved
        turned = (points - NECK_PIVOT) @ rotation(*angles).T + NECK_PIVOT
        weight = self.model.neck_weight[:, None]
        return points * (1 - weight) + turned * weight + np.asarray(shift)

    def place(self, strands, angles, shift=(0, 0, 0)):
        """Strands that are rigid with the skull, moved with it."""
        return (strands - NECK_PIVOT) @ rotation(*angles).T + NECK_PIVOT + np.asarray(shift)

    def eye_angle(self):
        """Angle in radians of every sclera vertex from the optical axis: (left, right)."""
        out = []
        for side, centre in zip(("left", "right"), EYE_CENTRES):
            start, stop = VERTICES["sclera_" + side]
            ray = self.model.neutral[start:stop] - centre
            axis = ray[np.argmax(self.model.neutral[start:stop, 2])]
            cosine = ray @ axis / np.linalg.norm(ray, axis=1) / np.linalg.norm(axis)
            out.append(np.arccos(np.clip(cosine, -1, 1)))
        return out


def scalp_mask(neutral):
    """0..1: how much a point of the generic head is covered by hair. Decided in side view (z, y)."""
    x, y, z = neutral.T
    line_z = [-9, -6.5, -4.5, -3.2, -2.6, 2.2, 2.5, 3.6, 4.0, 4.8, 5.6, 6.8, 8.0, 9.0, 10.0]
    line_y = [-3.2, -3.2, -1.6, 0.6, 4.6, 4.6, 1.0, 1.2, 3.6, 6.0, 7.6, 8.8, 9.6, 10.0, 10.2]
    return smoothstep(-0.35, 0.45, y - np.interp(z, line_z, line_y))


def sample_surface(points, polygons, weight, count, random):
    """`count` random points on the polygons, dense where the vertex `weight` is high.

    Returns (vertex ids (n,3), barycentric weights (n,3)).
    """
    quads = polygons[polygons[:, 3] >= 0]
    triangles = np.concatenate([polygons[:, :3], quads[:, [0, 2, 3]]])
    a, b, c = (points[triangles[:, i]] for i in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1) * weight[triangles].mean(1)
    chosen = random.choice(len(triangles), count, p=area / area.sum())
    u, v = random.random((2, count))
    flip = u + v > 1
    u[flip], v[flip] = 1 - u[flip], 1 - v[flip]
    return triangles[chosen], np.stack([1 - u - v, u, v], 1)


def at(points, where):
    """Positions of surface samples on (deformed) points."""
    ids, weights = where
    return np.einsum("nij,ni->nj", points[ids], weights)


def normals(points, polygons):
    """Unit vertex normals."""
    out = np.zeros_like(points)
    a, b, c = (points[polygons[:, i]] for i in range(3))
    face = np.cross(b - a, c - a)
    for i in range(3):
        np.add.at(out, polygons[:, i], face)
    quads = polygons[:, 3] >= 0
    np.add.at(out, polygons[quads, 3], face[quads])
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-9)


def _unit(v):
    return v / np.maximum(np.linalg.norm(v, axis=-1, keepdims=True), 1e-9)


def _waves(points, random, frequency, count=6):
    """Smooth random vector field with values about -1..1: neighbouring hairs bend alike."""
    out = np.zeros((len(points), 3))
    for _ in range(count):
        direction = random.normal(size=3) * frequency
        out += np.sin(points @ direction + random.random() * 6.28)[:, None] * random.normal(size=3)
    return out / np.sqrt(count)


def grow_hair(head, count, style, steps=7):
    """Strands (count, steps, 3) combed over the skull of the rest pose.

    style: `top` and `side` lengths in cm, `part` (x of the parting), `lift`, `curl` and
    `fall` (weight) 0..1.
    """
    model, random = head.model, head.random
    skin = model.weld[np.maximum(model.faces[slice(*POLYGONS["skin"])], 0)]
    skin[model.faces[slice(*POLYGONS["skin"])] < 0] = -1
    mask = scalp_mask(model.neutral)
    mask[VERTICES["mouth_socket"][0]:] = 0
    ears = (np.abs(model.neutral[:, 0]) > 7.75) & (model.neutral[:, 1] < 4.2)
    mask[ears] = 0
    where = sample_surface(head.rest, skin, mask ** 2, count, random)
    root, normal = at(head.rest, where), _unit(at(normals(head.rest, skin), where))
    generic = at(model.neutral, where)
    crown = smoothstep(8.2, 12.0, generic[:, 1] - 0.10 * generic[:, 2]) * (1 - 0.75 * normal[:, 0] ** 2)
    length = style["side"] + (style["top"] - style["side"]) * crown
    length *= np.exp(random.normal(size=count) * 0.16) * (0.55 + 0.45 * at(mask[:, None], where)[:, 0])
    away = np.sign(generic[:, 0] - style["part"])
    comb_top = np.stack([0.8 * away, 0 * away, 0.35 + 0 * away], 1)
    comb_side = np.stack([0 * away, 0 * away - 1.0, -0.35 + 0 * away], 1)
    comb = comb_top * crown[:, None] + comb_side * (1 - crown[:, None])
    comb += 0.35 * _waves(root, random, 0.7) + 0.28 * _waves(root, random, 2.2) + 0.10 * random.normal(size=(count, 3))
    comb = _unit(comb - (comb * normal).sum(1, keepdims=True) * normal)
    strands, position = [root], root
    bend = _waves(root, random, 1.6) * style["curl"]
    centre = np.array([0, 5.0, 0.5])  # of the skull
    for step in range(1, steps):
        progress = step / (steps - 1)
        lift = style["lift"] * (1 - 0.75 * progress) * (0.10 + 0.90 * crown)
        direction = comb + lift[:, None] * 1.6 * normal + bend * np.sin(progress * 6.0)
        direction[:, 1] -= (style["fall"] + 0.8 * normal[:, 0] ** 2) * progress
        position = position + _unit(direction) * (length / (steps - 1))[:, None]
        outward = _unit(position - centre)
        floor = ((root - centre) * outward).sum(1)  # keeps a hair outside the skull it grew from
        inside = np.maximum(0.12 * progress + 0.97 * floor - ((position - centre) * outward).sum(1), 0)
        position = position + outward * inside[:, None] * 0.5
        strands.append(position)
    return np.stack(strands, 1)


BROW_X = [0.95, 1.3, 2.4, 3.8, 4.9, 5.6]  # middle line of the left brow on the generic face
BROW_Y = [5.55, 5.72, 6.0, 6.18, 5.85, 5.3]


def brow_mask(neutral):
    """0..1 by vertex of the generic face: density of the brow hairs."""
    x, y = np.abs(neutral[:, 0]), neutral[:, 1]
    half = np.interp(x, [0.95, 1.5, 3.6, 5.6], [0.36, 0.42, 0.30, 0.08])
    mask = smoothstep(1.1, 0.3, np.abs(y - np.interp(x, BROW_X, BROW_Y)) / half)
    mask *= smoothstep(0.7, 1.5, x) * smoothstep(5.75, 5.2, x)
    mask[VERTICES["face"][1]:] = 0
    return mask


class Brows:
    """Brow hairs, bound to the skin so that they follow its expression."""

    def __init__(self, head, count=800, steps=4):
        model, random = head.model, head.random
        self.polygons = model.faces[:9230]
        line_x, line_y, weight = BROW_X, BROW_Y, brow_mask(model.neutral)
        self.where = sample_surface(head.rest, self.polygons, weight, count, random)
        generic = at(model.neutral, self.where)
        side = np.sign(generic[:, 0])
        outward = np.interp(np.abs(generic[:, 0]), [1.0, 1.8, 3.5, 5.6], [0.25, 0.75, 1.0, 1.0])
        above = (generic[:, 1] - np.interp(np.abs(generic[:, 0]), line_x, line_y)) / 0.4
        rise = np.interp(np.abs(generic[:, 0]), [1.0, 1.8, 3.5, 5.6], [1.0, 0.6, 0.1, -0.35]) - 0.5 * above
        jitter = random.normal(size=(count, 2)) * 0.22
        self.direction = np.stack([side * (outward + jitter[:, 0]), rise + jitter[:, 1], 0 * side], 1)
        self.length = 0.50 * np.exp(random.normal(size=count) * 0.2) * np.interp(np.abs(generic[:, 0]), [1, 2, 5.6], [0.75, 1, 0.7])
        self.steps = steps

    def strands(self, points, turn):
        """Strands on the posed `points`; `turn` is the rotation of the head."""
        root, normal = at(points, self.where), _unit(at(normals(points, self.polygons), self.where))
        direction = self.direction @ turn.T
        direction = _unit(direction - (direction * normal).sum(1, keepdims=True) * normal)
        out = []
        for step in range(self.steps):
            t = step / (self.steps - 1)
            out.append(root + (direction * t + normal * (0.02 + 0.20 * t * (1 - 0.8 * t))) * self.length[:, None])
        return np.stack(out, 1)


class Lashes:
    """Upper lashes drawn along the columns of the lash strips of each eye."""

    ROWS = 6

    def __init__(self, head, per_column=2.4):
        model, random = head.model, head.random
        grids = []
        for side in ("left", "right"):
            start, stop = VERTICES["lashes_" + side]
            first = 25304 if side == "left" else 25844
            polygons, corners = model.faces[first:first + 540], model.face_uv[first:first + 540]
            uv = np.zeros((stop - start, 2))
            uv[polygons.reshape(-1) - start] = model.uv[corners.reshape(-1)]
            grids += self._grids(uv, start)
        self.pick = []
        upper = [g for g in grids if model.neutral[g, 1].mean() > 3.4]  # the lower lashes are too fine to be seen
        for grid in upper:
            count = int(per_column * len(grid))
            column = np.sort(random.uniform(0, len(grid) - 1.001, count))
            low = column.astype(int)
            self.pick.append((grid[low], grid[low + 1], (column - low)[:, None, None], random.uniform(0.7, 1, (count, 1, 1))))

    def _grids(self, uv, start):
        """Sorts the vertices of one eye into strips of columns (along the lid) and rows (root to tip).

        The strips lie apart in UV: two stacks of six, rows level.
        """
        out = []
        right_stack = uv[:, 0] > (uv[:, 0].min() + uv[:, 0].max()) / 2
        for members in (np.nonzero(~right_stack)[0], np.nonzero(right_stack)[0]):
            members = members[np.argsort(uv[members, 1])]
            rows = np.split(members, np.nonzero(np.diff(uv[members, 1]) > 1e-3)[0] + 1)
            for strip in range(0, len(rows) - self.ROWS + 1, self.ROWS):
                grid = np.stack([row[np.argsort(uv[row, 0])] for row in rows[strip:strip + self.ROWS]])
                out.append((grid + start).T)
        return out

    def strands(self, points):
        """(count, rows, 3): roots are the row nearer to the eyeball."""
        out = []
        for low, high, mix, length in self.pick:
            strand = points[low] * (1 - mix) + points[high] * mix
            if strand[:, 0, 2].mean() > strand[:, -1, 2].mean():
                strand = strand[:, ::-1]
            out.append(strand[:, :1] + (strand - strand[:, :1]) * length)
        return np.concatenate(out)
