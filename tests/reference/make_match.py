#!/usr/bin/env python3
# make_match.py - reference values of E_match and of the loss that teaches it, by PyTorch. Writes match_values.h beside itself.
#
# The data and parameters are made by a formula (see numbers) that tests/learn/test_match.c repeats, so none are stored. Of
# gradients there are the sum of squares and the product with more such numbers.
import os
import torch
import torch.nn.functional as F

torch.set_default_dtype(torch.float64)


def numbers(seed, n):
    """n values in -0.5..0.5 by a linear congruential generator modulo 2^32, rounded to float."""
    out, s = [], seed
    for _ in range(n):
        s = (1664525 * s + 1013904223) % 2**32
        out.append(s / 2**32 - 0.5)
    return torch.tensor(out, dtype=torch.float32).double()


def ranking(unit, observed, scale):
    """The mean over tuples i and modalities m of the cross-entropy of the tuple's own sample among all of the batch."""
    terms = []
    for m, u in enumerate(unit):
        others = [observed[n][:, None] * unit[n] for n in range(len(unit)) if n != m]
        context = sum(others)
        has_other = sum(observed[n] for n in range(len(unit)) if n != m) > 0
        there = observed[m].nonzero().flatten()
        if len(there) < 2:
            continue
        logits = torch.exp(scale) * context[there] @ u[there].T
        losses = F.cross_entropy(logits, torch.arange(len(there)), reduction="none")
        terms.append(losses[has_other[there]])
    return torch.cat(terms).mean()


# ---------------------------------------------------------------- the loss alone
ROWS, DIM, SCALE = 6, 4, 0.9
out = []


def array(name, values):
    out.append(f"static const double {name}[] = {{ {', '.join(f'{v:.12g}' for v in values)} }};\n")


for case, n in (("two", 2), ("three", 3), ("lacking", 3)):
    unit = [F.normalize(numbers(10 + m, ROWS * DIM).reshape(ROWS, DIM), dim=1).float().double().requires_grad_() for m in range(n)]
    lacks = case == "lacking"  # row i lacks modality m where (i + m) mod 4 is 0; row 1 has the first alone
    observed = [torch.tensor([0.0 if lacks and ((i + m) % 4 == 0 or (i == 1 and m)) else 1.0 for i in range(ROWS)]) for m in range(n)]
    scale = torch.tensor(SCALE, requires_grad=True)
    loss = ranking(unit, observed, scale)
    loss.backward()
    out.append(f"static const double ranking_{case}_loss = {loss.item():.15g}, ranking_{case}_scale = {scale.grad.item():.15g};\n")
    array(f"ranking_{case}_grad", torch.cat([u.grad.flatten() for u in unit]).tolist())

# ---------------------------------------------------------------- the networks of tests/rig/learner_rig.c, and towers
BATCH = 4
SHAPES = {"picture": (8, 8, 2), "words": (5, 4), "sensor": (6,)}
parameters = []


def parameter(shape, fan_in):
    p = (numbers(100 + len(parameters), torch.Size(shape).numel()) * (4 / fan_in**0.5)).float().double().reshape(shape).requires_grad_()
    parameters.append(p)
    return p


def conv(shape, stride, pad):
    w, b = parameter(shape, shape[0] * shape[1] * shape[2]), parameter((shape[3],), shape[0] * shape[1] * shape[2])
    return lambda x: F.conv2d(x.permute(0, 3, 1, 2), w.permute(3, 2, 0, 1), b, stride, pad).permute(0, 2, 3, 1)


def linear(i, o):
    w, b = parameter((i, o), i), parameter((o,), i)
    return lambda x: x.flatten(1) @ w + b


def chain(*layers):
    def run(x):
        for layer in layers:
            x = layer(x)
        return F.normalize(x, dim=1)
    return run


relu = F.relu
towers = {
    "picture": chain(conv((3, 3, 2, 4), 1, 1), relu, conv((4, 4, 4, 32), 2, 1), relu, linear(4 * 4 * 32, 128), relu, linear(128, 64)),
    "words": chain(linear(20, 8), relu, linear(8, 128), relu, linear(128, 64)),
    "sensor": chain(linear(6, 8), relu, linear(8, 128), relu, linear(128, 64)),
}
raw = parameter((1, 1), 1)  # of the temperature
scale = torch.log(torch.tensor(100.0)) * torch.sigmoid(raw.reshape(()))
x = {name: (2 * numbers(1 + m, BATCH * torch.Size(s).numel())).reshape(BATCH, *s).requires_grad_()
     for m, (name, s) in enumerate(SHAPES.items())}
unit = [towers[name](x[name]) for name in SHAPES]
energy = -torch.exp(scale) * sum((unit[m] * unit[n]).sum(1) for m in range(3) for n in range(m + 1, 3))
array("match_energy", energy.tolist())
grads = torch.autograd.grad(energy.sum(), list(x.values()), retain_graph=True)
array("match_dx_squares", [g.square().sum().item() for g in grads])
array("match_dx_along", [(g.flatten() * numbers(300 + i, g.numel())).sum().item() for i, g in enumerate(grads)])
loss = ranking(unit, [torch.ones(BATCH)] * 3, scale)
grads = torch.autograd.grad(loss, parameters)
out.append(f"static const double match_loss = {loss.item():.15g};\n")
array("match_grad_squares", [g.square().sum().item() for g in grads])
array("match_grad_along", [(g.flatten() * numbers(500 + i, g.numel())).sum().item() for i, g in enumerate(grads)])

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "match_values.h"), "w") as f:
    f.write("/* match_values.h - written by make_match.py: do not edit. */\n")
    f.write(f"enum {{ RANKING_ROWS = {ROWS}, RANKING_DIM = {DIM}, MATCH_ROWS = {BATCH} }};\n")
    f.write(f"static const double ranking_scale = {SCALE};\n")
    f.writelines(out)
