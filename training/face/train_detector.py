"""Train the face detector on composed scenes: focal loss on scores, smooth L1 on boxes."""

import numpy as np
import torch

from nets import STRIDES, DetectorNet
from scenes import scene, scene_batch
from training import arguments, fit, load_faces

RANGES = ((0, 54), (34, 132), (84, 10_000))  # long sides, in pixels, that each stride answers for


def targets(boxes, counts, heights, widths):
    """Per level: score target (n, cells) of 1 face, 0 none, -1 ignored, and raw boxes (n, cells, 4)."""
    levels = []
    for stride, (low, high), height, width in zip(STRIDES, RANGES, heights, widths):
        ys, xs = torch.meshgrid(torch.arange(height) * stride + stride / 2, torch.arange(width) * stride + stride / 2, indexing="ij")
        xs, ys = xs.flatten().float(), ys.flatten().float()
        score = torch.zeros(len(boxes), height * width)
        wanted = torch.zeros(len(boxes), height * width, 4)
        for n, count in enumerate(counts.tolist()):
            for x, y, w, h in boxes[n, :count].tolist():
                side = max(w, h)
                dx, dy = x - xs, y - ys
                distance = torch.maximum(dx.abs(), dy.abs())
                near = distance < max(0.6 * stride, 0.14 * side)
                fits = low <= side <= high
                loose = distance < max(1.3 * stride, 0.3 * side)
                if fits or low * 0.75 <= side <= high * 1.33:
                    score[n, loose & (score[n] < 1)] = -1
                if fits:
                    score[n, near] = 1
                    raw = torch.stack([dx, dy], 1) / (4 * stride)
                    wanted[n, near, :2] = raw[near]
                    wanted[n, near, 2:] = torch.tensor([w, h]).div(4 * stride).log()
        levels.append((score, wanted))
    return levels


def loss(net, images, boxes, counts):
    raw = net.raw(images.contiguous(memory_format=torch.channels_last))
    score_loss, box_loss, positives = 0.0, 0.0, 0
    for level, (score, wanted) in zip(raw, targets(boxes, counts, [r.shape[2] for r in raw], [r.shape[3] for r in raw])):
        level = level.float().flatten(2).transpose(1, 2)
        logit, truth = level[..., 4], (score > 0).float()
        certainty = torch.sigmoid(logit)
        focus = torch.where(truth > 0, 1 - certainty, certainty) ** 2 * torch.where(truth > 0, 0.6, 0.4)
        cross = torch.nn.functional.binary_cross_entropy_with_logits(logit, truth, reduction="none")
        score_loss = score_loss + (focus * cross * (score >= 0)).sum()
        if truth.any():
            here = truth > 0
            size = torch.exp(wanted[here][:, 2:])  # centre errors count relative to the face
            error = torch.cat([(level[here][:, :2] - wanted[here][:, :2]) / size, level[here][:, 2:4] - wanted[here][:, 2:]], 1)
            box_loss = box_loss + torch.nn.functional.smooth_l1_loss(error, torch.zeros_like(error), beta=0.05, reduction="sum")
        positives += int(truth.sum())
    return (score_loss * 4 + box_loss) / max(positives, 8)


def overlap_of(box, boxes):
    """Intersection over union of one box with many (centre x, y, w, h)."""
    low = np.maximum(box[:2] - box[2:] / 2, boxes[:, :2] - boxes[:, 2:] / 2)
    high = np.minimum(box[:2] + box[2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2)
    shared = np.clip(high - low, 0, None).prod(1)
    return shared / (box[2:].prod() + boxes[:, 2:].prod(1) - shared)


def suppress(boxes, scores, threshold=0.5, limit=0.4):
    """Greedy non-maximum suppression; returns the kept boxes and scores, best first."""
    order = [k for k in np.argsort(-scores) if scores[k] >= threshold]
    kept = []
    for k in order:
        if not kept or overlap_of(boxes[k], boxes[kept]).max() < limit:
            kept.append(k)
    return boxes[kept], scores[kept]


def report(faces):
    rng = np.random.default_rng(5)
    frames = [scene(288, 512, faces, rng) for _ in range(60)]

    def measure(net):
        sizes, hits, wrong, overlaps = [], [], 0, []
        for picture, boxes in frames:
            image = torch.from_numpy(picture.transpose(2, 0, 1)[None].astype(np.float32) / 127.5 - 1)
            found, scores = (t[0].float().numpy() for t in net(image))
            found, _ = suppress(found, scores)
            matched = np.zeros(len(found), bool)
            for box in boxes:
                ious = overlap_of(box, found) if len(found) else np.zeros(1)
                sizes.append(box[2:].max())
                hits.append(ious.max() > 0.4)
                overlaps.append(ious.max())
                if len(found):
                    matched[ious.argmax()] |= ious.max() > 0.3
            wrong += (~matched).sum()
        sizes, hits, overlaps = map(np.array, (sizes, hits, overlaps))
        big = sizes > 24
        return f"recall small {hits[~big].mean():.3f} large {hits[big].mean():.3f} iou {overlaps[hits].mean():.3f} wrong per frame {wrong / len(frames):.3f}"

    return measure


def main():
    options = arguments(__doc__)
    training, validation = load_faces(options)
    net = DetectorNet()
    print("parameters", sum(p.numel() for p in net.parameters()))
    fit(net, lambda r: scene_batch(training, r), loss, report(validation), options)


if __name__ == "__main__":
    main()
