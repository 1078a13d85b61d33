#!/usr/bin/env python3
"""mmcore against PyTorch at its best on the same work, in turns: A B A B A B. Prints medians, ratios and the targets.

First every way of running PyTorch is tried once (its own variants, and how its two thread pools wait); the fastest is kept.
Ratios are those of neighbouring runs, so that a busy machine disturbs both sides alike; run it on a quiet one all the same.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TARGETS = {"posterior": 2.8, "energy": 1.7, "noise": 6.0, "iteration": 2.5}
# PyTorch waits with OpenMP's threads while OpenBLAS works with its own.
ENVIRONMENTS = [{}, {"OPENBLAS_NUM_THREADS": "1"}, {"GOMP_SPINCOUNT": "1000"},
                {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}]


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("work", nargs="*", help=f"of {', '.join(TARGETS)}; default: all but iteration, which needs --ini")
    p.add_argument("--mmcore", default="./mmcore", help="the program")
    p.add_argument("--python", default="/usr/bin/python3", help="an interpreter that has PyTorch")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--repeat", type=int, default=5, help="timed repetitions in each run")
    p.add_argument("--ini", help="for iteration: the settings")
    p.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    p.add_argument("--plugin-path", help="where mmcore finds its plugins")
    p.add_argument("--json", help="write all figures there")
    a = p.parse_args()
    a.work = a.work or [w for w in TARGETS if w != "iteration" or a.ini]
    for w in a.work:
        if w not in TARGETS:
            p.error(f"unknown work {w}")
    if "iteration" in a.work and not a.ini:
        p.error("iteration needs --ini")
    return a


def run(command, environment):
    """The figures that a program writes as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figures.json")
        subprocess.run(command + ["--json", path], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
        with open(path) as f:
            return json.load(f)["figures"]


def settings(a, work):
    return ["--ini", a.ini] + [x for s in a.set for x in ("--set", s)] if work == "iteration" else []


def run_mmcore(a, work):
    environment = {"MMCORE_PLUGIN_PATH": a.plugin_path} if a.plugin_path else {}
    figures = run([a.mmcore, "bench", work, "--threads", str(a.threads), "--repeat", str(a.repeat)] + settings(a, work), environment)
    by_name = {f["name"]: f for f in figures}
    result = dict(by_name[work])
    if "flops" in result and "peak" in by_name:
        result["share"] = result["flops"] / result["median_s"] / (by_name["peak"]["flops"] / by_name["peak"]["best_s"])
    return result


def run_torch(a, work, environment, repeat, variant=None):
    command = [a.python, os.path.join(HERE, "torch_bench.py"), work, "--threads", str(a.threads), "--repeat", str(repeat), "--trials", "1"]
    command += ["--variant", f"{work}={variant}"] if variant else []
    return run(command + settings(a, work), environment)[0]


def best_torch(a, work):
    tried = [(run_torch(a, work, e, 1), e) for e in ENVIRONMENTS]
    figure, environment = min(tried, key=lambda t: t[0]["best_s"])
    return figure["variant"], environment


def compare(a, work):
    variant, environment = best_torch(a, work)
    rounds = []
    for _ in range(a.rounds):
        ours = run_mmcore(a, work)
        rounds.append((ours, run_torch(a, work, environment, a.repeat, variant), os.getloadavg()[0]))
    way = ", ".join([variant] + [f"{k}={v}" for k, v in environment.items()])
    return {"work": work, "torch_way": way, "rounds": [{"mmcore": m, "torch": t, "load": load} for m, t, load in rounds]}


def middle(result, side, key):
    values = [r[side][key] for r in result["rounds"] if key in r[side]]
    return statistics.median(values) if values else None


def print_result(result):
    work = result["work"]
    ratios = [r["torch"]["median_s"] / r["mmcore"]["median_s"] for r in result["rounds"]]
    ratio, target = statistics.median(ratios), TARGETS[work]
    share, memory = middle(result, "mmcore", "share"), middle(result, "mmcore", "resident_peak_bytes")
    print(f"{work:10} {1e3 * middle(result, 'mmcore', 'median_s'):10.2f} {1e3 * middle(result, 'torch', 'median_s'):10.2f} "
          f"{ratio:6.2f} ({min(ratios):.2f}-{max(ratios):.2f}) {target:6.1f} {'met' if ratio >= target else 'missed':>7} "
          f"{'' if share is None else f'{100 * share:.0f} %':>6} {memory * 1e-6:6.0f} "
          f"{middle(result, 'torch', 'resident_peak_bytes') * 1e-6:6.0f}   {result['torch_way']}; "
          f"load {statistics.median(r['load'] for r in result['rounds']):.1f}", flush=True)


def main():
    a = parse_arguments()
    print(f"{'work':10} {'mmcore ms':>10} {'torch ms':>10} {'ratio (of rounds)':>18} {'target':>6} {'':7} {'peak':>6} {'MB':>6} {'torch':>6}")
    results = []
    for work in a.work:
        results.append(compare(a, work))
        print_result(results[-1])
    if a.json:
        with open(a.json, "w") as f:
            json.dump(results, f, indent=1)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as e:
        sys.exit(f"{' '.join(e.cmd[:3])}... failed with status {e.returncode}")
