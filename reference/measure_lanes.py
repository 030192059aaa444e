#!/usr/bin/env python3
"""Times a Wav2Lip in ONNX Runtime as one run on all of two cores and as two runs on a core each, alone and beside x264.

  python3 reference/measure_lanes.py wav2lip.onnx clip.mp4

The clip is what x264 encodes meanwhile, 16 frames a second. Prints milliseconds a face, wall clock / processor time. Needs onnxruntime,
numpy and ffmpeg; docs/RUNTIMES.md has the figures.
"""
import subprocess
import sys
import threading
import time

import numpy as np
import onnxruntime


def session(model, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry('session.intra_op.allow_spinning', '0')
    return onnxruntime.InferenceSession(model, options, providers=['CPUExecutionProvider'])


def measure(net, faces, lanes, runs):
    inputs = {i.name: np.random.rand(faces, *i.shape[1:]).astype('f') for i in net.get_inputs()}
    net.run(None, inputs)
    cpu, wall = time.process_time(), time.time()
    work = lambda: [net.run(None, inputs) for _ in range(runs // lanes)]
    threads = [threading.Thread(target=work) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    count = runs // lanes * lanes * faces
    return f'{(time.time() - wall) / count * 1e3:.1f} / {(time.process_time() - cpu) / count * 1e3:.1f}'


def main():
    model, clip = sys.argv[1:]
    whole, half = session(model, 2), session(model, 1)
    encode = ['ffmpeg', '-v', 'error', '-re', '-stream_loop', '-1', '-r', '16', '-i', clip, '-an', '-c:v', 'libx264', '-threads', '2']
    for busy in (False, True, False, True):
        child = subprocess.Popen([*encode, '-crf', '18', '-f', 'null', '-']) if busy else None
        time.sleep(2)
        for faces in (1, 4, 8):
            one, two = measure(whole, faces, 1, 48 // faces), measure(half, faces, 2, 48 // faces)
            print(f'{"beside x264" if busy else "alone":12} {faces} faces: one run {one} ms, two runs {two} ms', flush=True)
        if child:
            child.kill()
            child.wait()


if __name__ == '__main__':
    main()
