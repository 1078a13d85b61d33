#!/usr/bin/env python3
"""What error Winograd's convolutions leave with the points of core/backend/cpu/winograd_points.h, in float32 and with
operands rounded to bfloat16, beside direct sums: root mean squares over random maps behind a ReLU, as a share of the
results', of all outputs of a tile and of the worst one. Other points: winograd_points.py TAPS A,B,.. (the pairs; 0 and
infinity are added as there). Needs numpy."""
import sys

import numpy as np

CHANNELS, MAPS = 32, 60
POINTS = {4: [1], 5: [3 / 8, 19 / 16], 6: [11 / 16, 11 / 8], 7: [3 / 8, 7 / 8, 7 / 4], 8: [1 / 2, 1, 2], 9: [1 / 4, 3 / 4, 9 / 8, 2]}


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


def maps(high, wide, taps, rng):
    d = np.maximum(rng.standard_normal((CHANNELS, high, wide)), 0).astype(np.float32)
    w = (rng.standard_normal((CHANNELS, taps, taps)) / np.sqrt(CHANNELS * taps * taps)).astype(np.float32)
    return d, w


def direct(d, w, dtype):
    taps = w.shape[1]
    y = np.zeros((d.shape[1] - taps + 1, d.shape[2] - taps + 1), dtype)
    for c in range(len(d)):
        for i in range(taps):
            for j in range(taps):
                y += d[c, i:i + y.shape[0], j:j + y.shape[1]].astype(dtype) * dtype(w[c, i, j])
    return y


def in_float32(d, w, down, along):
    a, b = ([m.astype(np.float32) for m in (x[0], x[2])] for x in (down, along))
    v = np.matmul(np.matmul(a[1], d), b[1].T)
    u = np.matmul(np.matmul(down[1], w.astype(float)), along[1].T).astype(np.float32)
    m = np.zeros(v.shape[1:], np.float32)
    for c in range(len(d)):
        m += v[c] * u[c]
    return a[0] @ m @ b[0].T


def in_bf16(d, w, down, along):
    v = to_bf16(np.matmul(np.matmul(down[2], d.astype(float)), along[2].T))
    u = to_bf16(np.matmul(np.matmul(down[1], w.astype(float)), along[1].T))
    return down[0] @ (v.astype(float) * u).sum(0) @ along[0].T


def error(high, wide, taps, compute):
    rng, wrong, size = np.random.default_rng(0), 0.0, 0.0
    for _ in range(MAPS):
        d, w = maps(high, wide, taps, rng)
        y = direct(d, w, np.float64)
        wrong, size = wrong + (compute(d, w) - y) ** 2, size + (y ** 2).mean()
    return f"{np.sqrt(np.mean(wrong) / size):.1e}, worst {np.sqrt(np.max(wrong) / size):.1e}"


def tell(high, wide, taps, pairs, name, how):
    down, along = matrices(high, pairs[high], taps), matrices(wide, pairs[wide], taps)
    print(f"{name:9} {taps} taps, {high - taps + 1} x {wide - taps + 1} outputs, {high} x {wide} points:",
          error(high, wide, taps, lambda d, w: how(d, w, down, along)))


def main():
    if len(sys.argv) == 3:
        given, taps = [float(x) for x in sys.argv[2].split(",")], int(sys.argv[1])
        for n in (2 * len(given) + 1, 2 * len(given) + 2):
            tell(n, n, taps, {n: given}, "float32", in_float32)
            tell(n, n, taps, {n: given}, "bfloat16", in_bf16)
        return
    for taps in (2, 3):
        print(f"float32   {taps} taps, direct:", error(9, 9, taps, lambda d, w: direct(d, w, np.float32)))
        for n in POINTS:
            if n - taps + 1 >= 3:
                tell(n, n, taps, POINTS, "float32", in_float32)
        for n in ((5, 5), (6, 5), (6, 6), (6 + taps, 6 + taps)):
            tell(*n, taps, POINTS, "bfloat16", in_bf16)


main()
