#!/usr/bin/env python3
# make_mel.py - reference values of the plugin audio, by NumPy and SciPy. Writes mel.bin beside itself.
#
# Two shapes of spectrogram; for each, little-endian float32: the sound, its log-mel spectrogram [bands][frames] with the
# highest band first, and the sound that comes back from it by Griffin and Lim. tests/plugins/test_audio_mel.c has the same
# shapes. Everything here is computed in double precision and with dense matrices; the plugin does neither.
import os
import numpy as np
from scipy import fft

LOW, HIGH = -70.0, -10.0
SHAPES = [
    dict(rate=8000, bands=32, frames=16, hop=80, window=256, rounds=4),
    dict(rate=16000, bands=64, frames=32, hop=64, window=800, rounds=3),
]


def signal(rate, n):
    """A rising tone with two overtones, a click, a little noise, and silence at the end."""
    t = np.arange(n) / rate
    phase = 2 * np.pi * (200 * t + 0.5 * 2500 * t**2)
    x = 0.5 * np.sin(phase) + 0.2 * np.sin(2 * phase) + 0.1 * np.sin(3 * phase)
    s = np.empty(n)
    state = 7
    for k in range(n):
        state = (1664525 * state + 1013904223) % 2**32
        s[k] = state / 2**32 - 0.5
    x += 0.01 * s
    x[n // 3] += 0.7
    x[4 * n // 5 :] = 0
    return x.astype(np.float32)


def mel(f):
    return 2595 * np.log10(1 + f / 700)


def hertz(m):
    return 700 * (10 ** (m / 2595) - 1)


def filters(rate, bands, points):
    """[bands][bins], the lowest first, each row of sum 1."""
    edge = hertz(np.linspace(0, mel(rate / 2), bands + 2))
    f = np.arange(points // 2 + 1) * rate / points
    up = (f - edge[:-2, None]) / (edge[1:-1] - edge[:-2])[:, None]
    down = (edge[2:, None] - f) / (edge[2:] - edge[1:-1])[:, None]
    w = np.maximum(0, np.minimum(up, down))
    return w / w.sum(1, keepdims=True)


def points_of(window):
    return max(512, 1 << (window - 1).bit_length())


class Frames:
    def __init__(self, c):
        self.c, self.points = c, points_of(c["window"])
        self.window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(c["window"]) / c["window"])
        self.start = [t * c["hop"] + c["hop"] // 2 - c["window"] // 2 for t in range(c["frames"])]
        self.n = c["frames"] * c["hop"]

    def analyse(self, x):
        """[frames][bins]"""
        pad = self.c["window"]
        y = np.concatenate([np.zeros(pad), x, np.zeros(pad + self.c["window"])])
        cut = np.stack([y[s + pad : s + pad + self.c["window"]] for s in self.start])
        return fft.rfft(cut * self.window, self.points, axis=1)

    def synthesise(self, spectrum):
        pad = self.c["window"]
        out, weight = np.zeros(self.n + 2 * pad), np.zeros(self.n + 2 * pad)
        for s, part in zip(self.start, fft.irfft(spectrum, self.points, axis=1)):
            out[s + pad : s + 2 * pad] += part[:pad] * self.window
            weight[s + pad : s + 2 * pad] += self.window**2
        return (out / np.maximum(weight, 1e-3))[pad : pad + self.n]


def phases(count):
    state, out = 1, np.empty(count)
    for k in range(count):
        state = (1664525 * state + 1013904223) % 2**32
        out[k] = (state >> 8) * (2 * np.pi / 2**24)
    return out


def spectrogram(c, x):
    f = Frames(c)
    power = np.abs(f.analyse(x.astype(np.float64))) ** 2
    band = power @ filters(c["rate"], c["bands"], f.points).T
    db = 10 * np.log10(band / (c["window"] / 4) ** 2 + 1e-12)
    return np.clip(2 * (db - LOW) / (HIGH - LOW) - 1, -1, 1).T[::-1]


def back(c, image):
    f, w = Frames(c), filters(c["rate"], c["bands"], points_of(c["window"]))
    v = image[::-1].T.astype(np.float64)  # [frames][bands]
    wanted = (c["window"] / 4) ** 2 * 10 ** (((v + 1) / 2 * (HIGH - LOW) + LOW) / 10)
    wanted[v <= -1] = 0
    p = np.ones((c["frames"], f.points // 2 + 1))
    for _ in range(40):
        down = p @ w.T @ w
        p *= np.where(down > 1e-12, wanted @ w / np.maximum(down, 1e-12), 0)
    a = np.sqrt(p)
    x = f.synthesise(a * np.exp(1j * phases(a.size)).reshape(a.shape))
    for _ in range(c["rounds"]):
        s = f.analyse(x)
        size = np.abs(s)
        x = f.synthesise(np.where(size > 1e-9, s / np.maximum(size, 1e-9), 0) * a)
    return x * 0.9 / np.abs(x).max()


def main():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "mel.bin"), "wb") as out:
        for c in SHAPES:
            x = signal(c["rate"], c["frames"] * c["hop"])
            image = spectrogram(c, x).astype(np.float32)
            for part in (x, image, back(c, image)):
                out.write(np.ascontiguousarray(part, "<f4").tobytes())


if __name__ == "__main__":
    main()
