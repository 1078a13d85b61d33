#!/usr/bin/python3
"""Writes baselines.bin: objectives on one small case whose experts and draws are given as numbers, computed from their
definitions by PyTorch in double precision, for tests/learn/test_baselines.c. Where a definition has two forms (an inverse
and a closed form, moments and quadrature) both are computed here and compared. Run in this folder: ./make_baselines.py

Three modalities of one number each, z of 2, w of 1; the decoder's mean of m is A[m].z (+ BW[m] w_m), its likelihood a
Gaussian of SIGMA; beta is 1.5. PART: the third modality is missing.

Format: see make_ops.py. Records:

  given/loc, scale, w_loc, w_scale, auxiliary, a, bw, x   the case
  given/z/E/K, given/w/E/K                                 standard draws of expert E, draw K: z [2], w [3]
  fused/NAME/SET/loc, scale                                the experts of SET as one q
  CASE/value                                               the loss
  CASE/loc, CASE/scale                                     its gradient to the first expert's location and scale
  CASE/...                                                 what else the case has
"""
import itertools
import math

import numpy as np
import torch
from torch.distributions import Laplace, Normal, kl_divergence as kl

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
out = open("baselines.bin", "wb")
out.write(b"MMREF1\n")
T = torch.tensor
M, D, BETA, SIGMA, RHO = 3, 2, 1.5, 0.5, 0.4
LOC = T([[0.5, -1.0], [1.0, 0.2], [-0.4, 0.3]])
SCALE = T([[0.8, 0.5], [0.6, 1.2], [1.5, 0.7]])
WLOC, WSCALE = T([0.2, -0.5, 0.6]), T([0.9, 1.1, 0.4])
AUX = T([1.2, 0.8, 1.0])
A = T([[1.0, 0.5], [-0.3, 0.8], [0.6, -0.9]])
BW = T([0.7, -0.5, 0.4])
X = T([0.3, -0.6, 1.1])
FULL, PART = (0, 1, 2), (0, 1)
SETS = {"full": FULL, "part": PART}


def put(name, value):
    array = np.atleast_1d(np.asarray(value.detach() if torch.is_tensor(value) else value, dtype="<f8"))
    out.write((" ".join([name, "d"] + [str(d) for d in array.shape]) + "\n").encode() + np.ascontiguousarray(array).tobytes())


def ez(e, k):
    return T([1.5 * math.sin(7 * e + 3 * k + 5 * d + 1) for d in range(D)])


def ew(e, k):
    return T([1.5 * math.sin(11 * e + 2 * k + 4 * m + 3) for m in range(M)])


for name, value in [("loc", LOC), ("scale", SCALE), ("w_loc", WLOC), ("w_scale", WSCALE), ("auxiliary", AUX), ("a", A),
                    ("bw", BW), ("x", X)]:
    put(f"given/{name}", value)
for e, k in itertools.product(range(M), range(2)):
    put(f"given/z/{e}/{k}", ez(e, k))
    put(f"given/w/{e}/{k}", ew(e, k))

loc, sc = LOC.clone().requires_grad_(), SCALE.clone().requires_grad_()


def nll(z, obs, w=None):
    return sum(-Normal(A[m] @ z + (BW[m] * w[m] if w is not None else 0), SIGMA).log_prob(X[m]) for m in obs)


def kl0(l, s):
    return kl(Normal(l, s), Normal(torch.zeros(D), torch.ones(D))).sum()


def case(name, value, **more):
    gl, gs = torch.autograd.grad(value, (loc, sc), retain_graph=True)
    put(f"{name}/value", value)
    put(f"{name}/loc", gl[0])
    put(f"{name}/scale", gs[0])
    for key, (of, scale) in more.items():
        put(f"{name}/{key}", scale * torch.autograd.grad(value, of, retain_graph=True)[0])


def near(a, b, tolerance=1e-9):
    assert torch.allclose(torch.as_tensor(a), torch.as_tensor(b), rtol=0, atol=tolerance), (a, b)


# ---------------------------------------------------------------- one draw of what experts become


def hellinger(obs):
    num, sec, den = sum(loc[i] for i in obs), sum(loc[i] ** 2 + sc[i] ** 2 for i in obs), float(len(obs))
    for i, j in itertools.combinations(obs, 2):
        vi, vj = sc[i] ** 2, sc[j] ** 2
        log_s = 0.5 * torch.log(2 * sc[i] * sc[j] / (vi + vj)) - (loc[i] - loc[j]) ** 2 / (4 * (vi + vj))
        s = torch.exp(log_s.sum())
        m, v = (loc[i] * vj + loc[j] * vi) / (vi + vj), 2 * vi * vj / (vi + vj)
        num, sec, den = num + 2 * s * m, sec + 2 * s * (m ** 2 + v), den + 2 * s
    l = num / den
    return l, torch.sqrt(sec / den - l ** 2)


def barycentre(obs):
    return loc[list(obs)].mean(0), sc[list(obs)].mean(0)


def consensus(obs):
    inverse = []
    for d in range(D):
        s = sc[list(obs), d]
        inverse.append(torch.linalg.inv(torch.outer(s, s) * (RHO * torch.ones(len(obs), len(obs)) + (1 - RHO) * torch.eye(len(obs)))))
    precision = torch.stack([i.sum() for i in inverse])
    pull = torch.stack([i.sum(1) @ loc[list(obs), d] for d, i in enumerate(inverse)])
    return pull / precision, precision ** -0.5


# Moments of (sum_i sqrt q_i)^2 on a grid.
t = torch.linspace(-9, 9, 1801)
gx, gy = torch.meshgrid(t, t, indexing="ij")
dens = sum(torch.exp(0.5 * (Normal(LOC[i, 0], SCALE[i, 0]).log_prob(gx) + Normal(LOC[i, 1], SCALE[i, 1]).log_prob(gy))) for i in range(M)) ** 2
dens = dens / dens.sum()
mean = torch.stack([(dens * gx).sum(), (dens * gy).sum()])
near(hellinger(FULL)[0], mean, 1e-6)
near(hellinger(FULL)[1], torch.stack([(dens * gx ** 2).sum(), (dens * gy ** 2).sum()]).sub(mean ** 2).sqrt(), 1e-6)
for name, fuse in [("hellinger", hellinger), ("barycentre", barycentre), ("consensus", consensus)]:
    for s, obs in list(SETS.items()) + [("one", (0,))]:
        for what, value in zip(("loc", "scale"), fuse(obs)):
            put(f"fused/{name}/{s}/{what}", value)


def one_draw(q, obs):
    return nll(q[0] + q[1] * ez(0, 0), obs) + BETA * kl0(*q)


for s, obs in SETS.items():
    case(f"helvae/{s}", one_draw(hellinger(obs), obs))
    case(f"mwbvae/{s}", one_draw(barycentre(PART), obs))  # S = {0, 1}
case("mwbvae/all", one_draw(barycentre(FULL), FULL))


def laplace_kl(l, b):
    return (l.abs() + b * torch.exp(-l.abs() / b) - torch.log(b) - 1).sum()


z = torch.linspace(-40, 40, 800001)
q = Laplace(T(-0.4), T(0.7))
near(laplace_kl(T([-0.4]), T([0.7])), torch.trapezoid((q.log_prob(z) - Laplace(T(0.0), T(1.0)).log_prob(z)) * q.log_prob(z).exp(), z), 1e-7)
l, b = barycentre(FULL)
case("mwbvae/laplace", nll(l + b * ez(0, 0), FULL) + BETA * laplace_kl(l, b))

# Experts that agree far from 0, where E[z^2] - mean^2 loses its digits.
a, v = [30.0, 30.01], 1e-4
s = math.exp(-(a[0] - a[1]) ** 2 / (8 * v))
put("far/variance", (2 * (v + 0.005 ** 2) + 2 * s * v) / (2 + 2 * s))


def jsd(obs):
    pi = 1 / (len(obs) + 1)
    precision = pi + sum(pi / sc[i] ** 2 for i in obs)
    f = Normal(sum(pi * loc[i] / sc[i] ** 2 for i in obs) / precision, precision ** -0.5)
    divergence = pi * kl(Normal(torch.zeros(D), torch.ones(D)), f).sum() + sum(pi * kl(Normal(loc[i], sc[i]), f).sum() for i in obs)
    return nll(loc[0] + sc[0] * ez(0, 0), obs) + BETA * divergence


for s, obs in SETS.items():
    case(f"mmjsd/{s}", jsd(obs))

# ---------------------------------------------------------------- all subsets; the engine numbers them by their bits


def code(obs, u):
    omega = torch.softmax(u, 0)
    subsets = [[m for m in range(M) if s >> m & 1] for s in range(1, 2 ** M)]
    inside = [set(s) <= set(obs) for s in subsets]
    terms = [w * one_draw(consensus(s), obs) for w, s, i in zip(omega, subsets, inside) if i]
    return sum(terms) / sum(w for w, i in zip(omega, inside) if i) + 1000 * (omega * omega.log()).sum()


by_size = [s for n in range(1, M + 1) for s in itertools.combinations(range(M), n)]
for name, step in [("equal", 0.0), ("rising", 0.1)]:
    u = torch.zeros(2 ** M - 1)
    for i, s in enumerate(by_size):
        u[sum(1 << m for m in s) - 1] = step * i
    u.requires_grad_()
    put(f"codevae/{name}/u", u)
    for s, obs in SETS.items():
        case(f"codevae/{name}/{s}", code(obs, u), logits=(u, 1))

# ---------------------------------------------------------------- mixtures of experts: every expert, K draws of each


def log_weight(obs, e, k, plus, fam=Normal, mu=None, pi=None, f=None, held=False):
    l, s = (loc.detach(), sc.detach()) if held else (loc, sc)
    z = loc[e] + sc[e] * ez(e, k)
    log_q = torch.logsumexp(torch.stack([fam(l[i], s[i]).log_prob(z).sum() for i in obs]), 0) - math.log(len(obs))
    log_p = fam(torch.zeros(D), torch.ones(D)).log_prob(z).sum()
    if mu is not None:
        log_p = torch.logsumexp(torch.stack([torch.log(pi[c]) + fam(mu[c], torch.ones(D)).log_prob(z).sum() for c in range(len(pi))]), 0)
    if f is not None:
        log_p = log_p + f(z)
    w = None
    if plus:
        n = ew(e, k)
        own = WLOC[e] + WSCALE[e] * n[e]
        w = [own if m == e else AUX[m] * n[m] for m in range(M)]
        log_q = log_q + fam(WLOC[e], WSCALE[e]).log_prob(own)
        log_p = log_p + fam(T(0.0), T(1.0)).log_prob(own)
    return -nll(z, obs, w) + BETA * (log_p - log_q)


def bound(obs, K, plus, **more):
    rows = [torch.stack([log_weight(obs, e, k, plus, **more) for k in range(K)]) for e in obs]
    return rows, -sum(torch.logsumexp(r, 0) - math.log(K) for r in rows) / len(obs)


for name, plus in [("mmvae", False), ("mmvae+", True)]:
    for s, obs in SETS.items():
        for K in (1, 2):
            rows, value = bound(obs, K, plus)
            case(f"{name}/{s}/{K}", value)
            put(f"{name}/{s}/{K}/rows", torch.stack(rows))
        # The gradient is that of rows weighted by constants.
        w = [torch.softmax(r, 0).detach() for r in rows]
        same = -sum((a * r).sum() for a, r in zip(w, rows)) / len(obs)
        near(torch.autograd.grad(same, loc, retain_graph=True)[0], torch.autograd.grad(value, loc, retain_graph=True)[0])
        # Doubly reparametrised, to the encoders: densities see fixed parameters, the square of the weight.
        held = [torch.stack([log_weight(obs, e, k, plus, held=True) for k in range(2)]) for e in obs]
        case(f"{name}/{s}/dreg", -sum((a ** 2 * r).sum() for a, r in zip(w, held)) / len(obs))
case("mmvae/laplace/2", bound(FULL, 2, False, fam=Laplace)[1])

# ---------------------------------------------------------------- learned priors

MU, LG = T([[0.8, -0.6], [-0.7, 0.5]]).requires_grad_(), T([0.3, -0.2]).requires_grad_()
put("given/means", MU)
put("given/logits", LG)
for family, fam in [("normal", Normal), ("laplace", Laplace)]:
    for s, obs in SETS.items():
        value = bound(obs, 1, True, fam=fam, mu=MU, pi=torch.softmax(LG, 0))[1]
        case(f"cmvae/{family}/{s}", value, means=(MU, 1), logits=(LG, 1))
# The published form of log p(z), with the exact q(c | z).
z = loc[0] + sc[0] * ez(0, 0)
joint = torch.stack([torch.log(torch.softmax(LG, 0)[c]) + Normal(MU[c], 1.0).log_prob(z).sum() for c in range(2)])
p = torch.softmax(joint, 0)
near(torch.logsumexp(joint, 0), (p * (joint - p.log())).sum())


def f(z):
    return 0.7 * torch.tanh(z[..., 0] - 0.5 * z[..., 1]) + 0.2 * z[..., 1]


case("mvebm/full", bound(FULL, 1, False, f=f)[1])
z = T([0.3, -0.8]).requires_grad_()
new = z + 0.4 ** 2 / 2 * (torch.autograd.grad(f(z), z)[0] - z) + 0.4 * ez(1, 0)
put("mvebm/step", new)
put("mvebm/there", f(new))
put("mvebm/loss", f(new) - sum(f(loc[e] + sc[e] * ez(e, 0)) for e in range(M)) / M)
out.close()
