"""Cut hands out of clips of people who gesture: pictures with alpha that the augmentation holds before faces."""

import argparse
import pathlib

import cv2
import mediapipe
import numpy as np

SIDE = 128  # pixels of a cut-out
BONES = ((0, 1, 2, 3, 4), (0, 5, 6, 7, 8), (0, 9, 10, 11, 12), (0, 13, 14, 15, 16), (0, 17, 18, 19, 20), (5, 9, 13, 17))


def bones(points, size, width):
    """Mask of a hand's skeleton, drawn `width` pixels thick, the palm filled."""
    mask = np.zeros((size, size), np.uint8)
    for chain in BONES:
        cv2.polylines(mask, [points[list(chain)].astype(np.int32)], False, 1, max(1, int(width)))
    cv2.fillConvexPoly(mask, cv2.convexHull(points[[0, 1, 5, 9, 13, 17]].astype(np.int32)), 1)
    return mask


def cut(frame, points):
    """RGBA picture of the hand with `points` (21, 2) in `frame` (RGB), or None where it has no clear outline or is cut off."""
    low, high = points.min(0), points.max(0)
    if high[1] + 0.2 * (high - low).max() > frame.shape[0]:
        return None
    centre, side = (low + high) / 2, 1.5 * (high - low).max()
    scale = SIDE / side
    matrix = np.array([[scale, 0, SIDE / 2 - centre[0] * scale], [0, scale, SIDE / 2 - centre[1] * scale]])
    picture = cv2.warpAffine(frame, matrix, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    placed = points @ matrix[:, :2].T + matrix[:, 2]
    width = np.linalg.norm(placed[5] - placed[17]) / 3 + 2
    labels = np.full((SIDE, SIDE), cv2.GC_BGD, np.uint8)
    labels[bones(placed, SIDE, 3.2 * width) > 0] = cv2.GC_PR_BGD
    labels[bones(placed, SIDE, 1.3 * width) > 0] = cv2.GC_PR_FGD
    labels[bones(placed, SIDE, 0.5 * width) > 0] = cv2.GC_FGD
    cv2.grabCut(picture, labels, None, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_MASK)
    mask = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.uint8)
    expected = bones(placed, SIDE, 1.3 * width).sum()
    if not 0.7 < mask.sum() / expected < 1.6:
        return None
    mask = cv2.GaussianBlur(cv2.erode(mask, np.ones((3, 3))) * 255, (0, 0), 1.0)
    return np.dstack([picture, mask])


def cut_outs(clip, every):
    finder = mediapipe.solutions.hands.Hands(static_image_mode=True, max_num_hands=2, min_detection_confidence=0.6)
    video, k = cv2.VideoCapture(str(clip)), 0
    while video.grab():
        if k % every == 0:
            frame = video.retrieve()[1][..., ::-1].copy()
            for hand in finder.process(frame).multi_hand_landmarks or []:
                points = np.array([(p.x, p.y) for p in hand.landmark]) * frame.shape[1::-1]
                if (found := cut(frame, points)) is not None:
                    yield pathlib.Path(clip).stem, found
        k += 1


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", nargs="+", required=True)
    parser.add_argument("--every", type=int, default=3, help="frames from one look to the next")
    parser.add_argument("--out", required=True, help="folder for hand_CLIP_0000.png …")
    options = parser.parse_args()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    found = [hand for clip in options.clips for hand in cut_outs(clip, options.every)]
    for k, (clip, hand) in enumerate(found):
        cv2.imwrite(str(out / f"hand_{clip}_{k:04d}.png"), cv2.cvtColor(hand, cv2.COLOR_RGBA2BGRA))
    print(len(found), "hands")


if __name__ == "__main__":
    main()
