"""Measure the exported nets on clips of people they never saw, against FaceMesh points of those clips.

Tracks as the product does: crop from the previous frame's points, landmark net, mouth crop, mouth net twice.
"""

import argparse
import pathlib
import time

import cv2
import numpy as np
import onnxruntime

from batches import FACE_SIDE, GRAY, MOUTH_REACH, MOUTH_SIDE, crop_matrix, face_frame, normalise
from crops import Layout
from train_detector import overlap_of, suppress

HERE = pathlib.Path(__file__).parent
LIPS = slice(0, 40)


def sample(frame, matrix, size):
    """Warp with the picture first halved as often as the crop shrinks it, so nothing aliases."""
    shrink = 1 / np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    while shrink > 1.6:
        frame = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix = np.hstack([matrix[:, :2] * (2 * frame.shape[1] / (2 * frame.shape[1])), matrix[:, 2:]])
        matrix[:, :2] *= 2
        shrink /= 2
    return cv2.warpAffine(frame, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def back(points, matrix):
    return (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


class Tracker:
    def __init__(self, nets, layout):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = lambda name: onnxruntime.InferenceSession(str(pathlib.Path(nets) / f"{name}.onnx"), options)
        self.detector, self.landmarks, self.mouth, self.layout = session("detector"), session("landmarks"), session("mouth"), layout

    def detect(self, frame, longest=512, threshold=0.5):
        scale = longest / max(frame.shape[:2])
        small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        height, width = (-(-v // 32) * 32 for v in small.shape[:2])
        image = np.zeros((1, 3, height, width), np.float32)
        image[0, :, :small.shape[0], :small.shape[1]] = (small.astype(np.float32) / 127.5 - 1).transpose(2, 0, 1)
        boxes, scores = self.detector.run(None, {"image": image})
        boxes, scores = suppress(boxes[0], scores[0], threshold)
        return boxes / scale, scores

    def face(self, frame, centre, side, angle):
        """Points (159, 3) in pixels and presence."""
        matrix = crop_matrix(centre, side, angle, FACE_SIDE)
        crop = sample(frame, matrix, FACE_SIDE).astype(np.float32) / 127.5 - 1
        points, presence = self.landmarks.run(None, {"image": crop.transpose(2, 0, 1)[None]})
        points = points[0].astype(np.float64) * FACE_SIDE
        return np.hstack([back(points[:, :2], matrix), points[:, 2:] * side / FACE_SIDE]), float(presence[0, 0])

    def lips(self, frame, lips, scale, angle):
        matrix = crop_matrix(lips.mean(0), MOUTH_REACH * scale, angle, MOUTH_SIDE)
        gray = sample(frame, matrix, MOUTH_SIDE).astype(np.float32) @ GRAY
        points, visible = self.mouth.run(None, {"image": normalise(gray[None])[:, None].astype(np.float32)})
        return back(points[0] * MOUTH_SIDE, matrix), float(visible[0, 0])


def opening(lips, unit):
    gap = lambda a, b: np.linalg.norm(lips[a] - lips[b])
    return (gap(25, 35) + 0.5 * (gap(23, 33) + gap(27, 37))) / 2 / unit


def match_boxes(truth, found):
    """How many of the `truth` boxes are found, and how many found boxes match none."""
    hit = [len(found) > 0 and overlap_of(box, found).max() > 0.35 for box in truth]
    loose = [not len(truth) or overlap_of(box, truth).max() < 0.2 for box in found]
    return sum(hit), sum(loose)


def boxes_of(points):
    low, high = points[..., :2].min(1), points[..., :2].max(1)
    return np.hstack([(low + high) / 2, high - low])


def measure(clip, teacher, tracker, longest):
    layout = tracker.layout
    truth = np.load(teacher)
    points = truth["points"][:, layout.indexes].astype(np.float64)
    by_frame = {}
    for row, k in zip(points, truth["frame"]):
        by_frame.setdefault(int(k), []).append(row)
    video, state = cv2.VideoCapture(str(clip)), None
    faces = found = wrong = frames = lost = 0
    errors, lip_errors, openings, mine, theirs, yaws = [], [], [], [], [], []
    presences, visibles = [], []
    for k in range(int(truth["frames"])):
        if not video.grab():
            break
        if k % int(truth["step"]) and k not in by_frame:
            continue
        frame = video.retrieve()[1][..., ::-1]
        now = by_frame.get(k, [])
        if k % (4 * int(truth["step"])) == 0:
            boxes = boxes_of(np.array(now)) if now else np.zeros((0, 4))
            seen = tracker.detect(frame, longest)[0]
            pose_yaw = [abs(np.degrees(np.arcsin(np.clip(layout.pose(p)[1][0, 2], -1, 1)))) for p in now]
            wanted = np.array([b[2:].max() >= 64 and y < 45 for b, y in zip(boxes, pose_yaw)], bool)
            hits, _ = match_boxes(boxes[wanted], seen)
            _, loose = match_boxes(boxes, seen)
            faces, found, wrong, frames = faces + wanted.sum(), found + hits, wrong + loose, frames + 1
        if not now:
            state = None
            continue
        target = max(now, key=lambda p: np.ptp(p[:, 1])) if state is None else min(now, key=lambda p: np.linalg.norm(p[:, :2].mean(0) - state[0]))
        if state is None:
            box = boxes_of(target[None])[0]
            state = (box[:2], 1.5 * box[2:].max(), 0.0)
        guess, presence = tracker.face(frame, *state)
        scale, rotation, angle = layout.pose(guess)
        lips = guess[LIPS, :2]
        for _ in range(2):
            lips, visible = tracker.lips(frame, lips, scale, angle)
        presences.append(presence)
        visibles.append(visible)
        unit = np.linalg.norm(target[85, :2] - target[88, :2]) / max(0.3, np.cos(np.arcsin(np.clip(layout.pose(target)[1][0, 2], -1, 1))))
        errors.append(np.linalg.norm(guess[:, :2] - target[:, :2], axis=1).mean() / unit)
        lip_errors.append(np.linalg.norm(lips - target[LIPS, :2], axis=1).mean() / unit)
        openings.append((opening(lips, scale), opening(target[LIPS, :2], layout.pose(target)[0])))
        mine.append(np.vstack([lips, guess[85:123, :2]]) / unit)
        theirs.append(np.vstack([target[LIPS, :2], target[85:123, :2]]) / unit)
        yaws.append(np.degrees(np.arcsin(np.clip(rotation[0, 2], -1, 1))))
        if presence < 0.5 or errors[-1] > 0.4:
            lost, state = lost + 1, None
        else:
            state = (*face_frame(guess, angle), angle)
    video.release()
    line = f"{pathlib.Path(clip).name[:28]:28s} faces {found:3d}/{faces:3d} wrong {wrong:3d}/{frames:3d}"
    result = dict(faces=int(faces), found=int(found), wrong=int(wrong), frames=frames)
    if len(openings) > 20:
        r = np.corrcoef(np.array(openings).T)[0, 1]
        bend = lambda a: np.abs(np.diff(np.array(a), n=2, axis=0)).mean((0, 2))
        jitter = [bend(mine)[part].mean() / max(bend(theirs)[part].mean(), 1e-9) for part in (slice(0, 40), slice(40, 78))]
        line += (f" points {100 * np.mean(errors):5.2f} lips {100 * np.mean(lip_errors):5.2f} r {r:5.3f} "
                 f"jitter {jitter[0]:4.2f} {jitter[1]:4.2f} lost {lost:3d} presence {np.mean(presences):.2f} visible {np.mean(visibles):.2f} yaw {np.min(yaws):3.0f}..{np.max(yaws):3.0f}")
        result |= dict(lips=float(np.mean(lip_errors)), r=float(r), points=float(np.mean(errors)), lost=lost)
    print(line, flush=True)
    return result


def speed(tracker):
    for name, session, shape in (("detector", tracker.detector, (1, 3, 288, 512)), ("landmarks", tracker.landmarks, (1, 3, 128, 128)), ("mouth", tracker.mouth, (1, 1, 64, 64))):
        image, times = np.zeros(shape, np.float32), []
        for _ in range(60):
            begin = time.perf_counter()
            session.run(None, {"image": image})
            times.append(time.perf_counter() - begin)
        print(f"{name} {1000 * min(times):.2f} ms at least, {1000 * np.median(times):.2f} ms median")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", required=True)
    parser.add_argument("--canonical", required=True)
    parser.add_argument("--clips", required=True)
    parser.add_argument("--teacher", required=True, help="folder with CLIP.npz of FaceMesh points (teacher.py)")
    parser.add_argument("--only", default="")
    parser.add_argument("--longest", type=int, default=512)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    layout = Layout(HERE / "points.json", options.canonical)
    tracker = Tracker(options.nets, layout)
    speed(tracker)
    results = []
    for clip in sorted(pathlib.Path(options.clips).iterdir()):
        teacher = pathlib.Path(options.teacher) / f"{clip.name}.npz"
        if options.only in clip.name and teacher.exists():
            results.append(measure(clip, teacher, tracker, options.longest))
    tracked = [r for r in results if "r" in r]
    faces, found = sum(r["faces"] for r in results), sum(r["found"] for r in results)
    print(f"ALL recall {found}/{faces} = {found / max(faces, 1):.4f}, wrong {sum(r['wrong'] for r in results)} in {sum(r['frames'] for r in results)} frames; "
          f"lips {100 * np.mean([r['lips'] for r in tracked]):.2f} %, points {100 * np.mean([r['points'] for r in tracked]):.2f} %, r mean {np.mean([r['r'] for r in tracked]):.3f} median {np.median([r['r'] for r in tracked]):.3f}")


if __name__ == "__main__":
    main()
