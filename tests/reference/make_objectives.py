#!/usr/bin/python3
"""Writes objectives.bin: ELBOs and the learner's two likelihood losses on the linear modalities of linear_rig.c, with fixed
weights, data and noise, computed by PyTorch in double precision, for tests/learn/test_objectives.c. Run in this folder:
./make_objectives.py

Format: see make_ops.py. Records (P is 0 without private latents, 1 with):

  P/generator/TENSOR, P/inference/TENSOR   raw parameters
  data/M, seen/M                           a batch of modality M, and what its encoder sees of it in the cases NAME-seen
  observed/M, subset/M, counts/K/M         masks of 1 and 0; K numbers chains
  single/M                                 the same of subsets of one modality
  eps/K/z, eps/K/w/M                       standard draws, or places in latent space for the two losses
  CASE/value                               loss of each sample
  CASE/grad/STORE/TENSOR                   gradient of sum_n seed_n loss_n, seed_n = 1/N

CASE is P/NAME/FULL for complete batches and P/NAME/MASKED. beta is 1.5 in every ELBO. In NAME-softmax the experts'
scales are D softmax(raw) + 1e-6, as scale_head = softmax has them.
"""
import itertools
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Normal, kl_divergence

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
rng = np.random.default_rng(20240930)
out = open("objectives.bin", "wb")
out.write(b"MMREF1\n")
N, M, WIDTH, Z, W, BETA = 4, 3, 4, 2, 1, 1.5
SIGMA, WEIGHT = [float(np.float32(v)) for v in (0.5, 0.8, 0.6)], [1.0, 2.0, 0.5]


def put(name, value, kind):
    array = np.ascontiguousarray(value.detach().numpy() if torch.is_tensor(value) else value, dtype={"f": "<f4", "d": "<f8"}[kind])
    out.write((" ".join([name, kind] + [str(d) for d in array.shape]) + "\n").encode() + array.tobytes())


def single(array):
    return torch.tensor(np.asarray(array, np.float32).astype(np.float64))


def draw(*shape):
    return single(rng.normal(size=shape))


data = [draw(N, WIDTH) for _ in range(M)]
observed = [single(v) for v in ([1, 1, 0, 1], [1, 0, 1, 1], [1, 1, 0, 0])]
subset = {True: [single(v) for v in ([1, 0, 0, 1], [0, 0, 1, 1], [1, 1, 0, 0])],
          False: [single(v) for v in ([1, 0, 1, 1], [0, 0, 1, 1], [1, 1, 0, 0])]}
counts = [[single(rng.integers(0, 2, N)) for _ in range(M)] for _ in range(M)]
eps = [(draw(N, Z), [draw(N, W) for _ in range(M)]) for _ in range(M + 1)]
single_of = [single(v) for v in ([0, 1, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0])]
ones = torch.ones(N)
for m in range(M):
    put(f"data/{m}", data[m], "f")
    put(f"single/{m}", single_of[m], "f")
    put(f"observed/{m}", observed[m], "f")
    put(f"subset/masked/{m}", subset[True][m], "f")
    put(f"subset/full/{m}", subset[False][m], "f")
for k in range(M + 1):
    put(f"eps/{k}/z", eps[k][0], "f")
    for m in range(M):
        put(f"eps/{k}/w/{m}", eps[k][1][m], "f")
        if k < M:
            put(f"counts/{k}/{m}", counts[k][m], "f")


class Model:
    def __init__(self, private):
        self.private = private
        self.softmax = False
        self.seen = data
        self.stores = {"generator": {}, "inference": {}}
        inputs = Z + (W if private else 0)
        for m in range(M):
            if private:
                self.add("generator", f"m{m}.auxiliary.scale.weight", (1, W), 0.5)
            for what, size in [("z_loc", Z), ("z_raw", Z)] + ([("w_loc", W), ("w_raw", W)] if private else []):
                self.add("inference", f"m{m}.encoder.{what}.weight", (WIDTH, size), 0.5)
                self.add("inference", f"m{m}.encoder.{what}.bias", (size,), 0.5)
            self.add("generator", f"m{m}.decoder.out.weight", (inputs, WIDTH), 0.5)
            self.add("generator", f"m{m}.decoder.out.bias", (WIDTH,), 0.5)
        if not private:
            logits = np.random.default_rng(7).normal(size=(1, 2 ** M - 1))
            self.stores["generator"]["subsets.logits.weight"] = single(logits).requires_grad_()
        for store, tensors in self.stores.items():
            for name, t in tensors.items():
                put(f"{int(private)}/{store}/{name}", t, "f")

    def add(self, store, name, shape, scale):
        self.stores[store][name] = single(scale * rng.normal(size=shape)).requires_grad_()

    def linear(self, store, name, x):
        return x @ self.stores[store][name + ".weight"] + self.stores[store][name + ".bias"]

    def expert(self, m, what):
        loc = self.linear("inference", f"m{m}.encoder.{what}_loc", self.seen[m])
        raw = self.linear("inference", f"m{m}.encoder.{what}_raw", self.seen[m])
        scale = raw.shape[1] * torch.softmax(raw, 1) if self.softmax else F.softplus(raw)
        return Normal(loc, scale + 1e-6)

    def nll(self, m, z, w):
        mean = self.linear("generator", f"m{m}.decoder.out", torch.cat([z, w], 1) if self.private else z)
        return -WEIGHT[m] * Normal(mean, SIGMA[m]).log_prob(data[m]).sum(1)

    def nlls(self, z, w, mask):
        return sum(mask[m] * self.nll(m, z, w[m]) for m in range(M))

    def auxiliary(self, m):
        raw = self.stores["generator"][f"m{m}.auxiliary.scale.weight"]
        return F.softplus(raw + float(np.float32(0.54132485))) + 1e-6


def log_mixture(experts, z, mask):
    logs = torch.stack([q.log_prob(z).sum(1) for q in experts])
    weights = torch.stack(mask) / torch.stack(mask).sum(0)
    return torch.logsumexp(logs.masked_fill(weights == 0, -1e300) + torch.log(weights.clamp(min=1e-300)), 0)


def log_each(experts, z, mask):
    total = torch.stack(mask).sum(0)
    return sum(mask[m] / total * experts[m].log_prob(z).sum(1) for m in range(M))


def log_prior(z):
    return Normal(0.0, 1.0).log_prob(z).sum(1)


def product(experts, mask, prior):
    precision = sum(mask[m][:, None] / experts[m].scale ** 2 for m in range(M)) + (1 if prior else 0)
    loc = sum(mask[m][:, None] * experts[m].loc / experts[m].scale ** 2 for m in range(M)) / precision
    return Normal(loc, precision ** -0.5)


def divergence(q):
    return kl_divergence(q, Normal(torch.zeros_like(q.loc), torch.ones_like(q.loc))).sum(1)


def mmvae(model, mask, masked):
    experts = [model.expert(m, "z") for m in range(M)]
    total = 0
    for e in range(M):
        z = experts[e].loc + experts[e].scale * eps[e][0]
        term = model.nlls(z, [None] * M, mask) + BETA * (log_mixture(experts, z, mask) - log_prior(z))
        total = total + mask[e] / torch.stack(mask).sum(0) * term
    return total


def mmvae_plus(model, mask, masked):
    experts = [model.expert(m, "z") for m in range(M)]
    privates = [model.expert(m, "w") for m in range(M)]
    total = 0
    for e in range(M):
        z = experts[e].loc + experts[e].scale * eps[e][0]
        own = privates[e].loc + privates[e].scale * eps[e][1][e]
        w = [own if m == e else model.auxiliary(m) * eps[e][1][m] for m in range(M)]
        term = model.nlls(z, w, mask) + BETA * (log_mixture(experts, z, mask) - log_prior(z) +
                                                privates[e].log_prob(own).sum(1) - log_prior(own))
        total = total + mask[e] / torch.stack(mask).sum(0) * term
    return total


def mvae(model, mask, masked):
    experts = [model.expert(m, "z") for m in range(M)]
    q = product(experts, mask, True)
    total = model.nlls(q.loc + q.scale * eps[0][0], [None] * M, mask) + BETA * divergence(q)
    for m in range(M):
        alone = product([experts[m]] * M, [ones, 0 * ones, 0 * ones], True)
        z = alone.loc + alone.scale * eps[m + 1][0]
        total = total + mask[m] * (model.nll(m, z, None) + BETA * divergence(alone))
    return total / (M + 1)


def mopoe(model, mask, masked):
    q = product([model.expert(m, "z") for m in range(M)], subset[masked], False)
    return model.nlls(q.loc + q.scale * eps[0][0], [None] * M, mask) + BETA * divergence(q)


def mvtcae(model, mask, masked):
    """As MultiVae's MVTCAE with its alpha; with missing modalities the experts that are there share the last term."""
    alpha, total = 5 / 6, torch.stack(mask).sum(0)
    experts = [model.expert(m, "z") for m in range(M)]
    q = product(experts, mask, False)
    spread = sum(mask[m] / total * kl_divergence(q, experts[m]).sum(1) for m in range(M))
    nll = model.nlls(q.loc + q.scale * eps[0][0], [None] * M, mask)
    return (M - alpha) / M * nll + BETA * ((1 - alpha) * divergence(q) + alpha * spread)


def helvae(model, mask, masked):
    """Quadrature of the pool is in make_baselines.py."""
    experts = [model.expert(m, "z") for m in range(M)]
    parts = [(mask[m][:, None], experts[m].loc, experts[m].scale ** 2) for m in range(M)]
    for i, j in itertools.combinations(range(M), 2):
        (_, li, vi), (_, lj, vj) = parts[i], parts[j]
        log_s = (0.5 * torch.log(2 * (vi * vj).sqrt() / (vi + vj)) - (li - lj) ** 2 / (4 * (vi + vj))).sum(1, keepdim=True)
        parts.append((2 * log_s.exp() * parts[i][0] * parts[j][0], (li * vj + lj * vi) / (vi + vj), 2 * vi * vj / (vi + vj)))
    total = sum(w for w, _, _ in parts)
    loc = sum(w * m for w, m, _ in parts) / total
    q = Normal(loc, (sum(w * (m ** 2 + v) for w, m, v in parts) / total - loc ** 2).sqrt())
    return model.nlls(q.loc + q.scale * eps[0][0], [None] * M, mask) + BETA * divergence(q)


def mmjsd(model, mask, masked):
    experts = [model.expert(m, "z") for m in range(M)]
    pi = (1 / (torch.stack(mask).sum(0) + 1))[:, None]
    precision = pi + sum(pi * mask[m][:, None] / experts[m].scale ** 2 for m in range(M))
    f = Normal(sum(pi * mask[m][:, None] * experts[m].loc / experts[m].scale ** 2 for m in range(M)) / precision, precision ** -0.5)
    total = kl_divergence(Normal(torch.zeros_like(f.loc), torch.ones_like(f.loc)), f)
    total = total + sum(mask[m][:, None] * kl_divergence(experts[m], f) for m in range(M))
    z = sum(single_of[m][:, None] * (experts[m].loc + experts[m].scale * eps[0][0]) for m in range(M))
    return model.nlls(z, [None] * M, mask) + BETA * (pi * total).sum(1)


def mwbvae(model, mask, masked):
    experts, weights = [model.expert(m, "z") for m in range(M)], torch.stack(subset[masked])
    weights = weights / weights.sum(0)
    q = Normal(sum(w[:, None] * x.loc for w, x in zip(weights, experts)), sum(w[:, None] * x.scale for w, x in zip(weights, experts)))
    return model.nlls(q.loc + q.scale * eps[0][0], [None] * M, mask) + BETA * divergence(q)


def codevae(model, mask, masked):
    """By the inverse of each dimension's covariance; the engine has a closed form."""
    rho, experts = 0.4, [model.expert(m, "z") for m in range(M)]
    u = model.stores["generator"]["subsets.logits.weight"][0]
    omega, total, weights = torch.softmax(u, 0), 0, 0
    for s in range(1, 2 ** M):
        members = [m for m in range(M) if s >> m & 1]
        scale = torch.stack([experts[m].scale for m in members], -1)
        corr = rho * torch.ones(len(members), len(members)) + (1 - rho) * torch.eye(len(members))
        inverse = torch.linalg.inv(scale[..., :, None] * scale[..., None, :] * corr)
        precision = inverse.sum((-1, -2))
        q = Normal((inverse.sum(-1) * torch.stack([experts[m].loc for m in members], -1)).sum(-1) / precision, precision ** -0.5)
        there = omega[s - 1] * torch.stack([mask[m] for m in members]).prod(0)
        z = q.loc + q.scale * eps[(s - 1) % (M + 1)][0]
        total = total + there * (model.nlls(z, [None] * M, mask) + BETA * divergence(q))
        weights = weights + there
    return total / weights + 1000 * (omega * omega.log()).sum()


def inference(target):
    def loss(model, mask, masked):
        experts = [model.expert(m, "z") for m in range(M)]
        total = 0
        for k in range(M):
            z, w = eps[k]
            logs = {"mixture": log_mixture(experts, z, mask), "each": log_each(experts, z, mask)}
            total = total - (logs[target] if target in logs else 0.5 * logs["mixture"] + 0.5 * logs["each"]) / M
            for m in range(M if model.private else 0):
                taught = counts[k][m] if masked else ones
                total = total - taught * model.expert(m, "w").log_prob(w[m]).sum(1) / M
        return total
    return loss


def generator(model, mask, masked):
    return model.nlls(eps[0][0], eps[0][1], mask)


def separate(model, mask, masked):
    return -sum(model.expert(k, "z").log_prob(eps[k][0]).sum(1) for k in range(M)) / M


def record(model, name, loss):
    for masked in (False, True):
        parameters = [(s, n, t) for s in model.stores for n, t in model.stores[s].items()]
        value = loss(model, observed if masked else [ones] * M, masked)
        grads = torch.autograd.grad(value.mean(), [t for _, _, t in parameters], allow_unused=True)
        case = f"{int(model.private)}/{name}/{'masked' if masked else 'full'}"
        put(f"{case}/value", value, "d")
        for (store, tensor, t), grad in zip(parameters, grads):
            put(f"{case}/grad/{store}/{tensor}", torch.zeros_like(t) if grad is None else grad, "d")


shared, private = Model(False), Model(True)
for name, loss in [("mmvae", mmvae), ("mvae", mvae), ("mopoe", mopoe), ("mvtcae", mvtcae), ("helvae", helvae),
                   ("mmjsd", mmjsd), ("mwbvae", mwbvae), ("codevae", codevae), ("generator", generator), ("separate", separate)] + [(t, inference(t)) for t in ("mixture", "each", "both")]:
    record(shared, name, loss)
for name, loss in [("mmvae+", mmvae_plus), ("generator", generator)] + [(t, inference(t)) for t in ("mixture", "each", "both")]:
    record(private, name, loss)
# The second modality is not varied.
seen = [data[m] if m == 1 else draw(N, WIDTH) for m in range(M)]
for m in range(M):
    put(f"seen/{m}", seen[m], "f")
shared.seen = private.seen = seen
for name, loss in [("mmvae", mmvae), ("mvae", mvae), ("mopoe", mopoe), ("mvtcae", mvtcae), ("helvae", helvae), ("mmjsd", mmjsd),
                   ("mwbvae", mwbvae), ("codevae", codevae)]:
    record(shared, name + "-seen", loss)
record(private, "mmvae+-seen", mmvae_plus)
# Scales by a softmax over the D latents.
shared.seen = private.seen = data
shared.softmax = private.softmax = True
for name, loss in [("mmvae", mmvae), ("mopoe", mopoe)]:
    record(shared, name + "-softmax", loss)
record(private, "mmvae+-softmax", mmvae_plus)
