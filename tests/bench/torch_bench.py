#!/usr/bin/env python3
"""The work of `mmcore bench` in PyTorch at its best: for comparison, see docs/BENCHMARKS.md.

Each piece of work is written the way that suits PyTorch (large batches, gradients of what is needed and nothing else, no
parameter gradients in chains, buffers reused), tried with and without channels-last memory, and the fastest variant is
timed. The C library's allocator is told to keep memory, which PyTorch gains much from.
"""
import argparse
import configparser
import json
import os
import resource
import statistics
import sys
import time

TUNING = {
    "MALLOC_MMAP_THRESHOLD_": str(4 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(1 << 30),
}


def flags_of_processor():
    try:
        with open("/proc/cpuinfo") as f:
            return next((line.split() for line in f if line.startswith("flags")), [])
    except OSError:
        return []


def restart_tuned(threads):
    """Allocator and instruction set are read when the process starts."""
    wanted = dict(TUNING, OMP_NUM_THREADS=str(threads))
    if "avx512f" in flags_of_processor():
        wanted["ATEN_CPU_CAPABILITY"] = "avx512"
    if any(os.environ.get(k) != v for k, v in wanted.items()):
        os.execve(sys.executable, [sys.executable] + sys.argv, dict(os.environ, **wanted))


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("work", nargs="*", choices=["posterior", "energy", "noise", "iteration", []], help="default: all but iteration")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--repeat", type=int, default=5, help="timed repetitions")
    p.add_argument("--trials", type=int, default=2, help="repetitions of each variant when the best is chosen")
    p.add_argument("--variant", action="append", default=[], metavar="WORK=NAME", help="use this variant instead of choosing one")
    p.add_argument("--ini", help="for iteration: the settings")
    p.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    p.add_argument("--json", help="write the figures there as well")
    return p.parse_args()


ARGUMENTS = parse_arguments() if __name__ == "__main__" else None
if ARGUMENTS:
    restart_tuned(ARGUMENTS.threads)

import torch  # noqa: E402: only after the environment is set
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

if ARGUMENTS and ARGUMENTS.device == "cuda":
    torch.set_default_device("cuda")
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True

VIEWS, BATCH, LATENT, SIDE = 5, 64, 32, 28
SIGMAS = [0.5 ** 0.5] * VIEWS


# ---------------------------------------------------------------- networks

def decoder(width, latent, tanh):
    """plugins/mnist net = conv: latent -> [4w,7,7] -> [2w,14,14] -> [w,28,28] -> [3,28,28]."""
    layers = [
        nn.Linear(latent, 7 * 7 * 4 * width), nn.ReLU(inplace=True), nn.Unflatten(1, (4 * width, 7, 7)),
        nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1), nn.ReLU(inplace=True),
        nn.ConvTranspose2d(2 * width, width, 4, 2, 1), nn.ReLU(inplace=True),
        nn.Conv2d(width, 3, 3, 1, 1),
    ]
    return nn.Sequential(*layers, *([nn.Tanh()] if tanh else []))


class Encoder(nn.Module):
    """plugins/mnist net = conv: two convolutions, a hidden layer, location and scale."""

    def __init__(self, width, latent):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, width, 4, 2, 1), nn.ReLU(inplace=True), nn.Conv2d(width, 2 * width, 4, 2, 1), nn.ReLU(inplace=True),
            nn.Flatten(), nn.Linear(7 * 7 * 2 * width, 8 * width), nn.ReLU(inplace=True))
        self.heads = nn.Linear(8 * width, 2 * latent)

    def forward(self, x):
        loc, raw = self.heads(self.body(x)).chunk(2, 1)
        return loc, F.softplus(raw) + 1e-6


class Residual(nn.Module):
    """plugins/common com_residual: x + 0.1 conv(leaky(conv(leaky(x)))), with a 1x1 shortcut where channels change."""

    def __init__(self, inputs, outputs):
        super().__init__()
        hidden = min(inputs, outputs)
        self.conv1 = nn.Conv2d(inputs, hidden, 3, 1, 1)
        self.conv2 = nn.Conv2d(hidden, outputs, 3, 1, 1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()

    def forward(self, x):
        h = self.conv2(F.leaky_relu(self.conv1(F.leaky_relu(x, 0.2)), 0.2))
        return torch.add(self.shortcut(x), h, alpha=0.1)


def resnet_decoder(latent):
    """plugins/mnist net = resnet: latent -> [256,7,7] -> [128,14,14] -> [64,28,28] -> [3,28,28]."""
    return nn.Sequential(
        nn.Linear(latent, 7 * 7 * 256), nn.Unflatten(1, (256, 7, 7)),
        Residual(256, 128), nn.Upsample(scale_factor=2), Residual(128, 64), nn.Upsample(scale_factor=2), Residual(64, 64),
        nn.LeakyReLU(0.2), nn.Conv2d(64, 3, 3, 1, 1))


class ResnetEncoder(nn.Module):
    """plugins/mnist net = resnet: three residual blocks, average pools of 3 with stride 2 that count padding."""

    def __init__(self, latent):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, 64, 3, 1, 1), Residual(64, 64), nn.AvgPool2d(3, 2, 1), Residual(64, 128), nn.AvgPool2d(3, 2, 1),
            Residual(128, 256), nn.Flatten())
        self.loc, self.raw = nn.Linear(7 * 7 * 256, latent), nn.Linear(7 * 7 * 256, latent)

    def forward(self, x):
        h = self.body(x)
        return self.loc(h), F.softplus(self.raw(h)) + 1e-6


class Energy(nn.Module):
    """core/model/energy.c: features of each view, joined; a residual trunk; a head. Spectral normalisation divides each
    weight by its largest singular value, tracked by one power iteration an update and held in chains."""

    def __init__(self, views, channels, bias, nef, blocks=4, shortcut=3, pool="mean", head="linear", spectral=False):
        super().__init__()
        self.pool, self.head_kind, self.blocks, self.n_views = pool, head, blocks, views
        self.layers = nn.ModuleDict()
        for m in range(views):
            self.layers[f"features{m}"] = nn.Conv2d(3, channels, 3, 1, 1, bias=bias)
        inputs = views * channels
        for i in range(blocks):
            self.layers[f"{i}conv1"] = nn.Conv2d(inputs, nef, 3, 1, 1, bias=False)
            self.layers[f"{i}conv2"] = nn.Conv2d(nef, nef, 3, 1, 1, bias=False)
            if i < 2 or inputs != nef:
                self.layers[f"{i}shortcut"] = nn.Conv2d(inputs, nef, shortcut, 1, shortcut // 2, bias=False)
            inputs = nef
        if head == "mlp":
            self.layers["hidden"] = nn.Linear(nef, nef)
        self.layers["energy"] = nn.Linear(nef, 1, bias=False)
        self.vectors = {}
        if spectral:
            for name, layer in self.layers.items():
                self.vectors[name] = F.normalize(torch.randn(layer.weight.shape[0]), dim=0)

    @torch.no_grad()
    def power_iteration(self):
        for name, u in self.vectors.items():
            w = self.layers[name].weight.flatten(1)
            v = F.normalize(w.t() @ u, dim=0)
            self.vectors[name] = F.normalize(w @ v, dim=0)

    def weights(self, memory_format=torch.contiguous_format):
        """Every layer's weight as the network uses it; with gradients outside torch.no_grad()."""
        result = {}
        for name, layer in self.layers.items():
            w = layer.weight
            if name in self.vectors:
                u, flat = self.vectors[name], w.flatten(1)
                with torch.no_grad():
                    v = F.normalize(flat.t() @ u, dim=0)
                w = w / torch.dot(u, flat @ v)
            result[name] = w.contiguous(memory_format=memory_format) if w.dim() == 4 else w
        return result

    def forward(self, xs, weights):
        def conv(x, name):
            return F.conv2d(x, weights[name], self.layers[name].bias, 1, self.layers[name].padding)

        h = torch.cat([conv(x, f"features{m}") for m, x in enumerate(xs)], 1)
        for i in range(self.blocks):
            first, down = i == 0, i < 2
            r = conv(F.relu(conv(h if first else F.relu(h), f"{i}conv1")), f"{i}conv2")
            if down:
                r = F.avg_pool2d(r, 2)
            if f"{i}shortcut" in weights:
                h = F.avg_pool2d(h, 2) if down and first else h
                h = conv(h, f"{i}shortcut")
                h = F.avg_pool2d(h, 2) if down and not first else h
            h = r + h
        h = F.relu(h).sum((2, 3)) if self.pool == "sum" else F.relu(h).mean((2, 3))
        if self.head_kind == "mlp":
            h = F.leaky_relu(F.linear(h, weights["hidden"], self.layers["hidden"].bias), 0.2)
        return F.linear(h, weights["energy"]).squeeze(1)


def frozen(module):
    for p in module.parameters():
        p.requires_grad_(False)
    return module


# ---------------------------------------------------------------- chains

def langevin(x, grad, drift, scale, noise, clamp):
    """In place, with a buffer for the draws."""
    noise.normal_()
    x.add_(grad, alpha=-drift).add_(noise, alpha=scale)
    if clamp:
        x.clamp_(-1, 1)


def posterior_gradient(decoders, z, xs, sigmas):
    """Of U(z) = sum_m |x_m - mean_m|^2 / (2 sigma_m^2) + |z|^2 / 2; one batch a decoder."""
    z = z.detach().requires_grad_(True)
    u = z.square().sum() / 2
    for d, x, sigma in zip(decoders, xs, sigmas):
        u = u + F.mse_loss(d(z), x, reduction="sum") / (2 * sigma * sigma)
    return torch.autograd.grad(u, z)[0]


def energy_gradients(energy, weights, xs):
    xs = [x.detach().requires_grad_(True) for x in xs]
    return torch.autograd.grad(energy(xs, weights).sum(), xs)


# ---------------------------------------------------------------- work

def in_format(tensors, memory_format):
    return [t.contiguous(memory_format=memory_format) for t in tensors]


def pictures(views, batch):
    return [torch.rand(batch, 3, SIDE, SIDE) * 2 - 1 for _ in range(views)]


FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


def posterior_variants():
    """All 320 chains at once through each decoder, or expert by expert as the paper's listing has it."""
    for name, memory_format in FORMATS.items():
        decoders = [frozen(decoder(32, LATENT, False)).to(memory_format=memory_format) for _ in range(VIEWS)]
        xs = in_format(pictures(VIEWS, BATCH), memory_format)
        many = in_format([x.repeat(VIEWS, 1, 1, 1) for x in xs], memory_format)
        z, noise = torch.randn(VIEWS * BATCH, LATENT), torch.empty(VIEWS * BATCH, LATENT)

        def batched(decoders=decoders, many=many, z=z, noise=noise):
            langevin(z, posterior_gradient(decoders, z, many, SIGMAS), 0.005, 0.1, noise, False)

        def listing(decoders=decoders, xs=xs, z=z, noise=noise):
            for rows, draws in zip(z.split(BATCH), noise.split(BATCH)):
                langevin(rows, posterior_gradient(decoders, rows, xs, SIGMAS), 0.005, 0.1, draws, False)

        yield f"batched, {name}", batched
        yield f"expert by expert, {name}", listing


def energy_variants():
    for name, memory_format in FORMATS.items():
        energy = frozen(Energy(VIEWS, 64, True, 64)).to(memory_format=memory_format)
        weights = energy.weights(memory_format)
        xs = in_format(pictures(VIEWS, BATCH), memory_format)
        noise = [torch.empty_like(x) for x in xs]

        def step(energy=energy, weights=weights, xs=xs, noise=noise):
            for x, g, n in zip(xs, energy_gradients(energy, weights, xs), noise):
                langevin(x, g, 0.005, 0.001, n, True)

        yield name, step


def noise_variants():
    x, grad = torch.zeros(256, VIEWS, 3, SIDE, SIDE), torch.randn(256, VIEWS, 3, SIDE, SIDE)
    noise = torch.empty_like(x)
    yield "buffer", lambda: langevin(x, grad, 0.005, 0.01, noise, True)

    def fresh():
        x.add_(grad, alpha=-0.005).add_(torch.randn_like(x), alpha=0.01).clamp_(-1, 1)

    yield "fresh tensor", fresh


# ---------------------------------------------------------------- one training iteration

class Settings:
    """The keys of the INI that say how much work an iteration is, with mmcore's defaults."""

    def __init__(self, path, overrides):
        ini = configparser.ConfigParser(inline_comment_prefixes=(";", "#"), interpolation=None)
        with open(path) as f:
            ini.read_file(f)
        for assignment in overrides:
            key, value = assignment.split("=", 1)
            section, key = key.split(".", 1)
            if not ini.has_section(section):
                ini.add_section(section)
            ini.set(section, key, value)
        self.ini = ini
        self.views = [s for s in ini.sections() if ini.has_option(s, "plugin")]
        if not self.views:
            sys.exit(f"{path}: no section with a key plugin")
        for view in self.views:
            if self.of(view, "net", "conv") not in ("conv", "resnet"):
                sys.exit(f"{path}: [{view}] net: only conv and resnet are written here")

    def of(self, section, key, fallback):
        kind = type(fallback)
        text = self.ini.get(section, key, fallback=None)
        if text is None:
            return fallback
        return text.strip().lower() in ("yes", "true", "on", "1") if kind is bool else kind(text)

    def learner(self, key, fallback):
        return self.of("learner", key, fallback)

    def sigma(self, view):
        text = self.of(view, "likelihood", "gaussian(0.7)")
        if not text.startswith("gaussian"):
            sys.exit(f"[{view}] likelihood = {text}: only gaussian is written here")
        return float(text[text.index("(") + 1:text.index(")")]) if "(" in text else 0.7


class Learner:
    """core/learn/iterate.c with the readings of docs/ARCHITECTURE.md; random data, no metrics."""

    def __init__(self, settings, memory_format, recorded=False):
        s, self.format = settings, memory_format
        self.recorded, self.graphs = recorded, {}
        self.views = s.views
        self.batch, self.latent = s.learner("batch", 64), s.learner("latent_dim", 32)
        self.z_steps, self.x_steps = s.learner("z_steps", 10), s.learner("x_steps", 10)
        self.z_step, self.z_noise = s.learner("z_step", 0.1), s.learner("z_noise", 0.1)
        self.x_noise = s.learner("x_noise", 0.002)
        self.x_move_max = s.learner("x_move_max", 0.0)
        self.clamp = s.learner("clamp", True)
        self.all_experts = s.learner("experts", "one") == "all"
        self.target = s.learner("inference_target", "mixture")
        self.updates = [s.learner(f"{m}_updates", 1) for m in ("generator", "inference", "energy")]
        self.refresh = s.learner("refresh_negatives", False)
        self.sigmas = [s.sigma(v) for v in self.views]
        self.make_networks(s)
        self.make_optimisers(s)
        self.x = in_format(pictures(len(self.views), self.batch), memory_format)
        self.held_xs = self.held_weights = None

    def make_networks(self, s):
        def width(view):
            return s.of(view, "width", 32)

        def resnet(view):
            return s.of(view, "net", "conv") == "resnet"

        self.decoders = nn.ModuleList(resnet_decoder(self.latent) if resnet(v) else
                                      decoder(width(v), self.latent, s.of(v, "output", "tanh") == "tanh") for v in self.views)
        self.encoders = nn.ModuleList(ResnetEncoder(self.latent) if resnet(v) else Encoder(width(v), self.latent)
                                      for v in self.views)
        self.energy = Energy(len(self.views), s.of(self.views[0], "energy_channels", 16), s.of(self.views[0], "energy_bias", False),
                             s.of("energy", "nef", 32), s.of("energy", "blocks", 4), s.of("energy", "shortcut_kernel", 3),
                             s.of("energy", "pool", "sum"), s.of("energy", "head", "mlp"), s.of("energy", "spectral_norm", True))
        for module in (self.decoders, self.encoders, self.energy):
            module.to(memory_format=self.format)

    def make_optimisers(self, s):
        rates = [("generator", self.decoders, 1e-3), ("inference", self.encoders, 1e-3), ("energy", self.energy, 4e-4)]
        self.optimisers = [torch.optim.Adam(m.parameters(), s.learner(f"lr_{name}", rate), foreach=True) for name, m, rate in rates]

    def step(self, which, loss):
        self.optimisers[which].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers[which].step()

    def train(self, module):
        """Gradients of this model's parameters only."""
        for m in (self.decoders, self.encoders, self.energy):
            for p in m.parameters():
                p.requires_grad_(m is module)

    def start_posterior(self):
        experts = [e(x) for e, x in zip(self.encoders, self.x)]
        draws = [loc + scale * torch.randn_like(loc) for loc, scale in experts]
        if self.all_experts:
            return torch.cat(draws)
        pick = torch.randint(len(draws), (self.batch,))
        return torch.stack(draws)[pick, torch.arange(self.batch)]

    def repeat(self, name, step, states, times):
        """Runs `step`, which changes `states` in place, so many times: as a CUDA graph, if asked. Its addresses are held."""
        if not self.recorded:
            for _ in range(times):
                step(*states)
            return states
        if name not in self.graphs:
            held = [x.clone() for x in states]
            side = torch.cuda.Stream()
            side.wait_stream(torch.cuda.current_stream())
            with torch.cuda.stream(side):
                for _ in range(3):
                    step(*held)
            torch.cuda.current_stream().wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                step(*held)
            self.graphs[name] = graph, held
        graph, held = self.graphs[name]
        for to, x in zip(held, states):
            to.copy_(x)
        for _ in range(times):
            graph.replay()
        return [x.clone() for x in held]

    def posterior_chain(self, z):
        copies = z.shape[0] // self.batch
        xs = [x.repeat(copies, 1, 1, 1).contiguous(memory_format=self.format) for x in self.x] if copies > 1 else self.x

        def step(z, noise):
            langevin(z, posterior_gradient(self.decoders, z, xs, self.sigmas), self.z_step ** 2 / 2, self.z_noise, noise, False)

        self.held_xs = self.held_xs or xs
        xs = self.held_xs  # the pictures are the same in every iteration, so their copies may be
        return self.repeat("z", step, [z, torch.empty_like(z)], self.z_steps)[0]

    def generate(self, z):
        with torch.no_grad():
            return [d(z).contiguous(memory_format=self.format) for d in self.decoders]

    def data_chain(self, xs):
        n = len(xs)
        weights = self.chain_weights()

        def step(*states):
            xs, start, noise = states[:n], states[n:2 * n], states[2 * n:]
            for x, g, e in zip(xs, energy_gradients(self.energy, weights, xs), noise):
                langevin(x, g, 1e-4, self.x_noise, e, self.clamp)
            if self.x_move_max > 0:
                self.bound(xs, start)

        states = [*xs, *(x.clone() for x in xs), *(torch.empty_like(x) for x in xs)]
        return list(self.repeat("x", step, states, self.x_steps)[:n])

    @torch.no_grad()
    def chain_weights(self):
        """Of the energy, as chains read them: at the same addresses in every iteration."""
        weights = self.energy.weights(self.format)
        if self.held_weights is None:
            self.held_weights = {name: w.detach().clone(memory_format=torch.preserve_format) for name, w in weights.items()}
        for name, w in weights.items():
            self.held_weights[name].copy_(w)
        return self.held_weights

    def bound(self, xs, start):
        moves = [x - x0 for x, x0 in zip(xs, start)]
        rms = sum(m.square().sum((1, 2, 3)) for m in moves).div(4 * sum(m[0].numel() for m in moves)).sqrt()
        shrink = (self.x_move_max / rms.clamp_min(1e-20)).clamp_max(1).view(-1, 1, 1, 1)
        for x, x0, m in zip(xs, start, moves):
            torch.addcmul(x0, m, shrink, out=x)

    def update_generator(self, z, z_prior, revised):
        rows, copies = z.shape[0], z.shape[0] // self.batch
        weight = torch.full((rows + self.batch, 1, 1, 1), 1 / rows)
        weight[rows:] = 1 / self.batch
        both = torch.cat([z, z_prior])
        loss = 0
        for d, x, r, sigma in zip(self.decoders, self.x, revised, self.sigmas):
            target = torch.cat([x.repeat(copies, 1, 1, 1) if copies > 1 else x, r])
            loss = loss + ((d(both) - target).square() * weight).sum() / (2 * sigma * sigma)
        self.step(0, loss)

    def log_q(self, z, experts):
        logs = torch.stack([(-0.5 * ((z - loc) / scale).square() - scale.log()).sum(-1) for loc, scale in experts])
        mixture, each = logs.logsumexp(0), logs.mean(0)
        return {"mixture": mixture, "each": each}.get(self.target, (mixture + each) / 2)

    def update_inference(self, z, z_prior, revised):
        experts = [e(torch.cat([x, r])) for e, x, r in zip(self.encoders, self.x, revised)]
        data = [(loc[:self.batch], scale[:self.batch]) for loc, scale in experts]
        generated = [(loc[self.batch:], scale[self.batch:]) for loc, scale in experts]
        chains = z.view(-1, self.batch, self.latent)
        self.step(1, -self.log_q(chains, data).mean() - self.log_q(z_prior, generated).mean())

    def update_energy(self, revised):
        e = self.energy([torch.cat([x, r]) for x, r in zip(self.x, revised)], self.energy.weights(self.format))
        self.step(2, e[:self.batch].mean() - e[self.batch:].mean())
        self.energy.power_iteration()

    def iterate(self):
        self.train(None)
        with torch.no_grad():
            z = self.start_posterior()
        z = self.posterior_chain(z)
        z_prior = torch.randn(self.batch, self.latent)
        revised = self.data_chain(self.generate(z_prior))
        self.train(self.decoders)
        for _ in range(self.updates[0]):
            self.update_generator(z, z_prior, revised)
        self.train(self.encoders)
        for _ in range(self.updates[1]):
            self.update_inference(z, z_prior, revised)
        if self.refresh:
            self.train(None)
            revised = self.data_chain(self.generate(z_prior))
        self.train(self.energy)
        for _ in range(self.updates[2]):
            self.update_energy(revised)


def with_bfloat16(task):
    def run():
        with torch.autocast("cuda", torch.bfloat16):
            task()

    return run


def iteration_variants():
    settings = Settings(ARGUMENTS.ini, ARGUMENTS.set)
    if ARGUMENTS.device == "cuda":
        for recorded in (False, True):
            yield "tf32, graphs" if recorded else "tf32, eager", Learner(settings, torch.channels_last, recorded).iterate
        for recorded in (False, True):
            yield "bf16, graphs" if recorded else "bf16, eager", with_bfloat16(
                Learner(settings, torch.channels_last, recorded).iterate)
        return
    for name, memory_format in FORMATS.items():
        yield name, Learner(settings, memory_format).iterate


# ---------------------------------------------------------------- timing

def time_once(task):
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    if ARGUMENTS.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu


def choose(name, variants):
    """The variant asked for, or the one with the shortest trial."""
    wanted = dict(v.split("=", 1) for v in ARGUMENTS.variant).get(name)
    best, best_seconds = None, float("inf")
    for variant, task in variants:
        if wanted and variant != wanted:
            continue
        task()
        seconds = min(time_once(task)[0] for _ in range(ARGUMENTS.trials))
        if seconds < best_seconds:
            best, best_seconds = (variant, task), seconds
    if best is None:
        sys.exit(f"no variant of {name} is called {wanted}")
    return best


def measure(name, variants):
    variant, task = choose(name, variants)
    times = [time_once(task) for _ in range(ARGUMENTS.repeat)]
    wall, cpu = zip(*times)
    return {
        "name": name, "variant": variant, "threads": ARGUMENTS.threads, "repeats": ARGUMENTS.repeat,
        "median_s": statistics.median(wall), "best_s": min(wall), "cpu_s": statistics.median(cpu),
        "resident_peak_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


WORK = {"posterior": posterior_variants, "energy": energy_variants, "noise": noise_variants, "iteration": iteration_variants}


def main():
    names = ARGUMENTS.work or ["posterior", "energy", "noise"]
    if "iteration" in names and not ARGUMENTS.ini:
        sys.exit("iteration needs --ini")
    torch.manual_seed(1)
    torch.set_num_threads(ARGUMENTS.threads)
    report = {"torch": torch.__version__, "load": os.getloadavg()[0], "figures": [measure(n, WORK[n]()) for n in names]}
    for f in report["figures"]:
        print(f"{f['name']:10} {f['threads']} threads {1e3 * f['median_s']:10.3f} ms median {1e3 * f['best_s']:10.3f} best "
              f"{1e3 * f['cpu_s']:10.3f} CPU   {f['variant']}, {f['resident_peak_bytes'] * 1e-6:.0f} MB at most")
    if ARGUMENTS.json:
        with open(ARGUMENTS.json, "w") as f:
            json.dump(report, f, indent=1)


if __name__ == "__main__":
    main()
