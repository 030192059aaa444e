"""Procedural looks: skin tints by vertex, and the node materials of skin, eyes, mouth, hair and cloth."""
import bpy
import numpy as np

from face_model import LANDMARKS, VERTICES, smoothstep
from head import brow_mask, scalp_mask


def _outline(points, count=96):
    """Closed smooth (Catmull-Rom) curve through `points` (n,2)."""
    n = len(points)
    t = np.linspace(0, n, count, endpoint=False)
    i, f = t.astype(int), (t % 1)[:, None]
    p0, p1, p2, p3 = (points[(i + k) % n] for k in (-1, 0, 1, 2))
    return 0.5 * (2 * p1 + (p2 - p0) * f + (2 * p0 - 5 * p1 + 4 * p2 - p3) * f ** 2 + (3 * p1 - p0 - 3 * p2 + p3) * f ** 3)


def _signed_distance(points, outline):
    """Distance to a closed outline in the plane: positive inside."""
    a, b = outline, np.roll(outline, -1, 0)
    edge = b - a
    t = ((points[:, None] - a) * edge).sum(2) / np.maximum((edge ** 2).sum(1), 1e-12)
    nearest = a + np.clip(t, 0, 1)[..., None] * edge
    distance = np.linalg.norm(points[:, None] - nearest, axis=2).min(1)
    y = points[:, None, 1]
    crosses = (a[:, 1] > y) != (b[:, 1] > y)
    x = a[:, 0] + (y - a[:, 1]) / np.where(b[:, 1] == a[:, 1], 1e-9, b[:, 1] - a[:, 1]) * edge[:, 0]
    inside = (crosses & (points[:, None, 0] < x)).sum(1) % 2 == 1
    return np.where(inside, distance, -distance)


def lip_mask(neutral):
    """0..1 by vertex of the generic face: the red of the lips with a soft border."""
    mask = np.zeros(len(neutral))
    outline = _outline(neutral[LANDMARKS[48:60], :2].astype(float))
    near = np.nonzero((np.abs(neutral[:, 0]) < 4) & (np.abs(neutral[:, 1] + 3.4) < 2) & (neutral[:, 2] > 8)
                      & (np.arange(len(neutral)) < VERTICES["face"][1]))[0]
    mask[near] = smoothstep(-0.10, 0.16, _signed_distance(neutral[near, :2].astype(float), outline))
    return mask


def skin_tint(model, look):
    """(V,3) linear colour and (V,) roughness of the skin.

    look: `skin`, `lips`, `hair` linear RGB; `flush` 0..1 redness; `stubble` 0..1.
    """
    x, y, z = model.neutral.T
    blob = lambda cx, cy, cz, r: np.exp(-(((np.abs(x) - cx) / r) ** 2 + ((y - cy) / r) ** 2 + ((z - cz) / r) ** 2))
    skin, lips, hair = (np.array(look[k], float) for k in ("skin", "lips", "hair"))
    colour = np.tile(skin, (len(x), 1))
    mix = lambda amount, target: colour + np.clip(amount, 0, 1)[:, None] * (target - colour)
    red = skin * [1.05, 0.70, 0.66]
    flush = blob(4.3, 0.2, 9, 2.0) + 0.9 * blob(0, 0.4, 13, 1.7) + 0.5 * blob(1.2, -0.6, 11, 0.9) + 0.35 * blob(0, -6.8, 11, 1.6)
    flush = flush + 0.8 * smoothstep(7.7, 8.6, np.abs(x)) * (y > -3) + 0.25 * blob(0, 8, 11, 2.5)
    colour = mix(look["flush"] * flush, red)
    colour = mix(0.55 * (blob(3.1, 4.45, 9.4, 0.95) + blob(3.0, 2.5, 9.3, 0.85)), skin * [0.86, 0.68, 0.66])
    beard = smoothstep(-1.6, -2.6, y + 0.10 * np.abs(x) - 0.25 * np.maximum(np.abs(x) - 3.2, 0)) * smoothstep(1.5, 4.5, z)
    beard = beard * smoothstep(-10.5, -8.0, y)
    colour = mix(look["stubble"] * beard, 0.62 * skin + 0.38 * hair)
    colour = mix(0.85 * scalp_mask(model.neutral) * (np.arange(len(x)) < VERTICES["mouth_socket"][0])
                 * (1 - (np.abs(x) > 7.75) * (y < 4.2)), 0.75 * hair + 0.25 * skin)
    colour = mix(0.35 * brow_mask(model.neutral), hair)
    mouth = lip_mask(model.neutral)
    colour = mix(mouth, lips)
    start, stop = VERTICES["mouth_socket"]
    depth = smoothstep(10.5, 5.0, z[start:stop])[:, None]
    colour[start:stop] = lips * (1 - depth) + np.array([0.16, 0.02, 0.02]) * depth
    start, stop = VERTICES["eye_sockets"]
    colour[start:stop] = 0.5 * skin + 0.5 * np.array([0.55, 0.16, 0.14])
    rough = 0.52 - 0.16 * mouth - 0.08 * blob(0, 0.4, 13, 2.0) - 0.05 * blob(0, 8, 11, 3.0)
    start, stop = VERTICES["mouth_socket"]
    rough[start:stop] = 0.25
    return colour, rough


def _new(name):
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes = material.node_tree.nodes
    return material, nodes, material.node_tree.links, nodes["Principled BSDF"]


def _attribute(nodes, name):
    node = nodes.new("ShaderNodeAttribute")
    node.attribute_name = name
    return node


def _noise(nodes, links, vector, scale, detail=3.0):
    node = nodes.new("ShaderNodeTexNoise")
    node.inputs["Scale"].default_value = scale
    node.inputs["Detail"].default_value = detail
    links.new(vector, node.inputs["Vector"])
    return node.outputs["Fac"]


def _math(nodes, links, operation, a, b):
    node = nodes.new("ShaderNodeMath")
    node.operation = operation
    for socket, value in zip(node.inputs, (a, b)):
        if isinstance(value, (int, float)):
            socket.default_value = value
        else:
            links.new(value, socket)
    return node.outputs[0]


def skin(subsurface=True):
    """Reads the vertex attributes `tint`, `rough`, `rest`; mottling and pores from noise in rest space."""
    material, nodes, links, bsdf = _new("skin")
    tint, rest, rough = (_attribute(nodes, n) for n in ("tint", "rest", "rough"))
    coarse = _noise(nodes, links, rest.outputs["Vector"], 0.9)
    fine = _noise(nodes, links, rest.outputs["Vector"], 5.0)
    pores = _noise(nodes, links, rest.outputs["Vector"], 11.0, 2.0)
    shade = _math(nodes, links, "ADD", _math(nodes, links, "MULTIPLY", coarse, 0.22), _math(nodes, links, "MULTIPLY", fine, 0.34))
    shade = _math(nodes, links, "ADD", shade, 0.72)
    ruddy = nodes.new("ShaderNodeCombineColor")
    links.new(_math(nodes, links, "POWER", shade, 0.35), ruddy.inputs[0])
    links.new(shade, ruddy.inputs[1])
    links.new(_math(nodes, links, "POWER", shade, 1.1), ruddy.inputs[2])
    product = nodes.new("ShaderNodeVectorMath")
    product.operation = "MULTIPLY"
    links.new(tint.outputs["Vector"], product.inputs[0])
    links.new(ruddy.outputs[0], product.inputs[1])
    links.new(product.outputs[0], bsdf.inputs["Base Color"])
    links.new(rough.outputs["Fac"], bsdf.inputs["Roughness"])
    bump = nodes.new("ShaderNodeBump")
    bump.inputs["Strength"].default_value = 0.35
    bump.inputs["Distance"].default_value = 0.05
    links.new(pores, bump.inputs["Height"])
    links.new(bump.outputs[0], bsdf.inputs["Normal"])
    bsdf.inputs["Specular IOR Level"].default_value = 0.42
    if subsurface:
        bsdf.subsurface_method = "BURLEY"  # as fast as no subsurface at all, and far less noise than the random walk
        bsdf.inputs["Subsurface Weight"].default_value = 0.9
        bsdf.inputs["Subsurface Radius"].default_value = (1.0, 0.36, 0.2)
        bsdf.inputs["Subsurface Scale"].default_value = 0.28
    return material


def eye(iris):
    """Painted by the vertex attribute `angle` (radians from the optical axis); `iris` linear RGB."""
    material, nodes, links, bsdf = _new("eye")
    angle, rest = _attribute(nodes, "angle"), _attribute(nodes, "rest")
    ramp = nodes.new("ShaderNodeValToRGB")
    stops = [(0.0, (0.004, 0.004, 0.004)), (0.125, (0.004, 0.004, 0.004)), (0.145, tuple(0.55 * c for c in iris)),
             (0.22, tuple(iris)), (0.335, tuple(0.7 * c for c in iris)), (0.375, tuple(0.12 * c for c in iris)),
             (0.42, (0.56, 0.52, 0.50)), (0.60, (0.66, 0.61, 0.58)), (1.0, (0.58, 0.36, 0.33))]
    while len(ramp.color_ramp.elements) < len(stops):
        ramp.color_ramp.elements.new(0.5)
    for element, (position, colour) in zip(ramp.color_ramp.elements, stops):
        element.position, element.color = position, (*colour, 1)
    links.new(angle.outputs["Fac"], ramp.inputs[0])
    streaks = _noise(nodes, links, rest.outputs["Vector"], 6.0)
    shade = _math(nodes, links, "ADD", _math(nodes, links, "MULTIPLY", streaks, 0.5), 0.75)
    scale = nodes.new("ShaderNodeVectorMath")
    scale.operation = "SCALE"
    links.new(ramp.outputs[0], scale.inputs[0])
    links.new(shade, scale.inputs["Scale"])
    links.new(scale.outputs[0], bsdf.inputs["Base Color"])
    bsdf.inputs["Roughness"].default_value = 0.35
    bsdf.inputs["Coat Weight"].default_value = 1.0
    bsdf.inputs["Coat Roughness"].default_value = 0.03
    return material


def teeth(subsurface):
    """Enamel, by the vertex attribute `tint`: the back teeth lie in the shade of the cheeks."""
    material = plain("teeth", (0.74, 0.68, 0.57), 0.25, coat=0.3, subsurface=0.1 * subsurface)
    nodes, links = material.node_tree.nodes, material.node_tree.links
    links.new(_attribute(nodes, "tint").outputs["Vector"], nodes["Principled BSDF"].inputs["Base Color"])
    return material


def teeth_tint(neutral):
    """(n,3) linear colour of the teeth at the points `neutral` of the generic head."""
    front = smoothstep(7.6, 9.6, neutral[:, 2])[:, None]
    return front * [0.74, 0.68, 0.57] + (1 - front) * [0.30, 0.13, 0.10]


def plain(name, colour, roughness, coat=0.0, subsurface=0.0, mottle=0.0):
    """One colour with optional wet coat, translucency (scale in cm) and noise."""
    material, nodes, links, bsdf = _new(name)
    bsdf.inputs["Base Color"].default_value = (*colour, 1)
    bsdf.inputs["Roughness"].default_value = roughness
    bsdf.inputs["Coat Weight"].default_value = coat
    bsdf.inputs["Coat Roughness"].default_value = 0.12
    if subsurface:
        bsdf.subsurface_method = "BURLEY"
        bsdf.inputs["Subsurface Weight"].default_value = 0.6
        bsdf.inputs["Subsurface Radius"].default_value = (1.0, 0.6, 0.45)
        bsdf.inputs["Subsurface Scale"].default_value = subsurface
    if mottle:
        coordinates = nodes.new("ShaderNodeTexCoord")
        bump = nodes.new("ShaderNodeBump")
        bump.inputs["Strength"].default_value = mottle
        bump.inputs["Distance"].default_value = 0.08
        links.new(_noise(nodes, links, coordinates.outputs["Object"], 7.0), bump.inputs["Height"])
        links.new(bump.outputs[0], bsdf.inputs["Normal"])
    return material


def hair(colour):
    """Fibre: dielectric gloss over pigment, slightly different from strand to strand."""
    material, nodes, links, bsdf = _new("hair")
    info = nodes.new("ShaderNodeHairInfo")
    scale = nodes.new("ShaderNodeVectorMath")
    scale.operation = "SCALE"
    scale.inputs[0].default_value = colour
    links.new(_math(nodes, links, "ADD", _math(nodes, links, "MULTIPLY", info.outputs["Random"], 0.9), 0.55), scale.inputs["Scale"])
    links.new(scale.outputs[0], bsdf.inputs["Base Color"])
    bsdf.inputs["Roughness"].default_value = 0.5
    bsdf.inputs["Specular IOR Level"].default_value = 0.22
    return material


def glow(name, centre, edge, middle, reach):
    """Emission falling from `centre` to `edge` colour with the distance from `middle` (object space)."""
    material = bpy.data.materials.new(name)
    material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    nodes.remove(nodes["Principled BSDF"])
    emission = nodes.new("ShaderNodeEmission")
    coordinates, distance = nodes.new("ShaderNodeTexCoord"), nodes.new("ShaderNodeVectorMath")
    distance.operation = "DISTANCE"
    distance.inputs[1].default_value = middle
    links.new(coordinates.outputs["Object"], distance.inputs[0])
    ramp = nodes.new("ShaderNodeValToRGB")
    ramp.color_ramp.interpolation = "EASE"
    ramp.color_ramp.elements[0].color, ramp.color_ramp.elements[1].color = (*centre, 1), (*edge, 1)
    links.new(_math(nodes, links, "DIVIDE", distance.outputs["Value"], reach), ramp.inputs[0])
    links.new(ramp.outputs[0], emission.inputs[0])
    links.new(emission.outputs[0], nodes["Material Output"].inputs[0])
    return material
