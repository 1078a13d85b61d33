#!/usr/bin/env python3
"""What error Winograd's convolutions leave with the points of core/backend/cpu/winograd_points.h, in float32 and with
operands rounded to bfloat16, beside direct sums: root mean squares over random maps behind a ReLU, as a share of the
results'. Other points: winograd_points.py TAPS A,B,.. (the pairs; 0 and infinity are added as there). Needs numpy."""
import sys

import numpy as np

CHANNELS, MAPS = 32, 60
POINTS = {4: [1], 5: [3 / 8, 9 / 8], 6: [5 / 8, 3 / 2], 7: [3 / 8, 7 / 8, 7 / 4], 8: [1 / 2, 1, 2], 9: [1 / 4, 3 / 4, 9 / 8, 2]}
POINTS_BF16 = {5: [1 / 2, 3 / 2], 6: [2 / 3, 3 / 2]}


def matrices(n, pairs, taps):
    """A (outputs by points), G (points by taps) and B (points by pixels); infinity is the last point."""
    finite = ([0.0] if n % 2 == 0 else []) + [p for a in pairs for p in (a, -a)]
    outputs = n - taps + 1
    a, g, b = np.zeros((outputs, n)), np.zeros((n, taps)), np.zeros((n, n))
    for k, x in enumerate(finite):
        others = [y for y in finite if y != x]
        a[:, k] = [x ** i for i in range(outputs)]
        g[k] = [x ** i / np.prod([x - y for y in others]) for i in range(taps)]
        b[k, :n - 1] = np.poly(others)[::-1]
    a[-1, -1] = g[-1, -1] = 1
    b[-1] = np.poly(finite)[::-1]
    return a, g, b


def to_bf16(x):
    u = x.astype(np.float32).view(np.uint32).astype(np.uint64)
    return (((u + 0x7fff + ((u >> 16) & 1)) >> 16) << 16).astype(np.uint32).view(np.float32)


def maps(n, taps, rng):
    d = np.maximum(rng.standard_normal((CHANNELS, n, n)), 0).astype(np.float32)
    w = (rng.standard_normal((CHANNELS, taps, taps)) / np.sqrt(CHANNELS * taps * taps)).astype(np.float32)
    return d, w


def direct(d, w, dtype):
    n, taps = d.shape[1], w.shape[1]
    y = np.zeros((n - taps + 1,) * 2, dtype)
    for c in range(len(d)):
        for i in range(taps):
            for j in range(taps):
                y += d[c, i:i + len(y), j:j + len(y)].astype(dtype) * dtype(w[c, i, j])
    return y


def in_float32(d, w, a, g, b):
    a, b = a.astype(np.float32), b.astype(np.float32)
    v = np.matmul(np.matmul(b, d), b.T)
    u = np.matmul(np.matmul(g, w.astype(float)), g.T).astype(np.float32)
    m = np.zeros(v.shape[1:], np.float32)
    for c in range(len(d)):
        m += v[c] * u[c]
    return a @ m @ a.T


def in_bf16(d, w, a, g, b):
    v = to_bf16(np.matmul(np.matmul(b, d.astype(float)), b.T))
    u = to_bf16(np.matmul(np.matmul(g, w.astype(float)), g.T))
    return a @ (v.astype(float) * u).sum(0) @ a.T


def error(n, taps, compute):
    rng, wrong, size = np.random.default_rng(0), 0.0, 0.0
    for _ in range(MAPS):
        d, w = maps(n, taps, rng)
        y = direct(d, w, np.float64)
        wrong, size = wrong + ((compute(d, w) - y) ** 2).mean(), size + (y ** 2).mean()
    return np.sqrt(wrong / size)


def tell(n, taps, pairs, name, how):
    m = matrices(n, pairs, taps)
    print(f"{name:9} {taps} taps, {n - taps + 1} outputs, {n} points: {error(n, taps, lambda d, w: how(d, w, *m)):.1e}")


def main():
    if len(sys.argv) == 3:
        pairs, taps = [float(x) for x in sys.argv[2].split(",")], int(sys.argv[1])
        for n in (2 * len(pairs) + 1, 2 * len(pairs) + 2):
            tell(n, taps, pairs, "float32", in_float32)
            tell(n, taps, pairs, "bfloat16", in_bf16)
        return
    for taps in (2, 3):
        print(f"float32   {taps} taps, direct: {error(9, taps, lambda d, w: direct(d, w, np.float32)):.1e}")
        for n, pairs in POINTS.items():
            if n - taps + 1 >= 3:
                tell(n, taps, pairs, "float32", in_float32)
        tell(3 + taps, taps, POINTS_BF16[3 + taps], "bfloat16", in_bf16)
        tell(6 + taps, taps, POINTS[6 + taps], "bfloat16", in_bf16)


main()
