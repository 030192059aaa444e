"""What a picture shows, drawn at random: who, how they look, what their mouth does, light and camera."""
import numpy as np

from speech import ARTICULATORS, expression

# Linear RGB of skin from very light to very dark, chosen by eye; between them it is mixed.
SKIN = np.array([(0.74, 0.52, 0.43), (0.60, 0.38, 0.28), (0.50, 0.30, 0.20), (0.36, 0.20, 0.12), (0.22, 0.11, 0.065),
                 (0.10, 0.048, 0.03), (0.045, 0.024, 0.017)])
HAIR = np.array([(0.004, 0.003, 0.003), (0.02, 0.012, 0.008), (0.06, 0.03, 0.015), (0.15, 0.08, 0.035), (0.35, 0.22, 0.09),
                 (0.25, 0.06, 0.015), (0.30, 0.29, 0.28), (0.62, 0.60, 0.57)])
IRIS = np.array([(0.05, 0.025, 0.012), (0.14, 0.07, 0.03), (0.20, 0.16, 0.06), (0.12, 0.20, 0.28), (0.22, 0.24, 0.26)])
LIPSTICK = np.array([(0.45, 0.02, 0.03), (0.55, 0.12, 0.16), (0.25, 0.01, 0.04), (0.35, 0.10, 0.06), (0.60, 0.20, 0.25), (0.12, 0.01, 0.05)])
PROPS = ["microphone"] * 4 + ["hand"] * 5 + ["cup"] * 2 + ["phone"] * 2 + ["mask"] * 2 + ["scarf"]


def coefficients(rng):
    """100 identity coefficients: a plausible, not too average, person."""
    return rng.normal(0, 1, 100) * rng.uniform(0.6, 1.15)


def look(rng):
    """Colours and growth of one person."""
    place = rng.uniform(0, len(SKIN) - 1)
    low = min(int(place), len(SKIN) - 2)
    skin = (SKIN[low] + (place - low) * (SKIN[low + 1] - SKIN[low])) * rng.uniform(0.85, 1.15) * rng.uniform(0.95, 1.05, 3)
    woman = rng.random() < 0.5
    dark = place / (len(SKIN) - 1)
    hair = HAIR[rng.integers(0, 3) if rng.random() < 0.3 + 0.65 * dark else rng.integers(len(HAIR))] * rng.uniform(0.7, 1.4)
    pink = np.array([0.44, 0.14, 0.13])
    lips = skin * [0.92, 0.56, 0.56] * rng.uniform(0.75, 1.05) * 0.75 + 0.25 * pink * (1 - 0.6 * dark)
    if rng.random() < (0.4 if woman else 0.03):
        lips = lips + rng.uniform(0.4, 0.95) * (LIPSTICK[rng.integers(len(LIPSTICK))] * rng.uniform(0.6, 1.3) - lips)
    if rng.random() < 0.12:
        lips = skin * [0.95, 0.85, 0.85]  # pale lips that hardly stand out
    beard = None
    if not woman and rng.random() < 0.42:
        beard = (rng.choice([0.05, 0.5, 1.0]), float(np.exp(rng.normal(np.log(0.5), 0.5))))
    return {
        "skin": skin, "lips": lips, "hair": hair, "iris": IRIS[0 if rng.random() < 0.4 + 0.5 * dark else rng.integers(len(IRIS))],
        "cloth": rng.uniform(0.02, 0.6, 3) ** 1.5, "flush": rng.uniform(0, 0.8), "stubble": 0.0 if woman else rng.uniform(0, 1) ** 1.5,
        "teeth": rng.uniform(0.7, 1.15) * np.array([1, rng.uniform(0.9, 1.02), rng.uniform(0.75, 1.05)]),
        "beard": beard, "style": style(rng, woman), "glasses": glasses(rng), "hat": hat(rng),
    }


def style(rng, woman):
    """Hair as `head.grow_hair` takes it, or None for a bald head."""
    if rng.random() < (0.02 if woman else 0.15):
        return None
    long = rng.random() < (0.75 if woman else 0.08)
    top = rng.uniform(4, 9) if long else np.exp(rng.uniform(np.log(0.6), np.log(5)))
    return {"top": top, "side": rng.uniform(9, 22) if long else min(top, rng.uniform(0.4, 2.0)), "part": rng.uniform(-3.5, 3.5),
            "lift": rng.uniform(0.1, 0.5), "curl": rng.uniform(0, 0.3) if rng.random() < 0.6 else rng.uniform(0.3, 1.2),
            "fall": rng.uniform(0.5, 1.0) if long else rng.uniform(0.2, 0.5)}


def glasses(rng):
    """Frame size, rim thickness, colour, tint of the lenses (None: no glass) – or None."""
    if rng.random() > 0.25:
        return None
    dark = rng.random() < 0.25
    return {"width": rng.uniform(1.9, 2.7), "height": rng.uniform(1.4, 2.4), "round": rng.uniform(0.45, 1.0), "rim": rng.uniform(0.06, 0.22),
            "colour": rng.uniform(0, 0.5, 3) if rng.random() < 0.4 else np.full(3, rng.uniform(0.005, 0.05)),
            "lens": rng.uniform(0.003, 0.05, 3) if dark else None}


def hat(rng):
    """Thickness, height of its edge and colour – or None."""
    if rng.random() > 0.1:
        return None
    return {"thick": rng.uniform(0.5, 1.0), "edge": rng.uniform(6.0, 8.5), "hood": rng.random() < 0.35, "colour": rng.uniform(0.01, 0.7, 3)}


def mouth(rng):
    """Expression weights of the mouth and the lift of the tongue."""
    u = lambda low, high: float(rng.uniform(low, high))
    kind = rng.choice(["rest", "speech", "wide", "smile", "press", "round", "aside", "wild"],
                      p=[0.06, 0.36, 0.13, 0.14, 0.08, 0.11, 0.06, 0.06])
    if kind == "rest":
        return {"jawOpen": u(0, 0.03), "mouthFrown": u(0, 0.4)}, 0.0
    if kind == "speech":
        drawn = {name: u(0, 1) * (rng.random() < 0.45) for name in ARTICULATORS}
        drawn.update(jaw=abs(rng.normal(0.18, 0.14)), part=u(0.3, 1) if rng.random() < 0.8 else 0.0)
        if drawn["round"] + drawn["funnel"] > 0.3:
            drawn["spread"] = drawn["bare"] = 0.0
        return expression(drawn)
    if kind == "wide":
        return {"jawOpen": u(0.45, 1.0), "mouthSmile": u(0, 0.4), "mouthStretch": u(0, 0.6), "mouthUpperUp": u(0, 0.5),
                "mouthLowerDown": u(0, 0.5), "mouthFunnel": u(0, 0.4) * (rng.random() < 0.3)}, u(0, 1) * (rng.random() < 0.3)
    if kind == "smile":
        jaw = u(0, 0.3) * (rng.random() < 0.6)
        return {"mouthSmile": u(0.4, 1), "mouthUpperUp": u(0.1, 0.7), "mouthLowerDown": u(0, 0.5), "jawOpen": jaw,
                "mouthDimple": u(0, 0.5), "cheekSquint": u(0.2, 0.8)}, 0.0
    if kind == "press":
        jaw = u(0, 0.25)
        return {"mouthPress": u(0.3, 1), "mouthRollLower": u(0, 0.9), "mouthRollUpper": u(0, 0.9), "jawOpen": jaw,
                "mouthClose": 0.94 * jaw, "mouthShrugLower": u(0, 0.5), "mouthFrown": u(0, 0.5)}, 0.0
    if kind == "round":
        return {"mouthPucker": u(0.2, 1), "mouthFunnel": u(0, 0.9), "jawOpen": u(0, 0.4)}, 0.0
    if kind == "aside":
        side = rng.choice(["Left", "Right"])
        return {f"jaw{side}": u(0, 1), f"mouth{side}": u(0.2, 1), "jawOpen": u(0, 0.45), "jawForward": u(0, 0.6)}, 0.0
    names = ["jawOpen", "mouthDimple", "mouthFrown", "mouthFunnel", "mouthLowerDown", "mouthPucker", "mouthShrugLower", "mouthShrugUpper",
             "mouthSmile", "mouthStretch", "mouthUpperUp", "cheekPuff", "noseSneer", "jawForward"]
    return {name: u(0, 0.7) for name in rng.choice(names, 4, replace=False)}, 0.0


def face(rng):
    """Whole expression (mouth, brows, lids; one side may lag), tongue."""
    weights, tongue = mouth(rng)
    weights = {name: value * rng.uniform(0.85, 1.15) for name, value in weights.items()}
    if rng.random() < 0.35:  # crooked
        for name in [n for n in weights if n.startswith("mouth") and n[5:] in ("Smile", "Frown", "Stretch", "UpperUp", "LowerDown", "Dimple")]:
            value, lag = weights.pop(name), rng.uniform(0.2, 1)
            left = rng.random() < 0.5
            weights[name + "_L"], weights[name + "_R"] = value * (1 if left else lag), value * (lag if left else 1)
    for name in ("browDown", "browInnerUp", "browOuterUp", "eyeSquint", "eyeWide", "noseSneer", "cheekSquint"):
        if rng.random() < 0.3:
            weights[name] = weights.get(name, 0) + rng.uniform(0, 0.6)
    blink = rng.random()
    weights["eyeBlink"] = 1.0 if blink < 0.08 else rng.uniform(0, 0.6) if blink < 0.3 else 0.0
    return weights, float(tongue)


def angles(rng):
    """Yaw, pitch, roll in degrees; many between 30 and 50 degrees of yaw."""
    draw = rng.random()
    far = rng.choice([-1, 1]) * rng.uniform(30, 50 if draw < 0.92 else 60)
    yaw = rng.normal(0, 10) if draw < 0.35 else rng.uniform(-30, 30) if draw < 0.6 else far
    return float(yaw), float(np.clip(rng.normal(0, 10), -30, 30)), float(np.clip(rng.normal(0, 8), -25, 25))


def towards(azimuth, elevation):
    """Unit vector in model axes; degrees to the person's left and up from straight ahead."""
    a, e = np.radians([azimuth, elevation])
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


def lights(rng):
    """Key, fill and rim as (direction towards it, size, strength, colour), the ambient (colour, strength), and the exposure."""
    warm = lambda: np.clip(1 + np.array([1, 0.1, -1]) * rng.normal(0, 0.15), 0.3, 2)
    gel = lambda: rng.uniform(0.1, 1, 3) if rng.random() < 0.08 else warm()
    hard, side, back = rng.random() < 0.2, rng.random() < 0.25, rng.random() < 0.12
    azimuth = rng.choice([-1, 1]) * (rng.uniform(55, 100) if side else rng.uniform(0, 55))
    key = (towards(azimuth, rng.uniform(-15, 65)), rng.uniform(3, 12) if hard else rng.uniform(25, 90), 0.25 if back else 1.0, gel())
    weak = rng.uniform(0, 0.12) if side else rng.uniform(0.05, 0.7)
    fill = (towards(-azimuth * rng.uniform(0.3, 1.2), rng.uniform(-30, 40)), rng.uniform(40, 100), weak, gel())
    rim = (towards(rng.uniform(120, 240), rng.uniform(0, 60)), 40, rng.uniform(2, 5) if back else rng.uniform(0, 1.5) * (rng.random() < 0.5), gel())
    ambient = (warm() * rng.uniform(0.7, 1, 3), rng.uniform(0.02, 0.6) * (0.4 if side else 1))
    exposure = rng.uniform(0.07, 0.3) if rng.random() < 0.15 else float(np.exp(rng.normal(0.25, 0.3)))
    return [key, fill, rim], ambient, exposure
