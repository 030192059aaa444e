"""Speech by espeak-ng with its phone times, and the mouth that goes with it.

Coarticulation by dominance functions (Cohen & Massaro 1993): every phone pulls each articulator towards
its target, with a strength that decays exponentially before and after the phone.

    python speech.py "Some words." speech.wav
"""
import ctypes
import re
import sys
import wave

import numpy as np

from face_model import smoothstep

_PHONEME_EVENT = 7  # espeakEVENT_PHONEME of speak_lib.h


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
                ("length", ctypes.c_int), ("audio_position", ctypes.c_int), ("sample", ctypes.c_int),
                ("user_data", ctypes.c_void_p), ("id", _Id)]


def speak(text, voice="en-us", speed=150, pitch=45, pitch_range=55):
    """(samples int16, rate, [(seconds, IPA phone)]); parameters as of the espeak-ng command line."""
    library = ctypes.CDLL("libespeak-ng.so.1")
    sound, phones = [], []

    @ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
    def collect(samples, count, events):
        if samples and count > 0:
            sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        index = 0
        while events[index].type:
            if events[index].type == _PHONEME_EVENT:
                phones.append((events[index].audio_position / 1000, events[index].id.string.decode("utf8", "ignore")))
            index += 1
        return 0

    rate = library.espeak_Initialize(2, 0, None, 1 | 2)  # synchronous; phoneme events, named in IPA
    library.espeak_SetSynthCallback(collect)
    library.espeak_SetVoiceByName(voice.encode())
    for parameter, value in ((1, speed), (3, pitch), (4, pitch_range)):
        library.espeak_SetParameter(parameter, value, 0)
    data = text.encode()
    library.espeak_Synth(data, len(data) + 1, 0, 1, 0, 1, None, None)
    library.espeak_Synchronize()
    return np.concatenate(sound), rate, phones


ARTICULATORS = ("jaw", "part", "round", "funnel", "spread", "press", "tuck", "tongue", "bare")
# Target and strength of each articulator; `part` 0 = lips sealed, `bare` = lips drawn off the teeth.
_NEUTRAL = {"press": (0, .5), "tuck": (0, .5), "tongue": (0, .4), "funnel": (0, .4), "round": (0, .4), "spread": (0, .3), "bare": (.1, .3)}
_PHONES = {
    "p b m": {"jaw": (.05, .5), "part": (0, 9), "press": (1, 5), "bare": (0, 3)},
    "f v": {"jaw": (.06, .8), "part": (.55, 2), "tuck": (1, 3), "bare": (.2, 1)},
    "ɑ a ɒ ä": {"jaw": (.46, 1), "part": (1, 1), "bare": (.35, .8)},
    "æ": {"jaw": (.42, 1), "part": (1, 1), "spread": (.45, .8), "bare": (.55, .8)},
    "ʌ ɐ ə ɜ ɚ ɝ": {"jaw": (.24, .6), "part": (1, .8), "bare": (.25, .5)},
    "ɛ e": {"jaw": (.30, .9), "part": (1, 1), "spread": (.5, .8), "bare": (.5, .7)},
    "ɪ ᵻ i y j": {"jaw": (.14, .8), "part": (1, 1), "spread": (.85, 1), "bare": (.6, .8)},
    "o ɔ": {"jaw": (.30, .9), "part": (1, 1), "round": (.5, 1.2), "funnel": (.55, 1.2)},
    "ʊ u": {"jaw": (.14, .9), "part": (.85, 1), "round": (.95, 1.6), "funnel": (.2, 1)},
    "w": {"jaw": (.09, .9), "part": (.6, 1.5), "round": (1, 2), "funnel": (.1, 1)},
    "ɹ r ɾ": {"jaw": (.13, .5), "part": (.9, .7), "round": (.35, .6), "funnel": (.25, .6), "tongue": (.4, .6)},
    "l ɫ": {"jaw": (.19, .5), "part": (1, .7), "tongue": (1, 2), "bare": (.25, .5)},
    "t d n": {"jaw": (.10, .5), "part": (.95, .7), "tongue": (.9, 1.5), "bare": (.35, .6)},
    "s z": {"jaw": (.05, 1), "part": (1, .9), "spread": (.4, .5), "tongue": (.5, 1), "bare": (.6, .9)},
    "ʃ ʒ": {"jaw": (.07, 1), "part": (1, 1), "round": (.35, 1), "funnel": (.75, 1.5), "tongue": (.5, .8)},
    "θ ð": {"jaw": (.11, .8), "part": (1, .8), "tongue": (.6, 1.5), "bare": (.3, .6)},
    "k ɡ g ŋ x": {"jaw": (.15, .4), "part": (1, .6), "bare": (.25, .3)},
    "h ʔ": {"jaw": (.18, .15), "part": (1, .4)},
}
_REST = {"jaw": (0, .5), "part": (0, .5), "round": (0, .4), "funnel": (0, .4), "spread": (.1, .3), "press": (0, .6),
         "tuck": (0, .5), "tongue": (0, .4), "bare": (0, .5)}
_TABLE = {symbol: {**_NEUTRAL, **targets} for symbols, targets in _PHONES.items() for symbol in symbols.split()}


def _segments(phones, duration):
    """(start, stop, targets) of every phone; diphthongs and affricates share their time."""
    out, last = [(-1.0, phones[0][0], _REST)], phones[0][0]
    for (start, phone), (stop, _) in zip(phones, [*phones[1:], (duration, "")]):
        symbols = [s for s in re.sub("[^a-zæɑɒɐɔəɛɜɚɝɡɪᵻŋɫɹɾʃʊʌʒʔθðä]", "", phone) if s in _TABLE]
        if not symbols:
            out.append((start, stop, _REST))
        for index, symbol in enumerate(symbols):
            step = (stop - start) / len(symbols)
            out.append((start + index * step, start + (index + 1) * step, _TABLE[symbol]))
        last = stop
    return [*out, (last, duration + 1.0, _REST)]


def articulate(phones, duration, fps=25, lead=0.03):
    """{articulator: (frames,)} at the middles of the frames; the mouth runs `lead` seconds ahead of the sound."""
    frames = int(np.ceil(duration * fps))
    time = (np.arange(frames * 4) + 0.5) / (fps * 4) + lead
    total = {name: np.zeros(len(time)) for name in ARTICULATORS}
    norm = {name: np.full(len(time), 1e-3) for name in ARTICULATORS}
    for start, stop, targets in _segments(phones, duration):
        outside = np.maximum(np.abs(time - (start + stop) / 2) - (stop - start) / 2, 0)
        for name, (value, strength) in targets.items():
            reach = 0.028 if strength >= 1.5 else 0.055  # seconds; strong closures are quick
            pull = strength * np.exp(-(outside / reach))
            total[name] += pull * value
            norm[name] += pull
    curve = {name: total[name] / norm[name] for name in ARTICULATORS}
    kernel = np.hanning(7)[1:-1] / np.hanning(7)[1:-1].sum()
    return {name: np.convolve(np.pad(values, 2, "edge"), kernel, "valid").reshape(frames, 4).mean(1) for name, values in curve.items()}


def expression(mouth):
    """Blendshape weights and tongue lift for one frame of articulators ({name: value})."""
    m = dict(mouth)
    jaw, part = 1.35 * m["jaw"], float(smoothstep(0.10, 0.75, m["part"]))
    m["part"] = part
    return {
        "jawOpen": jaw, "mouthClose": 0.94 * jaw * (1 - part),
        "mouthPucker": 0.75 * m["round"], "mouthFunnel": 0.8 * m["funnel"],
        "mouthSmile": 0.10 + 0.28 * m["spread"], "mouthStretch": 0.35 * m["spread"],
        "mouthPress": 0.30 * m["press"], "mouthRollLower": 0.25 * m["press"] + 0.65 * m["tuck"],
        "mouthRollUpper": 0.22 * m["press"],
        "mouthUpperUp": 0.55 * m["bare"] * part + 0.25 * m["tuck"], "mouthLowerDown": 0.5 * m["bare"] * part,
    }, m["tongue"]


def save(path, sound, rate):
    """Writes 16-bit mono PCM."""
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(sound.astype(np.int16).tobytes())


if __name__ == "__main__":
    spoken, hertz, _ = speak(sys.argv[1])
    save(sys.argv[2], spoken, hertz)
