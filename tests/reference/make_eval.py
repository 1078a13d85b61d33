#!/usr/bin/env python3
# make_eval.py - reference values of evaluation's mathematics, by NumPy. Writes eval_values.h beside itself.
#
# The data are made by a formula (see numbers) that tests/eval/test_eval_maths.c repeats, so no data is stored.
import os
import numpy as np


def numbers(seed, n):
    """n values in -0.5..0.5 by a linear congruential generator modulo 2^32, rounded to float."""
    out, s = np.empty(n), seed
    for i in range(n):
        s = (1664525 * s + 1013904223) % 2**32
        out[i] = s / 2**32 - 0.5
    return out.astype(np.float32).astype(np.float64)


def mixed(seed, n, d):
    """Correlated columns: column j is the sum of columns 0..j, times j + 1."""
    x = np.cumsum(numbers(seed, n * d).reshape(n, d), axis=1) * np.arange(1, d + 1)
    return x.astype(np.float32).astype(np.float64)


def frechet(a, b):
    s, t = np.cov(a.T), np.cov(b.T)
    roots = np.sqrt(np.maximum(np.linalg.eigvals(s @ t).real, 0)).sum()
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(s) + np.trace(t) - 2 * roots


def logistic(x, y, classes, penalty):
    """Weights of standardised columns by Newton's method; the last row of w holds the biases."""
    z = np.c_[(x - x.mean(0)) / x.std(0), np.ones(len(x))]
    n, d = z.shape
    w, free = np.zeros((classes, d)), np.r_[np.ones(d - 1), 0]
    target = np.eye(classes)[y]
    for _ in range(50):
        p = np.exp(z @ w.T)
        p /= p.sum(1, keepdims=True)
        g = (p - target).T @ z / n + penalty * w * free
        h = np.zeros((classes * d, classes * d))
        for a in range(classes):
            for b in range(classes):
                q = p[:, a] * ((a == b) - p[:, b]) / n
                h[a * d:(a + 1) * d, b * d:(b + 1) * d] = (z * q[:, None]).T @ z
        h += np.diag(np.tile(penalty * free, classes))
        w -= (np.linalg.lstsq(h, g.ravel(), rcond=None)[0]).reshape(classes, d)
    return w


a, b = mixed(1, 200, 6), mixed(2, 150, 6) + 0.25
x = mixed(3, 90, 3)
noise = numbers(4, 90)
y = np.where(x[:, 2] + noise > 0.75, 2, np.where(x[:, 0] + 0.5 * noise > 0, 1, 0))
c = a - a.mean(0)
variance = np.sort(np.linalg.eigvalsh(c.T @ c / (len(a) - 1)))[::-1]
w = logistic(x, y, 3, 0.01)
text = "/* Written by make_eval.py. */\n"
text += "#define FRECHET_VALUE %.17g\n" % frechet(a, b)
text += "static const double pca_variance[3] = { %s };\n" % ", ".join("%.17g" % v for v in variance[:3])
text += "static const double probe_weight[12] = {\n\t%s\n};\n" % ",\n\t".join(", ".join("%.17g" % v for v in r) for r in w)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "eval_values.h"), "w") as f:
    f.write(text)
