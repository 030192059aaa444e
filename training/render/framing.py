"""A camera that renders exactly the crop of a face, and the way between its pixels and space."""
import math

import bpy
import numpy as np

import stage

BOX = 92.63 / 176  # longer side of the points' box over the crop's side, as in the stored crops


class Framing:
    """Pinhole camera at `position` looking at the points (n,3) it must frame; all in model axes and centimetres.

    `zoom` enlarges the box of the points over its standard size; `shift` (2,) moves it, in parts of the crop's side.
    """

    def __init__(self, camera, size, position, points, zoom=1.0, shift=(0, 0)):
        self.size, self.position = size, np.asarray(position, float)
        target = points.mean(0)
        ahead = target - self.position
        ahead /= np.linalg.norm(ahead)
        right = np.cross(ahead, (0, 1, 0))
        right /= np.linalg.norm(right)
        self.axes = np.stack([right, np.cross(ahead, right), ahead])  # image right, image down, away
        self.depth = float((target - self.position) @ ahead)
        slopes = self._slopes(points)[:, :2]
        low, high = slopes.min(0), slopes.max(0)
        self.focal = BOX * zoom / (high - low).max()  # over the side of the picture
        self.offset = 0.5 + np.asarray(shift) - self.focal * (low + high) / 2
        stage.aim(camera, position, target)
        data = camera.data
        data.sensor_fit, data.sensor_width = "HORIZONTAL", 24.0
        data.angle_x = 2 * math.atan(0.5 / self.focal)
        data.shift_x, data.shift_y = 0.5 - self.offset[0], self.offset[1] - 0.5
        bpy.context.scene.render.resolution_x = bpy.context.scene.render.resolution_y = size

    def _slopes(self, points):
        seen = (points - self.position) @ self.axes.T
        return np.concatenate([seen[:, :2] / seen[:, 2:], seen[:, 2:]], 1)

    def project(self, points):
        """Pixels from the left and top edge, and depth relative to the middle of the framed points in pixels of its scale."""
        slopes = self._slopes(points)
        pixels = (slopes[:, :2] * self.focal + self.offset) * self.size
        depth = (slopes[:, 2] - self.depth) * self.focal * self.size / self.depth
        return np.concatenate([pixels, depth[:, None]], 1)

    def rays(self, pixels):
        """Unit directions from the camera through pixels (n,2)."""
        slopes = (np.asarray(pixels) / self.size - self.offset) / self.focal
        directions = np.concatenate([slopes, np.ones((len(slopes), 1))], 1) @ self.axes
        return directions / np.linalg.norm(directions, axis=1, keepdims=True)
