"""Measure the exported nets on clips of people they never saw, against FaceMesh points of those clips.

Tracks as the product does: crop from the previous frame's points, landmark net, mouth crop, mouth net twice.
"""

import argparse
import pathlib
import time

import cv2
import numpy as np
import onnxruntime

from batches import FACE_SIDE, GRAY, MOUTH_REACH, MOUTH_SIDE, crop_matrix, face_frame, normalise, warp
from crops import Layout
from train_detector import overlap_of, suppress

HERE = pathlib.Path(__file__).parent
LIPS = slice(0, 40)
THRESHOLD = 0.5  # of the detector's score


def sample(frame, matrix, size):
    """Warp, with the picture first halved as often as the crop shrinks it, so nothing aliases."""
    matrix = matrix.copy()
    while abs(np.linalg.det(matrix[:, :2])) < 0.4:
        frame = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        matrix[:, :2] *= 2
    return warp(frame, matrix, size)


def back(points, matrix):
    return (points - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T


class Tracker:
    def __init__(self, nets, layout):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = lambda name: onnxruntime.InferenceSession(str(pathlib.Path(nets) / f"{name}.onnx"), options)
        self.detector, self.landmarks, self.mouth, self.layout = session("detector"), session("landmarks"), session("mouth"), layout

    def detect(self, frame, longest=512, threshold=THRESHOLD):
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


def read(clip, truth):
    """Frame number, RGB picture and the teacher's faces (each (159, 3)) of every frame the teacher looked at."""
    video, step = cv2.VideoCapture(str(clip)), int(truth["step"])
    for k in range(int(truth["frames"])):
        if not video.grab():
            return
        if k % step == 0:
            yield k // step, video.retrieve()[1][..., ::-1], truth["points"][truth["frame"] == k].astype(np.float64)


def yaw_of(layout, points):
    return np.degrees(np.arcsin(np.clip(layout.pose(points)[1][0, 2], -1, 1)))


class Detection:
    """Counts the faces of at least 64 px and less than 45 degrees yaw that are found, and boxes that match nothing."""

    def __init__(self, tracker, longest):
        self.tracker, self.longest = tracker, longest
        self.faces = self.found = self.wrong = self.frames = 0

    def look(self, frame, faces):
        layout = self.tracker.layout
        seen = self.tracker.detect(frame, self.longest)[0]
        boxes = boxes_of(faces) if len(faces) else np.zeros((0, 4))
        wanted = np.array([box[2:].max() >= 64 and abs(yaw_of(layout, face)) < 45 for box, face in zip(boxes, faces)], bool)
        self.faces += wanted.sum()
        self.found += match_boxes(boxes[wanted], seen)[0]
        self.wrong += match_boxes(boxes, seen)[1]
        self.frames += 1


class Following:
    """Follows one face through a clip and keeps what is needed to compare it with the teacher's."""

    def __init__(self, tracker):
        self.tracker, self.state, self.last, self.lost = tracker, None, None, 0
        self.errors, self.lip_errors, self.openings, self.mine, self.theirs, self.presence, self.visible = ([] for _ in range(7))

    def step(self, frame, faces):
        layout = self.tracker.layout
        if not len(faces):
            self.state = self.last = None
            return
        distance = [-np.ptp(f[:, 1]) if self.last is None else np.linalg.norm(f[:, :2].mean(0) - self.last) for f in faces]
        truth = faces[int(np.argmin(distance))]
        self.last = truth[:, :2].mean(0)
        if self.state is None:
            box = boxes_of(truth[None])[0]
            self.state = (box[:2], 1.5 * box[2:].max(), 0.0)
        guess, presence = self.tracker.face(frame, *self.state)
        scale, _, angle = layout.pose(guess)
        lips = guess[LIPS, :2]
        for _ in range(2):
            lips, visible = self.tracker.lips(frame, lips, scale, angle)
        unit = np.linalg.norm(truth[85, :2] - truth[88, :2]) / max(0.5, np.cos(np.radians(yaw_of(layout, truth))))
        self.errors.append(np.linalg.norm(guess[:, :2] - truth[:, :2], axis=1).mean() / unit)
        self.lip_errors.append(np.linalg.norm(lips - truth[LIPS, :2], axis=1).mean() / unit)
        self.openings.append((opening(lips, scale), opening(truth[LIPS, :2], layout.pose(truth)[0])))
        self.mine.append(np.vstack([lips, guess[85:123, :2]]) / unit)
        self.theirs.append(np.vstack([truth[LIPS, :2], truth[85:123, :2]]) / unit)
        self.presence.append(presence)
        self.visible.append(visible)
        drifted = presence < 0.5 or self.errors[-1] > 0.4
        self.lost += drifted
        self.state = None if drifted else (*face_frame(guess, angle), angle)

    def summary(self):
        bend = lambda tracks: np.abs(np.diff(np.array(tracks), n=2, axis=0)).mean((0, 2))
        mine, theirs = bend(self.mine), bend(self.theirs)
        return dict(points=np.mean(self.errors), lips=np.mean(self.lip_errors), r=np.corrcoef(np.array(self.openings).T)[0, 1],
                    jitter_lips=mine[:40].mean() / theirs[:40].mean(), jitter_face=mine[40:].mean() / theirs[40:].mean(),
                    lost=self.lost, presence=np.mean(self.presence), visible=np.mean(self.visible))


def measure(clip, teacher, tracker, longest, frames, follow):
    truth = dict(np.load(teacher))
    truth["frames"] = min(int(truth["frames"]), frames * int(truth["step"]))
    truth = {"points": truth["points"][:, tracker.layout.indexes], **{k: truth[k] for k in ("frame", "frames", "step")}}
    detection, following = Detection(tracker, longest), Following(tracker)
    for k, frame, faces in read(clip, truth):
        if k % 4 == 0:
            detection.look(frame, faces)
        if follow:
            following.step(frame, faces)
    d = detection
    line = f"{pathlib.Path(clip).name[:28]:28s} found {d.found:3d}/{d.faces:3d} wrong {d.wrong:3d}/{d.frames:3d}"
    result = dict(faces=d.faces, found=d.found, wrong=d.wrong, frames=d.frames)
    if len(following.openings) > 20:
        s = following.summary()
        result |= s
        line += (f" points {100 * s['points']:5.2f} lips {100 * s['lips']:5.2f} r {s['r']:5.3f} jitter {s['jitter_lips']:4.2f} {s['jitter_face']:4.2f} "
                 f"lost {s['lost']:3d} presence {s['presence']:.2f} visible {s['visible']:.2f}")
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
    parser.add_argument("--frames", type=int, default=300, help="at most this many of each clip")
    parser.add_argument("--detector-only", action="store_true")
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
            results.append(measure(clip, teacher, tracker, options.longest, options.frames, not options.detector_only))
    total = lambda key: sum(r[key] for r in results)
    tracked = [r for r in results if "r" in r]
    mean = lambda key: np.mean([r[key] for r in tracked])
    print(f"ALL found {total('found')}/{total('faces')} = {total('found') / max(total('faces'), 1):.4f}, wrong {total('wrong')} in {total('frames')} frames")
    if tracked:
        print(f"lips {100 * mean('lips'):.2f} %, points {100 * mean('points'):.2f} %, r {mean('r'):.3f}, jitter {mean('jitter_lips'):.2f} {mean('jitter_face'):.2f}")


if __name__ == "__main__":
    main()
