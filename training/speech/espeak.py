"""Speech of espeak-ng with its phone times, through libespeak-ng's synthesis events."""
import ctypes
import re

import numpy as np

AUDIO_RETRIEVAL, PHONEME_EVENTS, PHONEME_IPA, EVENT_PHONEME = 2, 1, 2, 7
RATE, PITCH, RANGE = 1, 3, 4          # espeak_PARAMETER
VOICES = ('en-us', 'en-us', 'en-gb', 'en-gb-scotland', 'en-029', 'de', 'es', 'it', 'fr')
VARIANTS = ('', '+m1', '+m2', '+m3', '+m4', '+m5', '+m6', '+m7', '+f1', '+f2', '+f3', '+f4', '+f5', '+Andy', '+Annie', '+Denis', '+Gene', '+Linda', '+Mario', '+steph')

# IPA sign → nearest CMU phone
CMU = {sign: phone for signs, phone in (
    ('p', 'P'), ('b', 'B'), ('m', 'M'), ('f', 'F'), ('v β ʋ', 'V'), ('ɑ a ɒ ɐ', 'AA'), ('æ', 'AE'), ('ʌ ə ɘ', 'AH'), ('ɜ ɚ ɝ', 'ER'), ('ɛ e', 'EH'),
    ('ɪ ᵻ ɨ', 'IH'), ('i', 'IY'), ('ɔ o ø œ', 'AO'), ('ʊ', 'UH'), ('u y ʉ', 'UW'), ('w ɥ', 'W'), ('ɹ r ɾ', 'R'), ('l ɫ ʎ', 'L'), ('t', 'T'), ('d', 'D'),
    ('n ɲ', 'N'), ('s', 'S'), ('z', 'Z'), ('ʃ ç', 'SH'), ('ʒ', 'ZH'), ('θ', 'TH'), ('ð', 'DH'), ('k x', 'K'), ('ɡ g ɣ', 'G'), ('ŋ', 'NG'), ('h ɦ ʁ', 'HH'), ('j', 'Y'))
    for sign in signs.split()}
DIPHTHONGS = {'aɪ': 'AY', 'aʊ': 'AW', 'eɪ': 'EY', 'oʊ': 'OW', 'əʊ': 'OW', 'ɔɪ': 'OY', 'tʃ': 'CH', 'dʒ': 'JH'}


class _Id(ctypes.Union):
    _fields_ = [('number', ctypes.c_int), ('name', ctypes.c_char_p), ('string', ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [('type', ctypes.c_int), ('unique', ctypes.c_uint), ('text', ctypes.c_int), ('length', ctypes.c_int),
                ('audio', ctypes.c_int), ('sample', ctypes.c_int), ('user', ctypes.c_void_p), ('id', _Id)]


def to_phones(name):
    """One espeak phoneme in IPA → CMU phones."""
    name = re.sub('[ˈˌːˑʰʲ̩̃]', '', name)
    if name in DIPHTHONGS:
        return [DIPHTHONGS[name]]
    return [CMU[sign] for sign in name if sign in CMU]


class Espeak:
    def __init__(self):
        self.library = ctypes.CDLL('libespeak-ng.so.1')
        self.rate = self.library.espeak_Initialize(AUDIO_RETRIEVAL, 0, None, PHONEME_EVENTS | PHONEME_IPA)
        self.sound, self.events = [], []
        kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self.callback = kind(self._collect)
        self.library.espeak_SetSynthCallback(self.callback)

    def _collect(self, samples, count, events):
        if count > 0 and samples:
            self.sound.append(np.ctypeslib.as_array(samples, (count,)).copy())
        i = 0
        while events[i].type:
            if events[i].type == EVENT_PHONEME:
                self.events.append((events[i].audio / 1000, events[i].id.string.decode('utf8', 'ignore')))
            i += 1
        return 0

    def say(self, text, voice, speed, pitch, pitch_range):
        """(sound at self.rate, [(phone, start s, end s)])."""
        self.sound, self.events = [], []
        self.library.espeak_SetVoiceByName(voice.encode())
        for parameter, value in ((RATE, speed), (PITCH, pitch), (RANGE, pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        words = text.encode()
        self.library.espeak_Synth(words, len(words) + 1, 0, 1, 0, 1, None, None)
        self.library.espeak_Synchronize()
        sound = np.concatenate(self.sound).astype(np.float32) / 32768 if self.sound else np.zeros(0, np.float32)
        ends = [start for start, _ in self.events[1:]] + [len(sound) / self.rate]
        segments = []
        for (start, name), end in zip(self.events, ends):
            phones = to_phones(name) or ['SIL']
            step = (end - start) / len(phones)
            segments += [(phone, start + k * step, start + (k + 1) * step) for k, phone in enumerate(phones)]
        return sound, segments
