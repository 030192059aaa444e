"""Where the 478 points of MediaPipe FaceMesh lie on the mesh of ICT-FaceKit.

The places are in `facemesh_on_ict.npz`, found by `fit_correspondence.py`.
"""
import numpy as np

FLATTER = 0.92  # FaceMesh's depth over the true one, measured by `fit_correspondence.py check`


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
