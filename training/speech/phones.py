"""Phone tracks: which phone sounds in each 10 ms, from synthesisers and from forced alignment of known sentences."""
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np

from features import SAMPLE_RATE

PHONES = ('SIL AA AE AH AO AW AY B CH D DH EH ER EY F G HH IH IY JH K L M N NG OW OY P R S SH T TH UH UW V W Y Z ZH').split()
INDEX = {phone: i for i, phone in enumerate(PHONES)}
FLITE_NAMES = {'AX': 'AH', 'PAU': 'SIL', 'AXR': 'ER', 'IX': 'IH', 'SSIL': 'SIL'}
GRID_WORDS = ({'b': 'bin', 'l': 'lay', 'p': 'place', 's': 'set'}, {'b': 'blue', 'g': 'green', 'r': 'red', 'w': 'white'},
              {'a': 'at', 'b': 'by', 'i': 'in', 'w': 'with'}, {c: c for c in 'abcdefghijklmnopqrstuvxyz'},
              dict(zip('z123456789', 'zero one two three four five six seven eight nine'.split())),
              {'a': 'again', 'n': 'now', 'p': 'please', 's': 'soon'})


def grid_sentence(code):
    """`bbaf2n` → "bin blue at f two now"."""
    return ' '.join(words[c] for words, c in zip(GRID_WORDS, code))


def track(segments, frames):
    """[(phone, start s, end s)] → (frames,) uint8 at 100 per second; gaps are silence."""
    row = np.zeros(frames, np.uint8)
    for phone, start, end in segments:
        row[max(0, round(start * 100)):round(end * 100)] = INDEX[phone]
    return row


def force_align(decoder, sound, sentence):
    """Phone segments of a known sentence in 16 kHz float sound, or None when it does not fit."""
    raw = (np.clip(sound, -1, 1) * 32767).astype(np.int16).tobytes()
    decoder.set_align_text(sentence)
    for again in (False, True):
        if again:
            if not decoder.hyp():
                return None
            decoder.set_alignment()
        decoder.start_utt()
        decoder.process_raw(raw, full_utt=True)
        decoder.end_utt()
    return [(phone.name if phone.name in INDEX else 'SIL', phone.start / 100, (phone.start + phone.duration) / 100)
            for word in decoder.get_alignment() for phone in word]


def make_decoder():
    from pocketsphinx import Decoder
    return Decoder(bestpath=False, samprate=SAMPLE_RATE, loglevel='FATAL')


def flite(text, voice):
    """(16 kHz sound, phone segments) spoken by one of flite's voices."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / 'a.wav'
        said = subprocess.run(['flite', '-voice', voice, '-t', text, '-psdur', '-o', wav], capture_output=True, text=True, check=True).stdout
        raw = subprocess.run(['ffmpeg', '-v', 'error', '-i', wav, '-ar', str(SAMPLE_RATE), '-ac', '1', '-f', 's16le', '-'],
                             capture_output=True, check=True).stdout
    segments, start = [], 0.0
    for name, end in re.findall(r'([a-z]+):([\d.]+)', said):
        name = FLITE_NAMES.get(name.upper(), name.upper())
        segments.append((name if name in INDEX else 'SIL', start, float(end)))
        start = float(end)
    return np.frombuffer(raw, np.int16).astype(np.float32) / 32768, segments
