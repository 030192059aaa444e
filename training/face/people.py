"""Who is in which clip or still: the labels of the embedder, read off names and seen by eye, and which faces it may learn."""

from crops import MEASURED, held_out

# The same picture or person under several names: each line is one person, by the ends of the names.
SAME = """_ap_01 _en_03 _s_05 echomimic__b img_echomimic__d.png
_ap_02 _en_05 _s_04
_ap_05 _en_04 _s_01 img_echomimic__e.png
_ch_01 _en_01 img_echomimic__a.png
_ch_02 _en_02 _s_03 img_echomimic__b.png
_ch_03 img_echomimic__c.png
diverse_3 diverse_4 main_1
diverse_5 diverse_7 diverse_8
realistic_2 sing_4
realistic_4 sing_5
side_2 side_5
AniPortrait__cxk KUN_BG
side_1 img_LivePortrait__s10.jpg
Linly-Talker__man_musev img_MuseTalk__man.png
Linly-Talker__monalisa_musev img_MuseTalk__monalisa.png img_LivePortrait__s9.jpg
Linly-Talker__musk_musev img_MuseTalk__musk.png
Linly-Talker__sit_musev img_MuseTalk__sit.jpeg
Linly-Talker__yongen_musev MuseTalk__yongen img_MuseTalk__yongen.jpeg
img_Linly-Talker__example.png img_Linly-Talker__full_body_2.png img_SadTalker__full_body_2.png""".splitlines()

# The six speakers of the lip-reading lessons, by part of the name or, for those without one, by position in the sorted names.
SPEAKERS = ("elisha", "garrett", "jen", "nicole", "smolinski", "sheri")
UNNAMED = {
    "lipread_missing": "sheri sheri jen sheri sheri garrett garrett smolinski jen jen smolinski sheri smolinski smolinski garrett jen".split(),
    "lipread_sentences": "sheri sheri garrett nicole jen jen jen nicole nicole garrett nicole sheri nicole garrett garrett garrett jen".split(),
}

# Pictures whose person is unclear: thirty stills of one generator's favourite face, copies of one statue, blurred ones, and
# those that may show somebody who is used to measure the nets.
UNCLEAR = ("img_echomimic_v2__", "img_LivePortrait__s6.jpg", "img_video-retalking__test.png", "img_MuseTalk__video1.png",
           "harlanhong__publications_actalker_assets__real_audio_driven_resized_0", "img_SadTalker__sad", "img_Linly-Talker__sad")


def usable(clip):
    return not clip.startswith((*MEASURED, *UNCLEAR))


def persons(clips):
    """The name of the person of each clip, as a dict."""
    unnamed = {start: sorted({clip for clip in clips if clip.startswith(start + "__")}) for start in UNNAMED}
    return {clip: person(clip, unnamed) for clip in set(clips)}


def person(clip, unnamed):
    start = clip.split("__")[0]
    if start in UNNAMED:
        return UNNAMED[start][unnamed[start].index(clip)]
    if start.startswith("lipread"):
        return next(name for name in SPEAKERS if name in clip)
    for line in SAME:
        if clip.endswith(tuple(line.split())):
            return line.split()[0]
    return clip.replace("img_Linly-Talker__", "img_SadTalker__")  # the same stills


def held_out_persons(of):
    """Those of the persons (clip -> person) that are kept for validation: with one of their clips all of them."""
    return {name for clip, name in of.items() if held_out(clip)}
