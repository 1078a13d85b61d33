#!/usr/bin/env python3
# listen.py - which digits a recogniser that nobody here trained hears: PocketSphinx with its English model and a grammar of the
# ten digits. For docs/RESULTS.md; no part of the product, and make check does not need it.
#
#   listen.py --real FSDD/recordings [--count N]    real recordings (takes 0 to 4), and the same through mel and back
#   listen.py MANIFEST.csv...                        WAV files of `mmcore translate --out DIR` (columns file, label)
#
# Debian: python3-numpy python3-scipy python3-soundfile pocketsphinx pocketsphinx-en-us
import argparse
import csv
import glob
import os
import subprocess
import sys
import tempfile

import numpy as np
import soundfile
from scipy.signal import resample_poly

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "reference"))
import make_mel

WORDS = "zero one two three four five six seven eight nine".split()
USUAL = dict(rate=8000, bands=64, frames=64, hop=80, window=256, rounds=60)
GRAMMAR = "#JSGF V1.0;\ngrammar digits;\npublic <digit> = " + " | ".join(WORDS) + ";\n"


def load(path):
    x, rate = soundfile.read(path, dtype="float64", always_2d=True)
    x = x.mean(1)
    return resample_poly(x, USUAL["rate"], rate) if rate != USUAL["rate"] else x


def through_mel(x):
    """As the plugin does it: a peak of 1, the middle of what is too long, silence behind what is too short."""
    n = USUAL["frames"] * USUAL["hop"]
    x = x / np.abs(x).max()
    x = x[(len(x) - n) // 2 :][:n] if len(x) > n else np.pad(x, (0, n - len(x)))
    return make_mel.back(USUAL, make_mel.spectrogram(USUAL, x).astype(np.float32))


def hear(sounds):
    """What each sound is taken for; '' for nothing. The silence around a sound, the noise and -remove_silence were chosen on
    120 real recordings: 0.69 without them, 0.81 with."""
    noise = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        names = ["%05d" % k for k in range(len(sounds))]
        for name, x in zip(names, sounds):
            wide = resample_poly(x, 2, 1)  # the model is of 16 kHz
            quiet = np.zeros(4800)
            wide = np.concatenate([quiet, 0.5 * wide / np.abs(wide).max(), quiet])
            wide += 1e-3 * noise.standard_normal(len(wide))  # rooms are never wholly silent, and the model knows none that is
            soundfile.write(os.path.join(folder, name + ".wav"), wide, 16000, subtype="PCM_16")
        with open(os.path.join(folder, "digits.gram"), "w") as out:
            out.write(GRAMMAR)
        with open(os.path.join(folder, "list"), "w") as out:
            out.write("".join(name + "\n" for name in names))
        model = "/usr/share/pocketsphinx/model/en-us"
        subprocess.run(
            ["pocketsphinx_batch", "-adcin", "yes", "-cepdir", folder, "-cepext", ".wav", "-ctl", folder + "/list"]
            + ["-hmm", model + "/en-us", "-dict", model + "/cmudict-en-us.dict", "-jsgf", folder + "/digits.gram"]
            + ["-hyp", folder + "/heard", "-remove_silence", "no"],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        heard = dict.fromkeys(names, "")
        for line in open(os.path.join(folder, "heard")):
            text, rest = line.rsplit(" (", 1)
            heard[rest.split()[0]] = text.strip()
        return [heard[name] for name in names]


def report(title, sounds, labels, groups=None):
    heard = hear(sounds)
    right = np.array([h == WORDS[l] for h, l in zip(heard, labels)])
    print("%s: %d sounds, %.3f heard right, %.3f not at all" % (title, len(sounds), right.mean(), np.mean([not h for h in heard])))
    digits = np.array(labels)
    print("  by digit: " + ", ".join("%s %.2f" % (WORDS[c], right[digits == c].mean()) for c in range(10) if (digits == c).any()))
    if groups is not None:
        for group in sorted(set(groups)):
            print("  %s %.2f" % (group, right[np.array([g == group for g in groups])].mean()))


def real(folder, count):
    paths = [p for p in sorted(glob.glob(os.path.join(folder, "*.wav"))) if int(p[:-4].rsplit("_", 1)[1]) < 5]
    paths = [paths[k] for k in np.random.default_rng(0).permutation(len(paths))[:count]]
    sounds = [load(p) for p in paths]
    labels = [int(os.path.basename(p)[0]) for p in paths]
    speakers = [os.path.basename(p).split("_")[1] for p in paths]
    report("real recordings", sounds, labels, speakers)
    report("the same through mel and back", [through_mel(x) for x in sounds], labels, speakers)


def generated(manifest):
    with open(manifest) as table:
        rows = [r for r in csv.DictReader(table) if r["file"].endswith(".wav")]
    folder = os.path.dirname(os.path.abspath(manifest))
    report(manifest, [load(os.path.join(folder, r["file"])) for r in rows], [int(r["label"]) for r in rows])


def main():
    arguments = argparse.ArgumentParser(description="Which digits PocketSphinx hears.")
    arguments.add_argument("--real", metavar="FOLDER")
    arguments.add_argument("--count", type=int, default=300)
    arguments.add_argument("manifest", nargs="*")
    a = arguments.parse_args()
    if a.real:
        real(a.real, a.count)
    for manifest in a.manifest:
        generated(manifest)


main()
