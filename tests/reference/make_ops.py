#!/usr/bin/python3
"""Writes ops.bin: values and gradients of every operation, computed by PyTorch in double precision, for tests/engine/test_ops.c
and tests/backend/test_vec.c. Run in this folder: ./make_ops.py

Format: the line "MMREF1", then records. A record is a text line "NAME TYPE DIM...\n", TYPE f (float32) or d (float64), and
after it the values, little-endian, last axis fastest. Records of a case CASE of tests/rig/ops_cases.c:

  CASE/in/X    input X, batch first         CASE/gin/X   gradient to it
  CASE/w/P     parameter P                  CASE/gw/P    gradient to it
  CASE/r       weights of the output's elements; the loss of sample n is sum(r y)
  CASE/seed    weight of each sample: gradients are those of sum_n seed_n loss_n
  CASE/y       output

Inputs and parameters are multiples of float32, so that both sides compute with the same numbers. Layouts are those of the
engine: maps [n,h,w,c], linear [in,out], conv [kh,kw,in,out], transposed conv [kh,kw,out,in].
"""
import numpy as np
import torch
import torch.nn.functional as F
from torch.distributions import Laplace, Normal

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
rng = np.random.default_rng(20240917)
out = open("ops.bin", "wb")
out.write(b"MMREF1\n")
N = 2


def f32(x):
    """The double nearest to what a C float of this value holds."""
    return float(np.float32(x))


def put(name, value):
    array = np.ascontiguousarray(value)
    kind = {"float32": "f", "float64": "d"}[array.dtype.name]
    out.write((" ".join([name, kind] + [str(d) for d in array.shape]) + "\n").encode())
    out.write(array.astype(array.dtype.newbyteorder("<")).tobytes())


def uniform(*shape, lo=-1.0, hi=1.0):
    return rng.uniform(lo, hi, shape).astype(np.float32)


def simplex(*shape):
    e = np.exp(rng.normal(size=shape))
    return (e / e.sum(-1, keepdims=True)).astype(np.float32)


def case(name, f, constant=(), params=None, **inputs):
    """f takes the inputs, then the parameters, as keyword arguments, and returns the output."""
    params = params or {}
    leaf = {}
    for kind, group in (("in", inputs), ("w", params)):
        for key, value in group.items():
            put(f"{name}/{kind}/{key}", value)
            leaf[key] = torch.tensor(value.astype(np.float64), requires_grad=key not in constant)
    y = f(**{key.replace(".", "_"): t for key, t in leaf.items()})
    r, seed = uniform(*y.shape), uniform(N)
    put(f"{name}/r", r)
    put(f"{name}/seed", seed)
    put(f"{name}/y", y.detach().numpy())
    weights = torch.tensor(r.astype(np.float64)) * torch.tensor(seed.astype(np.float64)).reshape([N] + [1] * (y.dim() - 1))
    (y * weights).sum().backward()
    for key in inputs:
        if key not in constant:
            put(f"{name}/gin/{key}", leaf[key].grad.numpy())
    for key in params:
        put(f"{name}/gw/{key}", leaf[key].grad.numpy())


def nchw(x):
    return x.permute(0, 3, 1, 2)


def nhwc(x):
    return x.permute(0, 2, 3, 1)


def linear(name, n_out, bias, *shape):
    n_in = int(np.prod(shape))
    params = {"l.weight": uniform(n_in, n_out)}
    if bias:
        params["l.bias"] = uniform(n_out)
    case(name, lambda x, l_weight, l_bias=0: x.reshape(N, -1) @ l_weight + l_bias, params=params, x=uniform(N, *shape))


def conv(name, shape, channels, kernel, stride, pad, bias):
    params = {"c.weight": uniform(*kernel, shape[2], channels)}
    if bias:
        params["c.bias"] = uniform(channels)

    def f(x, c_weight, c_bias=None):
        return nhwc(F.conv2d(nchw(x), c_weight.permute(3, 2, 0, 1), c_bias, stride, pad))
    case(name, f, params=params, x=uniform(N, *shape))


def transposed(name, shape, channels, kernel, stride, pad, output_pad, bias):
    params = {"c.weight": uniform(*kernel, channels, shape[2])}
    if bias:
        params["c.bias"] = uniform(channels)

    def f(x, c_weight, c_bias=None):
        return nhwc(F.conv_transpose2d(nchw(x), c_weight.permute(3, 2, 0, 1), c_bias, stride, pad, output_pad))
    case(name, f, params=params, x=uniform(N, *shape))


def pool(name, shape, kernel, stride, pad, count):
    case(name, lambda x: nhwc(F.avg_pool2d(nchw(x), kernel, stride, pad, count_include_pad=count)), x=uniform(N, *shape))


linear("linear/bias", 5, True, 7)
linear("linear/map", 6, False, 2, 3, 4)
linear("linear/wide", 40, True, 33)

conv("conv/3x3", (6, 5, 3), 4, (3, 3), 1, 1, True)
conv("conv/3x3-valid", (6, 5, 2), 3, (3, 3), 1, 0, False)
conv("conv/3x3-wide", (6, 7, 16), 20, (3, 3), 1, 1, True)
conv("conv/4x4-stride2", (8, 6, 3), 5, (4, 4), 2, 1, True)
conv("conv/1x1", (4, 3, 5), 6, (1, 1), 1, 0, True)
conv("conv/5x5-stride2", (7, 8, 2), 3, (5, 5), 2, 2, True)
conv("conv/2x3-uneven", (7, 6, 3), 4, (2, 3), (2, 1), (1, 0), True)
conv("conv/whole", (4, 4, 3), 6, (4, 4), 1, 0, False)
conv("conv/unread-rows", (6, 6, 2), 3, (3, 3), 2, 0, True)
transposed("transposed/4x4-stride2", (3, 4, 5), 3, (4, 4), 2, 1, 0, True)
transposed("transposed/3x3-stride2-output-pad", (3, 4, 4), 3, (3, 3), 2, 1, 1, True)
transposed("transposed/3x3", (4, 5, 3), 4, (3, 3), 1, 1, 0, False)
transposed("transposed/from-1x1", (1, 1, 6), 4, (4, 4), 1, 0, 0, True)
transposed("transposed/5x5-output-pad", (3, 3, 3), 2, (5, 5), 2, 2, 1, False)
transposed("transposed/uneven", (3, 4, 2), 3, (3, 2), (2, 1), (1, 0), (1, 0), True)

pool("pool/2x2", (6, 4, 3), 2, 2, 0, False)
pool("pool/3x3-stride2-counted", (7, 6, 3), 3, 2, 1, True)
pool("pool/3x3-stride2", (7, 6, 3), 3, 2, 1, False)
pool("pool/3x3-stride1", (5, 4, 2), 3, 1, 1, False)
pool("pool/floor", (5, 7, 2), 2, 2, 0, True)
case("pool/global", lambda x: x.sum((1, 2)) * f32(1 / 12), x=uniform(N, 3, 4, 5))
case("upsample/2", lambda x: nhwc(F.interpolate(nchw(x), scale_factor=2.0)), x=uniform(N, 3, 2, 5))
case("upsample/3", lambda x: nhwc(F.interpolate(nchw(x), scale_factor=3.0)), x=uniform(N, 2, 2, 3))

case("add", lambda x, y: x + y, x=uniform(N, 3, 4), y=uniform(N, 3, 4))
case("add/self", lambda x: x + x, x=uniform(N, 5))
case("axpby", lambda x, y: f32(0.7) * x + f32(-1.3) * y, x=uniform(N, 3, 4), y=uniform(N, 3, 4))
case("axpby/scalar", lambda x, y: f32(0.7) * x + f32(-1.3) * y[:, None], x=uniform(N, 5), y=uniform(N))
case("mul", lambda x, y: x * y, x=uniform(N, 3, 4), y=uniform(N, 3, 4))
case("mul/scalar", lambda x, y: x * y[:, None], x=uniform(N, 5), y=uniform(N))
case("mul/self", lambda x: x * x, x=uniform(N, 6))
case("affine", lambda x: f32(1.7) * x + f32(0.3), x=uniform(N, 3, 4))
case("act/relu", lambda x: torch.relu(x), x=uniform(N, 40))
case("act/leaky", lambda x: F.leaky_relu(x, f32(0.2)), x=uniform(N, 40))
case("act/tanh", lambda x: torch.tanh(x), x=uniform(N, 40, lo=-4, hi=4))
case("act/sigmoid", lambda x: torch.sigmoid(x), x=uniform(N, 40, lo=-9, hi=9))
case("act/softplus", lambda x: F.softplus(x, threshold=1000), x=uniform(N, 40, lo=-9, hi=9))
case("act/exp", lambda x: torch.exp(x), x=uniform(N, 40, lo=-3, hi=3))
case("clamp", lambda x: torch.clamp(x, f32(-0.4), f32(0.6)), x=uniform(N, 40))
case("log", lambda x: torch.log(x), x=uniform(N, 40, lo=0.1, hi=5))

case("softmax", lambda x: torch.softmax(x, -1), x=uniform(N, 3, 5, lo=-3, hi=3))
case("softmax/wide", lambda x: torch.softmax(x, -1), x=uniform(N, 53, lo=-3, hi=3))
case("lse", lambda x: torch.logsumexp(x, -1), x=uniform(N, 3, 5, lo=-3, hi=3))
case("lse/wide", lambda x: torch.logsumexp(x, -1), x=uniform(N, 53, lo=-3, hi=3))

case("concat/0", lambda x, y, z: torch.cat([x, y, z], 1), x=uniform(N, 2, 3), y=uniform(N, 1, 3), z=uniform(N, 3, 3))
case("concat/2", lambda x, y: torch.cat([x, y], 3), x=uniform(N, 2, 3, 4), y=uniform(N, 2, 3, 17))
case("concat/1", lambda x, y: torch.cat([x, y], 2), x=uniform(N, 2, 3, 4), y=uniform(N, 2, 1, 4))
case("slice/0", lambda x: x[:, 1:4], x=uniform(N, 5, 3))
case("slice/1", lambda x: x[:, :, 2:4], x=uniform(N, 2, 4, 3))
case("slice/2", lambda x: x[:, :, :, 1:18], x=uniform(N, 2, 2, 19))
case("reshape", lambda x: x.reshape(N, 6, 2), x=uniform(N, 3, 4))
case("sum/0", lambda x: x.sum(1), x=uniform(N, 5, 3))
case("sum/1", lambda x: x.sum(2), x=uniform(N, 2, 4, 3))
case("sum/last", lambda x: x.sum(3), x=uniform(N, 2, 2, 5))
case("mean/0", lambda x: x.sum(1) * f32(1 / 3), x=uniform(N, 3, 70))
case("mean/last", lambda x: x.sum(2) * f32(1 / 7), x=uniform(N, 2, 7))
case("sum-all", lambda x: f32(0.3) * x.sum((1, 2)), x=uniform(N, 4, 5))

case("nll/gaussian", lambda x, p: -Normal(p, f32(0.7)).log_prob(x).sum((1, 2)), constant=("x",),
     x=uniform(N, 4, 5), p=uniform(N, 4, 5))
case("nll/laplace", lambda x, p: -Laplace(p, f32(0.75)).log_prob(x).sum((1, 2)), constant=("x",),
     x=uniform(N, 4, 5), p=uniform(N, 4, 5))
case("nll/bernoulli", lambda x, p: F.binary_cross_entropy_with_logits(p, x, reduction="none").sum((1, 2)), constant=("x",),
     x=uniform(N, 4, 5, lo=0, hi=1), p=uniform(N, 4, 5, lo=-6, hi=6))
case("nll/categorical", lambda x, p: -(x * torch.log_softmax(p, -1)).sum((1, 2)), constant=("x",),
     x=simplex(N, 4, 7), p=uniform(N, 4, 7, lo=-4, hi=4))
case("nll/categorical-wide", lambda x, p: -(x * torch.log_softmax(p, -1)).sum((1, 2)), constant=("x",),
     x=simplex(N, 2, 67), p=uniform(N, 2, 67, lo=-4, hi=4))
case("nll/gaussian-small", lambda x, p: -Normal(p, f32(1.5)).log_prob(x).sum(1), constant=("x",), x=uniform(N, 2), p=uniform(N, 2))

case("logpdf/normal", lambda z, loc, scale: Normal(loc, scale).log_prob(z).sum(1),
     z=uniform(N, 19), loc=uniform(N, 19), scale=uniform(N, 19, lo=0.3, hi=2))
case("logpdf/laplace", lambda z, loc, scale: Laplace(loc, scale).log_prob(z).sum(1),
     z=uniform(N, 19), loc=uniform(N, 19), scale=uniform(N, 19, lo=0.3, hi=2))
case("logpdf/prior", lambda z: Normal(0.0, 1.0).log_prob(z).sum(1), z=uniform(N, 3))


def block(x, a_weight, a_bias, b_weight):
    h = torch.relu(F.conv2d(nchw(x), a_weight.permute(3, 2, 0, 1), a_bias, 1, 1))
    h = F.conv2d(h, b_weight.permute(3, 2, 0, 1), None, 1, 1)
    return nhwc(F.avg_pool2d(torch.relu(h + nchw(x)), 2))


def encoder(x, a_weight, a_bias, b_weight, b_bias):
    h = torch.relu(F.conv2d(nchw(x), a_weight.permute(3, 2, 0, 1), a_bias, 2, 1))
    h = nhwc(h).reshape(N, -1) @ b_weight + b_bias
    return F.softplus(h[:, 3:], threshold=1000) * torch.tanh(h[:, :3])


case("net/residual-block", block, x=uniform(N, 6, 4, 3),
     params={"a.weight": uniform(3, 3, 3, 3), "a.bias": uniform(3), "b.weight": uniform(3, 3, 3, 3)})
case("net/encoder", encoder, x=uniform(N, 6, 6, 2),
     params={"a.weight": uniform(4, 4, 2, 4), "a.bias": uniform(4), "b.weight": uniform(36, 6), "b.bias": uniform(6)})
case("net/square-of-relu", lambda x: torch.relu(x) * torch.relu(x), x=uniform(N, 21))


def adam(name, weight_decay, steps=6, count=37, amsgrad=False):
    """PyTorch's Adam in single precision, as the engine's."""
    w = torch.tensor(uniform(count), requires_grad=True)
    optimiser = torch.optim.Adam([w], lr=1e-2, betas=(0.9, 0.99), eps=1e-8, weight_decay=weight_decay, amsgrad=amsgrad)
    gradients = uniform(steps, count)
    gradients[:, 0] = 0
    if amsgrad:
        gradients[steps // 2:] *= 0.01  # second moments fall
    put(f"{name}/w0", w.detach().numpy())
    put(f"{name}/g", gradients)
    trace = []
    for g in gradients:
        w.grad = torch.tensor(g)
        optimiser.step()
        trace.append(w.detach().numpy().copy())
    put(f"{name}/w", np.stack(trace))


adam("adam/plain", 0.0)
adam("adam/decay", 0.03)
adam("adam/amsgrad", 0.03, steps=12, amsgrad=True)
out.close()
