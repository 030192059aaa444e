"""Random light, colour, sharpness, noise and compression."""

import cv2
import numpy as np

_NOISE = np.random.default_rng(7).normal(0, 1, 1 << 22).astype(np.float32)


def tone_curves(rng, strength=1.0):
    """A 256-entry table per channel: exposure, gamma, contrast, offset, white balance; sometimes very dark."""
    level = np.linspace(0, 1, 256)
    if rng.random() < 0.15 * strength:
        gain, gamma = rng.uniform(0.15, 0.6), rng.uniform(0.9, 1.6)
    else:
        gain, gamma = np.exp(rng.normal(0, 0.22) * strength), np.exp(rng.normal(0, 0.25) * strength)
    curve = gain * level**gamma
    curve = (curve - 0.5) * np.exp(rng.normal(0, 0.15) * strength) + 0.5 + rng.normal(0, 0.05) * strength
    balance = 1 + rng.normal(0, 0.07, 3) * strength
    return np.clip(curve[:, None] * balance * 255, 0, 255).astype(np.uint8)


def degrade(image, rng):
    """Tone, then maybe grey, sharpening, blur, low resolution, JPEG. uint8 RGB in and out."""
    side = image.shape[0]
    image = cv2.LUT(image, tone_curves(rng)[None])
    draw = rng.random(6)
    if draw[0] < 0.08:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if draw[1] < 0.3:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.7, 1.6))
        image = cv2.addWeighted(image, 2.2, soft, -1.2, 0) if rng.random() < 0.4 else cv2.addWeighted(image, 1.6, soft, -0.6, 0)
    elif draw[2] < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.4, side / 55))
    if draw[3] < 0.08:
        length = int(rng.integers(3, max(4, side // 12)))
        kernel = cv2.warpAffine(
            np.pad(np.ones((1, length), np.float32), ((length // 2, length - 1 - length // 2), (0, 0))),
            cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1), (length, length))
        image = cv2.filter2D(image, -1, kernel / max(kernel.sum(), 1e-3))
    if draw[4] < 0.2:
        small = int(side * rng.uniform(0.2, 0.75))
        narrow = max(8, small * image.shape[1] // side)
        image = cv2.resize(cv2.resize(image, (narrow, max(8, small)), interpolation=cv2.INTER_AREA), image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    if draw[5] < 0.2:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(12, 80))])
        image = cv2.imdecode(data, 1)
    return image


def light_and_noise(batch, rng):
    """Side light and sensor noise on a float batch (n, h, w, channels) of 0..255, in place."""
    n, height, width = batch.shape[:3]
    for k in range(n):
        if rng.random() < 0.3:
            ramp = np.linspace(rng.uniform(0.25, 1), rng.uniform(0.7, 1.35), width if rng.random() < 0.75 else height, dtype=np.float32)
            if rng.random() < 0.5:
                ramp = ramp[::-1]
            batch[k] *= ramp[None, :, None] if len(ramp) == width else ramp[:, None, None]
        if rng.random() < 0.35:
            start = rng.integers(0, len(_NOISE) - batch[k].size) if batch[k].size < len(_NOISE) else 0
            batch[k] += _NOISE[start:start + batch[k].size].reshape(batch[k].shape) * np.float32(rng.uniform(1.5, 12))
    return np.clip(batch, 0, 255, out=batch)
