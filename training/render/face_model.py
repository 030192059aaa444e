"""The parametric head of ICT-FaceKit (MIT): geometry, parts, identities and expressions.

Axes of the model: x to the person's left, y up, z towards the viewer; unit about 1 cm (pupils 6.4 apart).
The OBJ files (400 MB of text) are packed once into an .npz beside them.
"""
import glob
import os

import numpy as np

# Vertex and polygon ranges of the published topology (ICT-FaceKit README, "Face Model Topology").
VERTICES = {
    "face": (0, 9409), "head": (9409, 11248), "mouth_socket": (11248, 13294), "eye_sockets": (13294, 14062),
    "gums": (14062, 17039), "teeth": (17039, 21451), "sclera_left": (21451, 22221), "sclera_right": (23021, 23791),
    "lashes_left": (25351, 26035), "lashes_right": (26035, 26719),
}
POLYGONS = {
    "skin": (0, 14034), "gums": (14034, 17006), "teeth": (17006, 21496),
    "sclera_left": (21496, 22296), "sclera_right": (23094, 23894),
}
# Multi-PIE 68 landmarks as vertex ids (same README).
LANDMARKS = [
    1225, 1888, 1052, 367, 1719, 1722, 2199, 1447, 966, 3661, 4390, 3927, 3924, 2608, 3272, 4088, 3443, 268, 493, 1914,
    2044, 1401, 3615, 4240, 4114, 2734, 2509, 978, 4527, 4942, 4857, 1140, 2075, 1147, 4269, 3360, 1507, 1542, 1537,
    1528, 1518, 1511, 3742, 3751, 3756, 3721, 3725, 3732, 5708, 5695, 2081, 0, 4275, 6200, 6213, 6346, 6461, 5518,
    5957, 5841, 5702, 5711, 5533, 6216, 6207, 6470, 5517, 5966]
EYE_CENTRES = np.array([[3.105, 3.604, 7.89], [-3.105, 3.604, 7.89]])  # least-squares spheres of the eyeballs
NECK_PIVOT = np.array([0.0, -4.5, -1.0])  # about the joint between skull and spine


def smoothstep(low, high, value):
    """0 below `low`, 1 above `high`, cubic between (`low` may exceed `high`: then falling)."""
    t = np.clip((value - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def _positions(path):
    with open(path, encoding="ascii") as lines:
        return np.array([line.split()[1:4] for line in lines if line.startswith("v ")], np.float32)


def pack(folder, out):
    """Reads the OBJ files of `folder` (FaceXModel) into one compressed-free archive `out`."""
    neutral = _positions(os.path.join(folder, "generic_neutral_mesh.obj"))
    faces, uv, face_uv = [], [], []
    with open(os.path.join(folder, "generic_neutral_mesh.obj"), encoding="ascii") as lines:
        for line in lines:
            if line.startswith("vt "):
                uv.append(line.split()[1:3])
            elif line.startswith("f "):
                corners = [corner.split("/") for corner in line.split()[1:]]
                pad = [-1] * (4 - len(corners))
                faces.append([int(c[0]) - 1 for c in corners] + pad)
                face_uv.append([int(c[1]) - 1 for c in corners] + pad)
    names = sorted(os.path.basename(p)[:-4] for p in glob.glob(os.path.join(folder, "*.obj")))
    shapes = [n for n in names if not n.startswith(("identity", "generic"))]
    persons = [n for n in names if n.startswith("identity")]
    delta = lambda name: (_positions(os.path.join(folder, name + ".obj")) - neutral).astype(np.float16)
    np.savez(out, neutral=neutral, faces=np.array(faces, np.int32), uv=np.array(uv, np.float32),
             face_uv=np.array(face_uv, np.int32), shape_names=shapes, shapes=np.stack([delta(n) for n in shapes]),
             identities=np.stack([delta(n) for n in persons]))


class FaceModel:
    """Rest geometry plus linear identities and expressions."""

    def __init__(self, folder):
        archive = os.path.join(folder, "packed.npz")
        if not os.path.exists(archive):
            pack(folder, archive)
        data = np.load(archive)
        self.neutral = data["neutral"].astype(np.float32)
        self.faces = data["faces"]
        self.uv, self.face_uv = data["uv"], data["face_uv"]
        self.shape_names = [str(n) for n in data["shape_names"]]
        self.shapes = data["shapes"].astype(np.float32)
        self.identities = data["identities"].astype(np.float32)
        self.weld = self._weld_map()
        self.neck_weight = smoothstep(-13.5, -6.5, self.neutral[:, 1] + 0.43 * self.neutral[:, 2])
        self.tongue = self._tongue_weight()

    def _weld_map(self):
        """Skin parts meet in doubled vertices; maps each to its first twin so that shading has no seam."""
        skin = self.neutral[:VERTICES["gums"][0]]
        _, first, inverse = np.unique(np.round(skin, 3), axis=0, return_index=True, return_inverse=True)
        weld = np.arange(len(self.neutral))
        weld[:len(skin)] = first[inverse.reshape(-1)]
        return weld

    def _tongue_weight(self):
        """1 at the tip of the tongue falling to 0 at its root; 0 elsewhere (ranges found by the UV islands)."""
        weight = np.zeros(len(self.neutral), np.float32)
        start, stop = 15953, VERTICES["gums"][1]
        x, y, z = self.neutral[start:stop].T
        weight[start:stop] = np.where((np.abs(x) < 2.1) & (y < -2.8), smoothstep(4.5, 9.0, z), 0)
        return weight

    def person(self, coefficients):
        """Neutral face of the person with the given identity coefficients (standard normal each)."""
        coefficients = np.asarray(coefficients, np.float32)
        return self.neutral + np.tensordot(coefficients, self.identities[:len(coefficients)], 1)

    def express(self, person, weights):
        """`person` with the expression `weights` (name → 0..1); a name without _L/_R drives both sides."""
        out = person.copy()
        for name, weight in weights.items():
            if abs(weight) < 1e-4:
                continue
            for full in (name, name + "_L", name + "_R"):
                if full in self.shape_names:
                    out += weight * self.shapes[self.shape_names.index(full)]
        return out
