"""The Blender side: objects of one person, shirt, studio, camera and the renderer's settings.

Model axes (x left, y up, z to the viewer) become Blender's (x, -z, y).
"""
import math

import bpy
import numpy as np

import materials
from face_model import POLYGONS, VERTICES
from head import Brows, Lashes, grow_hair, rotation


def to_blender(points):
    return np.ascontiguousarray(np.stack([points[..., 0], -points[..., 2], points[..., 1]], -1), np.float32)


def mesh_object(name, points, polygons, material, smooth=True, subdivide=0):
    """Mesh from (V,3) points and (F,4) polygons, -1 padding triangles."""
    mesh = bpy.data.meshes.new(name)
    mesh.from_pydata(to_blender(points).tolist(), [], [[i for i in polygon if i >= 0] for polygon in polygons.tolist()])
    mesh.polygons.foreach_set("use_smooth", np.full(len(mesh.polygons), smooth))
    mesh.materials.append(material)
    thing = bpy.data.objects.new(name, mesh)
    bpy.context.scene.collection.objects.link(thing)
    if subdivide:
        modifier = thing.modifiers.new("subdivide", "SUBSURF")
        modifier.levels = modifier.render_levels = subdivide
    return thing


def attribute(thing, name, values):
    """Per-vertex float or vector attribute, readable by the materials."""
    values = np.asarray(values, np.float32)
    kind, field = ("FLOAT", "value") if values.ndim == 1 else ("FLOAT_VECTOR", "vector")
    thing.data.attributes.new(name, kind, "POINT").data.foreach_set(field, values.reshape(-1))


def curves_object(name, strands, radius, material):
    """Hair curves (count, steps, 3), tapering from `radius` to a quarter of it."""
    curves = bpy.data.hair_curves.new(name)
    count, steps = strands.shape[:2]
    curves.add_curves([steps] * count)
    taper = np.tile(np.linspace(1, 0.25, steps), count) * radius
    (curves.attributes.get("radius") or curves.attributes.new("radius", "FLOAT", "POINT")).data.foreach_set("value", taper.astype(np.float32))
    curves.materials.append(material)
    thing = bpy.data.objects.new(name, curves)
    bpy.context.scene.collection.objects.link(thing)
    move_curves(thing, strands)
    return thing


def move_curves(thing, strands):
    thing.data.attributes["position"].data.foreach_set("vector", to_blender(strands).reshape(-1))
    thing.data.update_tag()


def shirt(rest, colour):
    """A crew-neck jumper lofted over the neck base and shoulders of the bust `rest`."""
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    #        y     half width, depth, centre z
    rings = [(-11.3, 6.6, 6.0, -0.9), (-11.0, 7.0, 6.4, -0.9), (-11.3, 7.5, 6.9, -0.9), (-12.3, 7.9, 7.2, -0.8),
             (-13.2, 10.5, 7.7, -0.9), (-14.3, 14.0, 8.3, -1.2), (-15.6, 17.2, 8.9, -1.6), (-17.4, 19.6, 9.4, -1.8),
             (-20.0, 21.2, 9.9, -1.8), (-24.0, 21.8, 10.4, -1.6), (-34.0, 21.6, 11.0, -1.4)]
    points = []
    for index, (y, width, depth, z) in enumerate(rings):
        power = 0.9  # of the superellipse of a ring
        c, s = np.cos(angles), np.sin(angles)
        front = np.clip(s, 0, 1)
        lower = 3.4 * front ** 2 * (1.0 if index < 4 else max(0.0, 1 - (index - 3) / 4))
        ring = np.stack([width * np.sign(c) * np.abs(c) ** power, y - lower, z + depth * s + 0.9 * front * (index < 4)], 1)
        points.append(ring)
    points = np.concatenate(points)
    n, m = len(rings), len(angles)
    quads = [[i * m + j, (i + 1) * m + j, (i + 1) * m + (j + 1) % m, i * m + (j + 1) % m] for i in range(n - 1) for j in range(m)]
    thing = mesh_object("shirt", points, np.array(quads), materials.plain("cloth", colour, 0.9, mottle=0.2), subdivide=2)
    return thing, points


class Figure:
    """All objects of one person; `show` moves them to a pose."""

    def hide(self, hidden):
        """Takes the person out of the picture, or back in."""
        for thing in (*(part for part, _, _ in self.parts), self.hair, self.brow, self.lash, self.shirt):
            thing.hide_render = hidden

    def __init__(self, head, look, hair_count=26000, subdivide=1, subsurface=True):
        model = head.model
        self.head, points = head, head.rest
        skin_polygons = model.faces[slice(*POLYGONS["skin"])].copy()
        skin_polygons[skin_polygons >= 0] = model.weld[skin_polygons[skin_polygons >= 0]]
        x, y, _ = model.neutral.T
        hidden = (np.abs(x) > 8.0) & (y < -8)  # shoulders, under the shirt
        skin_polygons = skin_polygons[~hidden[skin_polygons].any(1)]
        self.skin_count = VERTICES["gums"][0]
        self.skin = mesh_object("skin", points[:self.skin_count], skin_polygons, materials.skin(subsurface), subdivide=subdivide)
        tint, rough = materials.skin_tint(model, look)
        attribute(self.skin, "tint", tint[:self.skin_count])
        attribute(self.skin, "rough", rough[:self.skin_count])
        attribute(self.skin, "rest", model.neutral[:self.skin_count])
        self.parts = [(self.skin, 0, self.skin_count)]
        self._part("gums", materials.plain("gums", (0.42, 0.10, 0.10), 0.3, coat=0.6, subsurface=0.15 * subsurface), 1)
        teeth = self._part("teeth", materials.teeth(subsurface), 1)
        attribute(teeth, "tint", materials.teeth_tint(model.neutral[slice(*VERTICES["teeth"])]))
        eye = materials.eye(look["iris"])
        for side, angle in zip(("left", "right"), head.eye_angle()):
            part = self._part("sclera_" + side, eye, 2)
            attribute(part, "angle", angle)
            start, stop = VERTICES["sclera_" + side]
            attribute(part, "rest", model.neutral[start:stop])
        fibre = materials.hair(look["hair"])
        self.brows, self.lashes = Brows(head), Lashes(head)
        self.hair_rest = grow_hair(head, hair_count, look["style"])
        self.hair = curves_object("hair", self.hair_rest, look.get("strand", 0.016), fibre)
        self.brow = curves_object("brows", self.brows.strands(points, np.eye(3)), 0.014, fibre)
        self.lash = curves_object("lashes", self.lashes.strands(points), 0.011, materials.plain("lash", (0.012, 0.008, 0.006), 0.5))
        self.shirt, self.shirt_points = shirt(points, look["cloth"])

    def _part(self, name, material, subdivide):
        start, stop = VERTICES[name]
        polygons = self.head.model.faces[slice(*POLYGONS[name])].copy()
        polygons[polygons >= 0] -= start
        thing = mesh_object(name, self.head.rest[start:stop], polygons, material, subdivide=subdivide)
        self.parts.append((thing, start, stop))
        return thing

    def show(self, expression, angles=(0, 0, 0), gaze=(0, 0), tongue=0.0, shift=(0, 0, 0)):
        """Moves every object to the pose; returns the vertices (model axes)."""
        points = self.head.pose(expression, angles, gaze, tongue, shift)
        for thing, start, stop in self.parts:
            thing.data.vertices.foreach_set("co", to_blender(points[start:stop]).reshape(-1))
            thing.data.update()
        move_curves(self.hair, self.head.place(self.hair_rest, angles, shift))
        move_curves(self.brow, self.brows.strands(points, rotation(*angles)))
        move_curves(self.lash, self.lashes.strands(points))
        moved = self.shirt_points + np.asarray(shift)
        self.shirt.data.vertices.foreach_set("co", to_blender(moved).reshape(-1))
        self.shirt.data.update()
        return points


def area_light(name, position, target, size, power, colour=(1, 1, 1)):
    """Square softbox; positions in model axes, power in watts (units are centimetres, hence large)."""
    light = bpy.data.lights.new(name, "AREA")
    light.size, light.energy, light.color = size, power, colour
    thing = bpy.data.objects.new(name, light)
    bpy.context.scene.collection.objects.link(thing)
    aim(thing, position, target)
    return thing


def aim(thing, position, target):
    from mathutils import Vector
    position, target = (Vector(to_blender(np.array(p, float)).tolist()) for p in (position, target))
    thing.location = position
    thing.rotation_euler = (target - position).to_track_quat("-Z", "Y").to_euler()


def camera(position, target, height):
    """Camera whose frame is `height` cm tall at `target`."""
    data = bpy.data.cameras.new("camera")
    distance = float(np.linalg.norm(np.subtract(target, position)))
    data.sensor_fit, data.sensor_height = "VERTICAL", 24.0
    data.angle_y = 2 * math.atan(height / 2 / distance)
    data.clip_end = 2000
    thing = bpy.data.objects.new("camera", data)
    bpy.context.scene.collection.objects.link(thing)
    bpy.context.scene.camera = thing
    aim(thing, position, target)
    return thing


def backdrop(centre, edge, distance=-60.0):
    """Softly lit studio wall behind the person."""
    corners = np.array([[-200, -120, distance], [200, -120, distance], [200, 120, distance], [-200, 120, distance]], float)
    wall = mesh_object("wall", corners, np.array([[0, 1, 2, 3]]), materials.glow("wall", centre, edge, (12, -distance, 4), 75.0), smooth=False)
    wall.visible_diffuse = wall.visible_glossy = wall.visible_shadow = False
    return wall


def renderer(width, height, samples, threads=1, denoise=True, seed=0):
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.device, cycles.samples, cycles.seed = "CPU", samples, seed
    cycles.use_adaptive_sampling, cycles.adaptive_threshold, cycles.adaptive_min_samples = True, 0.04, max(4, samples // 3)
    cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 2, 1, 1
    cycles.transparent_max_bounces, cycles.sample_clamp_indirect = 4, 3.0
    cycles.caustics_reflective = cycles.caustics_refractive = False
    cycles.use_denoising = denoise
    if denoise:
        cycles.denoiser, cycles.denoising_prefilter, cycles.denoising_quality = "OPENIMAGEDENOISE", "FAST", "BALANCED"
    cycles.use_light_tree = False  # a handful of lights: the tree costs a quarter of the time
    scene.cycles_curves.shape = "RIBBONS"
    scene.render.use_persistent_data = True
    scene.render.threads_mode, scene.render.threads = "FIXED", threads
    scene.render.resolution_x, scene.render.resolution_y, scene.render.resolution_percentage = width, height, 100
    scene.view_settings.view_transform = "Standard"
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGB"


def clear():
    bpy.ops.wm.read_factory_settings(use_empty=True)
    world = bpy.data.worlds.new("world")
    bpy.context.scene.world = world
    world.use_nodes = True


def ambient(colour, strength):
    node = bpy.context.scene.world.node_tree.nodes["Background"]
    node.inputs[0].default_value, node.inputs[1].default_value = (*colour, 1), strength


def crop(left, top, right, bottom):
    """Renders only this part of the frame (fractions from the top left)."""
    settings = bpy.context.scene.render
    settings.use_border = settings.use_crop_to_border = True
    settings.border_min_x, settings.border_max_x = left, right
    settings.border_min_y, settings.border_max_y = 1 - bottom, 1 - top


def render(path):
    bpy.context.scene.render.filepath = path
    bpy.ops.render.render(write_still=True)
