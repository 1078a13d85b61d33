#!/usr/bin/env python3
# make_contrast.py - reference values of the contrastive loss and its gradient, by PyTorch. Writes contrast_values.h beside itself.
#
# The data are made by a formula (see numbers) that tests/judge/test_matching.c repeats, so no data is stored.
import os
import torch
import torch.nn.functional as F

ROWS, DIM, TEMPERATURE, WEIGHT = 5, 3, 0.2, 0.7


def numbers(seed, n):
    """n values in -0.5..0.5 by a linear congruential generator modulo 2^32, rounded to float."""
    out, s = [], seed
    for _ in range(n):
        s = (1664525 * s + 1013904223) % 2**32
        out.append(s / 2**32 - 0.5)
    return torch.tensor(out, dtype=torch.float32).double()


a = numbers(1, ROWS * DIM).reshape(ROWS, DIM).requires_grad_()
b = numbers(2, ROWS * DIM).reshape(ROWS, DIM).requires_grad_()
s = F.normalize(a, dim=1) @ F.normalize(b, dim=1).T / TEMPERATURE
target = torch.arange(ROWS)
loss = (F.cross_entropy(s, target) + F.cross_entropy(s.T, target)) / 2
(WEIGHT * loss).backward()

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "contrast_values.h"), "w") as f:
    f.write("/* contrast_values.h - written by make_contrast.py: do not edit. */\n")
    f.write(f"enum {{ CONTRAST_ROWS = {ROWS}, CONTRAST_DIM = {DIM} }};\n")
    f.write(f"static const double contrast_temperature = {TEMPERATURE}, contrast_weight = {WEIGHT};\n")
    f.write(f"static const double contrast_loss = {loss.item():.15g};\n")
    for name, x in (("a", a), ("b", b)):
        values = ", ".join(f"{v:.12g}" for v in x.grad.flatten().tolist())
        f.write(f"static const double contrast_grad_{name}[] = {{ {values} }};\n")
