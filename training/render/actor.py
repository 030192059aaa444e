"""One set of Blender objects that plays any number of persons: their vertices and tints change in place."""
import numpy as np

import materials
import stage
from face_model import VERTICES, smoothstep
from head import Brows, Head, at, grow_hair, normals, sample_surface

HAIRS, BEARD_HAIRS, STRAND = 5000, 1800, 0.065  # few thick strands: a pixel of a crop is about 0.2 cm


class Beard:
    """Hairs of chin, jaw and upper lip, bound to the skin so that they follow the mouth."""

    STEPS = 4

    def __init__(self, head, full, length):
        """`full` 0..1: from a moustache and goatee to the whole beard; `length` in cm."""
        model, random = head.model, head.random
        self.polygons = model.faces[:9230]
        self.where = sample_surface(head.rest, self.polygons, beard_mask(model.neutral, full), BEARD_HAIRS, random)
        self.direction = np.array([0, -1.0, 0.25]) + random.normal(size=(BEARD_HAIRS, 3)) * 0.3
        generic = at(model.neutral, self.where)
        chin = smoothstep(-4.5, -8.0, generic[:, 1])
        self.length = length * (0.35 + 0.65 * chin) * np.exp(random.normal(size=BEARD_HAIRS) * 0.25)

    def strands(self, points, turn):
        """Strands (count, steps, 3) on the posed `points`; `turn` is the rotation of the head."""
        root, normal = at(points, self.where), at(normals(points, self.polygons), self.where)
        direction = self.direction @ turn.T
        direction -= np.minimum((direction * normal).sum(1, keepdims=True), 0) * normal
        steps = np.linspace(0, 1, self.STEPS)[None, :, None]
        return root[:, None] + (direction[:, None] * steps + 0.35 * normal[:, None] * steps) * self.length[:, None, None]


def beard_mask(neutral, full):
    """0..1 by vertex of the generic face: density of the beard, never on the red of the lips."""
    x, y, z = neutral.T
    cheek = smoothstep(-1.6, -2.6, y + 0.10 * np.abs(x) - 0.25 * np.maximum(np.abs(x) - 3.2, 0))
    mask = cheek * smoothstep(-10.5, -8.0, y) * smoothstep(1.5, 4.5, z)
    mask *= smoothstep(3.0 + 6 * full, 2.2 + 5 * full, np.abs(x))
    mask *= 1 - smoothstep(0.0, 0.3, materials.lip_mask(neutral))
    mask[VERTICES["face"][1]:] = 0
    return mask + 1e-9


def off_the_face(strands):
    """Ends every hair (count, steps, 3) where it would hang before the face."""
    before = (np.abs(strands[..., 0]) < 5.8) & (strands[..., 1] < 7.0) & (strands[..., 2] > 6.0)
    last = np.where(before.any(1), np.maximum(before.argmax(1) - 1, 0), strands.shape[1] - 1)
    steps = np.minimum(np.arange(strands.shape[1]), last[:, None])
    return np.take_along_axis(strands, steps[..., None], 1)


class Actor(stage.Figure):
    """A figure that is cast anew: `recast` makes it another person, `show` poses it."""

    def __init__(self, model, look):
        super().__init__(Head(model, np.zeros(100)), look, hair_count=HAIRS, subdivide=0, subsurface=True)
        for thing, _, _ in self.parts:
            thing.modifiers.clear()
        self.fibre = self.hair.data.materials[0]
        self.beard = Beard(self.head, 1.0, 1.0)
        self.whiskers = stage.curves_object("beard", self.beard.strands(self.head.rest, np.eye(3)), 0.03, self.fibre)
        radius = np.tile(np.linspace(1, 0.4, 7), HAIRS) * STRAND
        self.hair.data.attributes["radius"].data.foreach_set("value", radius.astype(np.float32))

    def recast(self, coefficients, look, seed):
        """Takes on the face of `coefficients` (100) and the `look` of `casting.look`."""
        model = self.head.model
        self.head = Head(model, coefficients, seed)
        tint, rough = materials.skin_tint(model, look)
        for name, values in (("tint", tint), ("rough", rough)):
            field = "vector" if values.ndim == 2 else "value"
            values = np.ascontiguousarray(values[:self.skin_count], np.float32)
            self.skin.data.attributes[name].data.foreach_set(field, values.reshape(-1))
        teeth = next(thing for thing, _, _ in self.parts if thing.name == "teeth")
        shade = materials.teeth_tint(model.neutral[slice(*VERTICES["teeth"])]) * look["teeth"]
        teeth.data.attributes["tint"].data.foreach_set("vector", shade.astype(np.float32).reshape(-1))
        self._colours(look)
        self.brows = Brows(self.head)
        self.hair.hide_render = look["style"] is None
        if look["style"] is not None:
            self.hair_rest = off_the_face(grow_hair(self.head, HAIRS, look["style"]))
        self.whiskers.hide_render = look["beard"] is None
        if look["beard"] is not None:
            self.beard = Beard(self.head, *look["beard"])

    def _colours(self, look):
        nodes = lambda thing: thing.data.materials[0].node_tree.nodes
        next(n for n in nodes(self.hair) if n.type == "VECT_MATH").inputs[0].default_value = look["hair"]
        nodes(self.shirt)["Principled BSDF"].inputs["Base Color"].default_value = (*look["cloth"], 1)
        eye = next(thing for thing, _, _ in self.parts if thing.name == "sclera_left")
        ramp = next(n for n in nodes(eye) if n.type == "VALTORGB").color_ramp.elements
        for index, share in ((2, 0.55), (3, 1.0), (4, 0.7), (5, 0.12)):
            ramp[index].color = (*(share * np.asarray(look["iris"])), 1)

    def show(self, expression, angles=(0, 0, 0), gaze=(0, 0), tongue=0.0, shift=(0, 0, 0)):
        """Moves every object to the pose; returns the vertices (model axes)."""
        points = super().show(expression, angles, gaze, tongue, shift)
        if not self.whiskers.hide_render:
            stage.move_curves(self.whiskers, self.beard.strands(points, stage.rotation(*angles)))
        return points
