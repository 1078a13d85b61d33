"""mmcore's random numbers made a second time, from their description in core/engine/vec.h: for make_iteration.py."""
import math

import numpy as np
import torch

MASK = (1 << 64) - 1


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) & MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & MASK
    return x ^ (x >> 31)


def key(seed, stream):
    h = 0xCBF29CE484222325
    for byte in stream.encode():
        h = ((h ^ byte) * 0x100000001B3) & MASK
    return mix(mix(seed) ^ h)


def philox(k, counter):
    k0, k1, low = k & 0xFFFFFFFF, k >> 32, 0xFFFFFFFF
    c = list(counter)
    for _ in range(10):
        p0, p1 = c[0] * 0xD2511F53, c[2] * 0xCD9E8D57
        c = [(p1 >> 32) ^ c[1] ^ k0, p1 & low, (p0 >> 32) ^ c[3] ^ k1, p0 & low]
        k0, k1 = (k0 + 0x9E3779B9) & low, (k1 + 0xBB67AE85) & low
    return c


def element_words(k, count, sample, step, iteration):
    """For each element: the words of its block, and which of them is its own."""
    for e in range(count):
        yield philox(k, [e // 64 * 16 + e % 16, sample, step, iteration]), e // 16 % 4


def unit(word):
    return ((word >> 8) + 0.5) / 2**24


def normal(*where):
    def draw(words, i):
        a, b = words[i & 2], words[i | 1]
        angle = math.pi / 2 * (b % 2**23 / 2**23 - 0.5)
        x, y = math.cos(angle) * (-1 if b >> 31 else 1), math.sin(angle)
        if b >> 30 & 1:
            x, y = y, x
        u = float(np.float32(np.float32(a >> 1) / 2.0**31 + 2.0**-32))
        return math.sqrt(-2 * math.log(u)) * (y if i & 1 else x)
    return [draw(words, i) for words, i in element_words(*where)]


def laplace(*where):
    def draw(words, i):
        t = 2 * unit(words[i]) - 1
        return math.copysign(math.log(1 - abs(t)), t)
    return [draw(words, i) for words, i in element_words(*where)]


def below(n, k, sample, iteration):
    words = philox(k, [0, sample, 0, iteration])
    return next(w * n >> 32 for w in words if w * n % 2**32 >= -n % 2**32 % n)


def rows(family, stream, n, shape, step=0, iteration=0, seed=1, first=0):
    k, count = key(seed, stream), math.prod(shape)
    return torch.tensor([family(k, count, first + r, step, iteration) for r in range(n)]).reshape(n, *shape)
