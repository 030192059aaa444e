"""The labelled face crops: which are used, with what rights, for training or validation, and their pose."""

import csv
import json
import pathlib

import cv2
import numpy as np

SIZE = 176  # pixels, side of a stored crop

# Beginnings of the names of clips and stills whose material, or whose person, is used to measure the nets: never trained on.
MEASURED = """LipNet__bbaf2n LipNet__brbk7n LipNet__lbax4n LipNet__lbbc2a LipNet__pwij3p LipNet__sbia1a LipNet__sbwe5n
LivePortrait__d10 LivePortrait__d12 LivePortrait__d13 LivePortrait__d18 LivePortrait__d19 LivePortrait__s20 LivePortrait__s32
img_LivePortrait__d12.jpg img_LivePortrait__d19.jpg img_LivePortrait__s32.jpg
img_LivePortrait__s0.jpg img_LivePortrait__s11.jpg img_LivePortrait__s12.jpg img_LivePortrait__s22.jpg
img_LivePortrait__s30.jpg img_LivePortrait__s31.jpg img_LivePortrait__s36.jpg img_hallo__1.jpg img_hallo__2.jpg img_hallo__5.jpg
img_SadTalker__full4.jpeg img_SadTalker__full_body_1.png img_SadTalker__happy.png img_SadTalker__happy1.png
img_Linly-Talker__full4.jpeg img_Linly-Talker__full_body_1.png img_Linly-Talker__happy.png img_Linly-Talker__happy1.png
LatentSync__demo1_video LatentSync__demo3_video AniPortrait__pose_ref_video yerfor__data_raw_examples_May_5s SyncTalk__short_demo
MuseTalk__sun Linly-Talker__sun_musev img_MuseTalk__sun.png ZiqiaoPeng__OmniSync__occlusion_occlusion3
ZiqiaoPeng__OmniSync__occlusion_occlusion6 SadTalker__WDA video-retalking__1 video-retalking__3
CVPR2022-DaGAN__driving LipNet__id2_vcd_swwp2s img_echomimic_v2__test.png
harlanhong__publications_actalker_assets__real_audio_driven_resized_1
harlanhong__publications_actalker_assets__real_audio_driven_resized_2""".split()

# A dog, a monkey, and a chart of landmarks, in which the teacher saw faces.
REJECTED = ["img_LivePortrait__s25.jpg", "antgroup__ai_echomimic___audio_pose_ap_04", "img_MuseTalk__landmark_ref.png"]

# Crops (clip, position in it) whose lips are hidden by a hand, a flower or a cup although the teacher placed them, and those
# where it is hard to say: strands of hair across, a cup at the lower lip.
COVERED = {("ZiqiaoPeng__ActAvatar__42", 3), ("ZiqiaoPeng__ActAvatar__23", 0), ("ZiqiaoPeng__ActAvatar__31", 10),
           ("ZiqiaoPeng__OmniSync__occlusion_occlusion5", 6), ("ZiqiaoPeng__OmniSync__occlusion_occlusion5", 8)}
UNDECIDED = {("ZiqiaoPeng__ActAvatar__31", 9), *(("ZiqiaoPeng__OmniSync__occlusion_occlusion4", k) for k in range(7, 11))}

# Hands cut out of these clips are held before the faces of the validation people alone.
HELD_HANDS = ("hungry", "want")

# People kept for validation, by parts of their clips' names.
VALIDATION = """ActAvatar__7 ActAvatar__14 ActAvatar__21 ActAvatar__28 ActAvatar__35 ActAvatar__42 _ap_03 _ch_04 _en_02 _hoi_004
demo_en_man_02 2025-07-14-3945 LivePortrait__d3 AniPortrait__lyl AniPortrait__kara realistic_3 side_3 identity6 resized_3
echomimic_v2__0057 echomimic_v2__0175 echomimic_v2__0247 art_7.png .smolinski""".split()

# The few people of the lip-reading lessons fill two fifths of the crops: each of their crops counts this much.
LESSON_WEIGHT = 0.35


def tiers(sources):
    with open(sources, newline="") as handle:
        return {row["prefix"]: row["tier"] for row in csv.DictReader(handle, delimiter="\t")}


def held_out(clip):
    return any(clip == part or clip.endswith(part) or (part.startswith((".", "_", "echo")) and part in clip) for part in VALIDATION)


class Crops:
    """Images (n, 176, 176, 3) RGB uint8 and FaceMesh points (n, 478, 3) in pixels of the crop."""

    def __init__(self, data, labels, allowed="ABC"):
        """`data`: folder with face_crops.npz and SOURCES.tsv; `labels`: the file written by relabel.py."""
        data = pathlib.Path(data)
        stored, found = np.load(data / "face_crops.npz"), np.load(labels)
        tier = tiers(data / "SOURCES.tsv")
        clips = stored["clip"].tolist()
        keep = [
            i for i, clip in enumerate(clips)
            if found["err"][i] < 0.06 and not clip.startswith((*MEASURED, *REJECTED)) and tier[clip.split("__")[0]] in allowed
        ]
        offsets, jpeg = stored["off"], stored["jpg"]
        self.images = np.stack([cv2.imdecode(jpeg[offsets[i]:offsets[i + 1]], 1)[..., ::-1] for i in keep])
        self.points = found["points"][keep]
        self.clips = np.array(clips)[keep]
        self.validation = np.array([held_out(clip) for clip in self.clips])
        named = [(clips[i], i - clips.index(clips[i])) for i in keep]
        self.visible = np.array([0.0 if name in COVERED else np.nan if name in UNDECIDED else 1.0 for name in named], np.float32)
        self.weight = np.where(np.char.startswith(self.clips, "lipread"), LESSON_WEIGHT, 1.0)
        self.weight[np.char.startswith(self.clips, "img_")] *= 3  # one still stands for a clip of eleven
        self.weight[self.validation] = 0


def similarity(source, target):
    """Scale, rotation and shift that best carry points (n, d) of `source` to `target` (Umeyama 1991)."""
    a, b = source.mean(0), target.mean(0)
    p, q = source - a, target - b
    u, singular, vt = np.linalg.svd(p.T @ q)
    sign = np.ones(len(singular))
    sign[-1] = np.sign(np.linalg.det(u @ vt))
    rotation = (u @ np.diag(sign) @ vt).T
    scale = (singular * sign).sum() / (p**2).sum()
    return scale, rotation, b - scale * rotation @ a


class Layout:
    """The 159 points: their FaceMesh indexes, canonical positions and mirror order."""

    def __init__(self, indexes, canonical):
        self.indexes = json.loads(pathlib.Path(indexes).read_text())
        self.canonical = np.load(canonical)[self.indexes].astype(np.float64)
        mirrored = self.canonical * [-1, 1, 1]
        self.mirror = np.array([np.linalg.norm(self.canonical - p, axis=1).argmin() for p in mirrored])
        assert sorted(self.mirror) == list(range(len(self.indexes)))
        place = self.indexes.index
        self.eyes = [place(i) for i in (33, 133, 362, 263)]  # outer and inner corners, image left to right
        self.stable = list(range(85, 123))

    def pose(self, points):
        """Pixels per canonical unit, rotation from canonical to image, and the eye line's angle in radians."""
        scale, rotation, _ = similarity(self.canonical[self.stable], points[self.stable].astype(np.float64))
        line = points[self.eyes[2:], :2].sum(0) - points[self.eyes[:2], :2].sum(0)
        return scale, rotation, float(np.arctan2(line[1], line[0]))
