"""Speaks sentences in many voices, rooms, noises and codecs: python synthesise.py flite|espeak OUTPUT.npz MINUTES"""
import pydoc_data.topics
import random
import re
import subprocess
import sys

import numpy as np

from espeak import VARIANTS, VOICES, Espeak
from features import SAMPLE_RATE, log_mel
from phones import flite, track

FLITE_VOICES = ('slt', 'rms', 'awb', 'kal16')
CODECS = (('mp3', '32k'), ('mp3', '96k'), ('adts', '48k'), ('ogg', '24k'))
PHRASES = '''My mother bought a big map of the bay. Please put the baby's bottle back on the table. We made some apple pie for Bob and Pam.
Maybe we should move the boat before the storm. I believe every problem has a simple answer. What would you like to drink this evening?
Five people came by to help with the piano. Could you show me the way to the museum? Thank you very much for joining us today.
The quick brown fox jumps over the lazy dog. I think that this is the most important thing we can do. How many of them are coming on Monday?
Oh my, what a beautiful view from up here! She was wearing a blue jumper and a warm hat. You know, I always wanted to live by the sea.
Good morning everybody, welcome back to the show. The company employs about four hundred people. Whatever happens, we have to keep moving forward.
He moved from Manchester to Boston in February. A bump on the bumper is hardly worth a phone call. Who would have thought that he would win?
Shall we go for a walk when the rain stops? The weather forecast promises sunshine for most of the week. Pump up the volume and open the windows.'''


FOREIGN = {
    'de': 'Guten Morgen, mein Name ist Max und ich wohne am Park. Mama baut ein Boot. Wir haben viele bunte Bücher. Papa probiert den Apfelkuchen.',
    'es': 'Buenos días, me llamo Pablo y vivo en Bilbao. Mi mamá prepara el pan. Vamos a ver los pájaros. Puede usted abrir la puerta por favor?',
    'it': 'Buongiorno, parliamo della mia famiglia. La mamma prepara la pasta con il pomodoro. Beviamo un buon vino. Vorrei un poco di pane.',
    'fr': 'Bonjour, je voudrais parler de la musique. Il fait beau ce matin. Papa a une belle moto bleue. Nous pouvons boire un petit café.'}


def sentences(rng):
    prose = re.findall(r'[A-Z][a-z]+(?: [a-z]+,?){4,13}[.]', ' '.join(pydoc_data.topics.topics.values()).replace('\n', ' '))
    phrases = re.findall(r'[^.?!]+[.?!]', PHRASES)
    while True:
        yield rng.choice(phrases if rng.random() < 0.35 else prose).strip()


def faster(sound, segments, rate):
    """Plays the sound `rate` times as fast, pitch and all: another speaker."""
    at = np.arange(int(len(sound) / rate)) * rate
    return np.interp(at, np.arange(len(sound)), sound).astype(np.float32), [(p, a / rate, b / rate) for p, a, b in segments]


def room(sound, random_state):
    """A decaying random tail after the direct sound."""
    seconds = random_state.uniform(0.1, 0.5)
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    tail = random_state.randn(len(time)) * np.exp(-6.9 * time / seconds)
    response = np.concatenate([[1.0], tail * random_state.uniform(0.01, 0.05)])
    size = len(sound) + len(response)
    return np.fft.irfft(np.fft.rfft(sound, size) * np.fft.rfft(response, size), size)[:len(sound)].astype(np.float32)


def noisy(sound, random_state):
    """Brown to white noise 8 to 35 dB below the speech."""
    spectrum = np.fft.rfft(random_state.randn(len(sound)))
    spectrum /= np.maximum(np.arange(len(spectrum)), 20) ** random_state.uniform(0, 1)
    noise = np.fft.irfft(spectrum, len(sound))
    level = sound.std() / noise.std() * 10 ** (-random_state.uniform(8, 35) / 20)
    return (sound + noise * level).astype(np.float32)


def coded(sound, codec, rate):
    """Through a lossy codec and back, delay removed by cross-correlation."""
    raw = (np.clip(sound, -1, 1) * 32767).astype(np.int16).tobytes()
    pcm = ['-f', 's16le', '-ar', str(SAMPLE_RATE), '-ac', '1']
    packed = subprocess.run(['ffmpeg', '-v', 'error', *pcm, '-i', '-', '-b:a', rate, '-f', codec, '-'], input=raw, capture_output=True, check=True).stdout
    back = subprocess.run(['ffmpeg', '-v', 'error', '-i', '-', *pcm, '-'], input=packed, capture_output=True, check=True).stdout
    back = np.frombuffer(back, np.int16).astype(np.float32) / 32768
    size = 2 ** int(np.ceil(np.log2(len(sound) + len(back))))
    match = np.fft.irfft(np.fft.rfft(back, size) * np.conj(np.fft.rfft(sound, size)), size)
    delay = int(match[:4000].argmax())
    back = back[delay:delay + len(sound)]
    return np.pad(back, (0, len(sound) - len(back)))


def flite_speech(rng):
    texts = sentences(rng)
    while True:
        yield faster(*flite(next(texts), rng.choice(FLITE_VOICES)), rng.uniform(0.88, 1.18))


def espeak_speech(rng):
    texts, engine = sentences(rng), Espeak()
    while True:
        voice = rng.choice(VOICES)
        text = rng.choice(re.findall(r'[^.?!]+[.?!]', FOREIGN[voice])) if voice in FOREIGN else next(texts)
        sound, segments = engine.say(text, voice + rng.choice(VARIANTS), rng.randint(125, 215), rng.randint(15, 85), rng.randint(20, 80))
        at = np.arange(int(len(sound) / engine.rate * SAMPLE_RATE)) * engine.rate / SAMPLE_RATE
        yield np.interp(at, np.arange(len(sound)), sound).astype(np.float32), segments


def main(kind, output, minutes):
    rng, random_state = random.Random(0), np.random.RandomState(0)
    mels, tracks, total = [], [], 0.0
    source = (flite_speech if kind == 'flite' else espeak_speech)(rng)
    while total < float(minutes) * 60:
        sound, segments = next(source)
        if len(sound) < SAMPLE_RATE:
            continue
        if rng.random() < 0.5:
            sound = room(sound, random_state)
        if rng.random() < 0.6:
            sound = noisy(sound, random_state)
        if rng.random() < 0.3:
            sound = coded(sound, *rng.choice(CODECS))
        mel = log_mel(sound)
        mel = mel[:len(mel) // 4 * 4]
        mels.append(mel.astype(np.float16))
        tracks.append(track(segments, len(mel)))
        total += len(sound) / SAMPLE_RATE
    np.savez_compressed(output, mel=np.concatenate(mels), phones=np.concatenate(tracks), frames=[len(m) for m in mels])


if __name__ == '__main__':
    main(*sys.argv[1:])
