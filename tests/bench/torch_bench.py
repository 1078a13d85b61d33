#!/usr/bin/env python3
"""The work of `mmcore bench` in PyTorch at its best: for comparison, see docs/BENCHMARKS.md.

Each piece of work is written the way that suits PyTorch (large batches, gradients of what is needed and nothing else, no
parameter gradients in chains, buffers reused), tried with and without channels-last memory, as it stands and through
torch.compile, and the fastest variant is timed. With --precision bfloat16 the work runs under autocast, and weights that a chain
holds are rounded before it. The C library's allocator is told to keep memory, which PyTorch gains much from. What cannot be
tried is named, with the reason.
"""
import argparse
import configparser
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import time

from processor import flags_of_processor

TUNING = {
    "MALLOC_MMAP_THRESHOLD_": str(4 << 30),
    "MALLOC_TRIM_THRESHOLD_": str(16 << 30),
    "MALLOC_TOP_PAD_": str(1 << 30),
}


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
    p.add_argument("--eager", action="store_true", help="without torch.compile, which takes minutes")
    p.add_argument("--variant", action="append", default=[], metavar="WORK=NAME", help="use this variant instead of choosing one")
    p.add_argument("--ini", help="for iteration: the settings")
    p.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    p.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    p.add_argument("--precision", choices=["float32", "bfloat16"], default="float32", help="on the CPU; CUDA tries both")
    p.add_argument("--json", help="write the figures there as well")
    return p.parse_args()


ARGUMENTS = parse_arguments() if __name__ == "__main__" else None
if ARGUMENTS:
    restart_tuned(ARGUMENTS.threads)

import torch  # noqa: E402: only after the environment is set
import torch.nn.functional as F  # noqa: E402
from torch import nn  # noqa: E402

from torch_nets import Encoder, Energy, ResnetEncoder, decoder, frozen, resnet_decoder  # noqa: E402

if ARGUMENTS and ARGUMENTS.device == "cuda":
    torch.set_default_device("cuda")
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True

VIEWS, BATCH, LATENT, SIDE = 5, 64, 32, 28
SIGMAS = [0.5 ** 0.5] * VIEWS


# ---------------------------------------------------------------- chains

def langevin(x, grad, drift, scale, noise, clamp):
    """In place, with a buffer for the draws."""
    noise.normal_()
    x.add_(grad, alpha=-drift).add_(noise, alpha=scale)
    if clamp:
        x.clamp_(-1, 1)


def posterior_energy(decoders, z, xs, sigmas):
    """U(z) = sum_m |x_m - mean_m|^2 / (2 sigma_m^2) + |z|^2 / 2; one batch a decoder."""
    u = z.square().sum() / 2
    for d, x, sigma in zip(decoders, xs, sigmas):
        u = u + F.mse_loss(d(z), x, reduction="sum") / (2 * sigma * sigma)
    return u


def energy_sum(energy, weights, xs):
    return energy(xs, weights).sum()


def posterior_gradient(u, decoders, z, xs, sigmas):
    """Of u, which is posterior_energy as it stands or compiled."""
    z = z.detach().requires_grad_(True)
    return torch.autograd.grad(u(decoders, z, xs, sigmas), z)[0]


def energy_gradients(e, energy, weights, xs):
    xs = [x.detach().requires_grad_(True) for x in xs]
    return torch.autograd.grad(e(energy, weights, xs), xs)


# ---------------------------------------------------------------- ways of running

def as_written(f):
    return f


def why_not_compiled():
    """None where torch.compile can be tried."""
    if ARGUMENTS.eager:
        return "left out (--eager)"
    if not hasattr(torch, "compile"):
        return f"PyTorch {torch.__version__} has no torch.compile"
    if ARGUMENTS.device == "cpu" and not shutil.which(os.environ.get("CXX", "g++")):
        return "torch.compile needs a C++ compiler"
    return None


def ways():
    """(name, what a function is passed through) of each way that can be tried; the others are in SKIPPED."""
    yield "eager", as_written
    reason = why_not_compiled()
    if reason:
        SKIPPED["compiled"] = reason
    else:
        yield "compiled", torch.compile


def narrow(tensor_or_module):
    """Weights that are held: autocast would round them at every step."""
    return tensor_or_module.to(torch.bfloat16) if ARGUMENTS.precision == "bfloat16" else tensor_or_module


def in_precision(task):
    def run():
        with torch.autocast("cpu", torch.bfloat16):
            task()

    return run if ARGUMENTS.precision == "bfloat16" else task


# ---------------------------------------------------------------- work: (name, a function that builds the task)

SKIPPED, TRIED = {}, {}


def in_format(tensors, memory_format):
    return [t.contiguous(memory_format=memory_format) for t in tensors]


def pictures(views, batch):
    return [torch.rand(batch, 3, SIDE, SIDE) * 2 - 1 for _ in range(views)]


FORMATS = {"contiguous": torch.contiguous_format, "channels-last": torch.channels_last}


def combinations():
    for way, wrap in ways():
        for layout, memory_format in FORMATS.items():
            yield f"{layout}, {way}", memory_format, wrap


def build_posterior(memory_format, wrap, parts):
    """All 320 chains at once through each decoder (one part), or expert by expert as the paper's listing has it."""
    decoders = [narrow(frozen(decoder(32, LATENT, False)).to(memory_format=memory_format)) for _ in range(VIEWS)]
    xs = in_format([x.repeat(VIEWS // parts, 1, 1, 1) for x in pictures(VIEWS, BATCH)], memory_format)
    z, noise = torch.randn(VIEWS * BATCH, LATENT), torch.empty(VIEWS * BATCH, LATENT)
    u, move = wrap(posterior_energy), wrap(langevin)

    def step():
        for rows, draws in zip(z.chunk(parts), noise.chunk(parts)):
            move(rows, posterior_gradient(u, decoders, rows, xs, SIGMAS), 0.005, 0.1, draws, False)

    return step


def posterior_variants():
    for name, memory_format, wrap in combinations():
        for order, parts in (("batched", 1), ("expert by expert", VIEWS)):
            yield f"{order}, {name}", lambda f=memory_format, w=wrap, n=parts: build_posterior(f, w, n)


def build_energy(memory_format, wrap):
    energy = frozen(Energy(VIEWS, 64, True, 64)).to(memory_format=memory_format)
    weights = {name: narrow(w) for name, w in energy.weights(memory_format).items()}
    energy = narrow(energy)  # its biases
    xs = in_format(pictures(VIEWS, BATCH), memory_format)
    noise = [torch.empty_like(x) for x in xs]
    e, move = wrap(energy_sum), wrap(langevin)

    def step():
        for x, g, n in zip(xs, energy_gradients(e, energy, weights, xs), noise):
            move(x, g, 0.005, 0.001, n, True)

    return step


def energy_variants():
    for name, memory_format, wrap in combinations():
        yield name, lambda f=memory_format, w=wrap: build_energy(f, w)


def fresh_noise(x, grad, drift, scale, noise, clamp):
    x.add_(grad, alpha=-drift).add_(torch.randn_like(x), alpha=scale).clamp_(-1, 1)


def build_noise(move):
    x, grad = torch.zeros(256, VIEWS, 3, SIDE, SIDE), torch.randn(256, VIEWS, 3, SIDE, SIDE)
    noise = torch.empty_like(x)
    return lambda: move(x, grad, 0.005, 0.01, noise, True)


def noise_variants():
    for way, wrap in ways():
        for name, move in (("buffer", langevin), ("fresh tensor", fresh_noise)):
            yield f"{name}, {way}", lambda w=wrap, m=move: build_noise(w(m))


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

    def __init__(self, settings, memory_format, wrap=as_written, recorded=False):
        s, self.format = settings, memory_format
        self.u, self.e, self.move = wrap(posterior_energy), wrap(energy_sum), wrap(langevin)
        self.losses = [wrap(f) for f in (self.generator_loss, self.inference_loss, self.energy_loss)]
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
        kind = {"fused": True} if self.has_fused() else {"foreach": True}
        self.optimisers = [torch.optim.Adam(m.parameters(), s.learner(f"lr_{name}", rate), **kind) for name, m, rate in rates]

    @staticmethod
    def has_fused():
        try:
            p = torch.zeros(1, requires_grad=True)
            p.grad = torch.zeros(1)
            torch.optim.Adam([p], fused=True).step()
            return True
        except (RuntimeError, TypeError, AssertionError):
            return False

    def step(self, which, loss):
        self.optimisers[which].zero_grad(set_to_none=True)
        loss.backward()
        self.optimisers[which].step()
        torch.clear_autocast_cache()

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
            gradient = posterior_gradient(self.u, self.decoders, z, xs, self.sigmas)
            self.move(z, gradient, self.z_step ** 2 / 2, self.z_noise, noise, False)

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
            for x, g, e in zip(xs, energy_gradients(self.e, self.energy, weights, xs), noise):
                self.move(x, g, 1e-4, self.x_noise, e, self.clamp)
            if self.x_move_max > 0:
                self.bound(xs, start)

        states = [*xs, *(x.clone() for x in xs), *(torch.empty_like(x) for x in xs)]
        return list(self.repeat("x", step, states, self.x_steps)[:n])

    @torch.no_grad()
    def chain_weights(self):
        """Of the energy, as chains read them: at the same addresses in every iteration."""
        weights = self.energy.weights(self.format)
        if self.held_weights is None:
            self.held_weights = {name: narrow(w.detach().clone(memory_format=torch.preserve_format)) for name, w in weights.items()}
        for name, w in weights.items():
            self.held_weights[name].copy_(w)
        return self.held_weights

    def bound(self, xs, start):
        moves = [x - x0 for x, x0 in zip(xs, start)]
        rms = sum(m.square().sum((1, 2, 3)) for m in moves).div(4 * sum(m[0].numel() for m in moves)).sqrt()
        shrink = (self.x_move_max / rms.clamp_min(1e-20)).clamp_max(1).view(-1, 1, 1, 1)
        for x, x0, m in zip(xs, start, moves):
            torch.addcmul(x0, m, shrink, out=x)

    def generator_loss(self, both, targets, weight):
        loss = 0
        for d, target, sigma in zip(self.decoders, targets, self.sigmas):
            loss = loss + ((d(both) - target).square() * weight).sum() / (2 * sigma * sigma)
        return loss

    def update_generator(self, z, z_prior, revised):
        rows, copies = z.shape[0], z.shape[0] // self.batch
        weight = torch.full((rows + self.batch, 1, 1, 1), 1 / rows)
        weight[rows:] = 1 / self.batch
        targets = [torch.cat([x.repeat(copies, 1, 1, 1) if copies > 1 else x, r]) for x, r in zip(self.x, revised)]
        self.step(0, self.losses[0](torch.cat([z, z_prior]), targets, weight))

    def log_q(self, z, experts):
        logs = torch.stack([(-0.5 * ((z - loc) / scale).square() - scale.log()).sum(-1) for loc, scale in experts])
        mixture, each = logs.logsumexp(0), logs.mean(0)
        return {"mixture": mixture, "each": each}.get(self.target, (mixture + each) / 2)

    def inference_loss(self, chains, z_prior, xs):
        experts = [e(x) for e, x in zip(self.encoders, xs)]
        data = [(loc[:self.batch], scale[:self.batch]) for loc, scale in experts]
        generated = [(loc[self.batch:], scale[self.batch:]) for loc, scale in experts]
        return -self.log_q(chains, data).mean() - self.log_q(z_prior, generated).mean()

    def update_inference(self, z, z_prior, revised):
        both = [torch.cat([x, r]) for x, r in zip(self.x, revised)]
        self.step(1, self.losses[1](z.view(-1, self.batch, self.latent), z_prior, both))

    def energy_loss(self, xs, weights):
        e = self.energy(xs, weights)
        return e[:self.batch].mean() - e[self.batch:].mean()

    def update_energy(self, revised):
        both = [torch.cat([x, r]) for x, r in zip(self.x, revised)]
        self.step(2, self.losses[2](both, self.energy.weights(self.format)))
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


def build_cuda(settings, bf16, recorded):
    iterate = Learner(settings, torch.channels_last, recorded=recorded).iterate

    def run():
        with torch.autocast("cuda", torch.bfloat16, enabled=bf16):
            iterate()

    return run


def iteration_variants():
    settings = Settings(ARGUMENTS.ini, ARGUMENTS.set)
    if ARGUMENTS.device == "cuda":
        for name, bf16 in (("tf32", False), ("bf16", True)):
            for way, recorded in (("eager", False), ("graphs", True)):
                yield f"{name}, {way}", lambda b=bf16, r=recorded: build_cuda(settings, b, r)
        return
    for name, memory_format, wrap in combinations():
        yield name, lambda f=memory_format, w=wrap: Learner(settings, f, w).iterate


# ---------------------------------------------------------------- timing

def time_once(task):
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    if ARGUMENTS.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - wall, time.process_time() - cpu


def first_line(error):
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"


def choose(name, variants):
    """The variant asked for, or the one with the shortest trial. One that fails is skipped, with its reason."""
    wanted = dict(v.split("=", 1) for v in ARGUMENTS.variant).get(name)
    best, best_seconds, found = None, float("inf"), False
    clock = int(ARGUMENTS.threads == 1)  # one thread's processor time: other work on the machine disturbs it less
    for variant, build in variants:
        if wanted and variant != wanted:
            continue
        found = True
        try:
            task = in_precision(build())
            task()
            seconds = min(time_once(task)[clock] for _ in range(ARGUMENTS.trials))
        except Exception as e:  # whatever an old PyTorch or a missing tool makes of it
            SKIPPED[variant] = first_line(e)
            continue
        TRIED[f"{name}: {variant}"] = seconds
        if seconds < best_seconds:
            best, best_seconds = (variant, task), seconds
    if best is None:
        sys.exit(f"no variant of {name} ran: {SKIPPED}" if found else f"no variant of {name} is called {wanted}")
    return best


def reset_peak():
    """From here on; where the kernel does not do that, since the start."""
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        pass


def resident_peak():
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM"))


def measure(name, variants):
    variant, task = choose(name, variants)
    reset_peak()
    times = [time_once(task) for _ in range(ARGUMENTS.repeat)]
    wall, cpu = zip(*times)
    return {
        "name": name, "variant": variant, "threads": ARGUMENTS.threads, "repeats": ARGUMENTS.repeat,
        "median_s": statistics.median(wall), "best_s": min(wall), "cpu_s": statistics.median(cpu),
        "resident_peak_bytes": resident_peak(),
    }


def versions():
    config = torch.__config__.show()
    onednn = re.search(r"MKL-DNN v([0-9.]+)", config)
    isa = re.search(r"CPU capability usage: (\S+)", config)
    found = {"torch": torch.__version__, "onednn": onednn.group(1) if onednn else "?", "isa": isa.group(1) if isa else "?"}
    if not why_not_compiled():
        compiler = [os.environ.get("CXX", "g++"), "-dumpfullversion", "-dumpversion"]
        found["compiler"] = " ".join([compiler[0], subprocess.run(compiler, capture_output=True, text=True).stdout.strip()])
    return found


WORK = {"posterior": posterior_variants, "energy": energy_variants, "noise": noise_variants, "iteration": iteration_variants}


def main():
    names = ARGUMENTS.work or ["posterior", "energy", "noise"]
    if "iteration" in names and not ARGUMENTS.ini:
        sys.exit("iteration needs --ini")
    torch.manual_seed(1)
    torch.set_num_threads(ARGUMENTS.threads)
    report = {**versions(), "load": os.getloadavg()[0], "figures": [measure(n, WORK[n]()) for n in names], "tried": TRIED,
              "skipped": SKIPPED}
    for f in report["figures"]:
        print(f"{f['name']:10} {f['threads']} threads {1e3 * f['median_s']:10.3f} ms median {1e3 * f['best_s']:10.3f} best "
              f"{1e3 * f['cpu_s']:10.3f} CPU   {f['variant']}, {f['resident_peak_bytes'] * 1e-6:.0f} MB at most")
    for variant, reason in SKIPPED.items():
        print(f"skipped: {variant}: {reason}")
    if ARGUMENTS.json:
        with open(ARGUMENTS.json, "w") as f:
            json.dump(report, f, indent=1)


if __name__ == "__main__":
    main()
