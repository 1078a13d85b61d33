#!/usr/bin/env python3
"""One rank of two threads against two ranks of one thread, in turns: medians of an iteration's time and of the ratios, and
the bytes that a rank sends in an iteration against 4 bytes a parameter and direction.

    ranks.py ./mmcore --ini tests/bench/iteration.ini [--set run.chunk=4] [--clock cpu]

With chains in each iteration and nothing written in between. On a machine with other work use --clock cpu, processor time: what a
rank computes, exchanges and asks for included, without what it waits for. Plugins and the module are those beside the program.
"""
import argparse
import csv
import os
import re
import statistics
import subprocess
import tempfile

FIRST = 3  # iterations that are not counted


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("mmcore")
    p.add_argument("--ini", required=True)
    p.add_argument("--set", action="append", default=[])
    p.add_argument("--clock", choices=["wall", "cpu"], default="wall")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--iterations", type=int, default=15)
    p.add_argument("--mpirun", default="mpirun")
    return p.parse_args()


def environment(program):
    folder = os.path.dirname(program)
    own = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
           "OMPI_MCA_hwloc_base_binding_policy": "none", "MMCORE_PLUGIN_PATH": os.path.join(folder, "plugins", ".libs"),
           "MMCORE_BACKENDS": os.path.join(folder, "core", "comm", ".libs")}
    return {**own, **os.environ}


def run(a, ranks):
    """Seconds of each iteration that counts, and what was said."""
    program = os.path.abspath(a.mmcore)
    launcher = [a.mpirun, "-n", str(ranks)] if ranks > 1 else []
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "run")
        sets = ["learner.warmup=0", f"learner.iterations={a.iterations}", "run.minutes=0", f"run.clock={a.clock}", "run.log_interval=1",
                "run.checkpoint_interval=1000000", "run.grid_interval=1000000", f"run.threads={2 // ranks}", *a.set]
        command = [*launcher, program, "train", "--ini", a.ini, "--out", out]
        for s in sets:
            command += ["--set", s]
        done = subprocess.run(command, env=environment(program), text=True, capture_output=True)
        if done.returncode:
            raise SystemExit(done.stderr)
        with open(os.path.join(out, "metrics.csv")) as f:
            at = [float(row["seconds"]) for row in csv.DictReader(f)]
    return [y - x for x, y in zip(at[FIRST - 1:], at[FIRST:])], done.stderr


def parameters(a):
    program = os.path.abspath(a.mmcore)
    sets = [w for s in ["run.minutes=0", *a.set] for w in ("--set", s)]
    text = subprocess.run([program, "train", "--ini", a.ini, "--dry-run", *sets], env=environment(program), text=True,
                          capture_output=True, check=True).stdout
    return sum(int(n) for n in re.search(r"generator (\d+), inference (\d+), energy (\d+)", text).groups())


def main():
    a = parse_arguments()
    print("load", os.getloadavg()[0])
    alone, shared, ratios, sent = [], [], [], 0
    for _ in range(a.rounds):
        one, _ = run(a, 1)
        two, said = run(a, 2)
        sent = 1e6 * float(re.search(r"sent about (\S+) MB an iteration", said).group(1))
        alone.append(statistics.median(one))
        shared.append(statistics.median(two))
        ratios.append(shared[-1] / alone[-1])
    print(f"one rank of two threads   {1e3 * statistics.median(alone):.4g} ms ({a.clock})")
    print(f"two ranks of one thread   {1e3 * statistics.median(shared):.4g} ms")
    print(f"ratio                     {statistics.median(ratios):.3f}   rounds:", *(f"{r:.3f}" for r in ratios))
    n = parameters(a)
    print(f"bytes a rank sent         {sent:.4g} an iteration, {sent / (4 * n):.3f} of 4 bytes for each of {n} parameters")


if __name__ == "__main__":
    main()
