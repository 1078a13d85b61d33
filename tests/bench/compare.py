#!/usr/bin/env python3
"""mmcore against PyTorch at its best on the same work, in turns, in float32 and in bfloat16: one table in Markdown.

First every way of running PyTorch is tried once (its own variants, and with several threads how its two thread pools wait); the
fastest is kept. A round is mmcore, PyTorch in float32, mmcore, PyTorch in bfloat16. Ratios are those of one round, so that a busy
machine disturbs both sides alike; with --clock cpu (the default with one thread) times are of the processor. Run it on a quiet machine
all the same.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

from processor import flags_of_processor

HERE = os.path.dirname(os.path.abspath(__file__))
WORKS = ["posterior", "energy", "noise", "iteration"]
PRECISIONS = ["float32", "bfloat16"]
# What is asked: PyTorch's time over ours at least; bytes of ours at most; our float32's time over our bfloat16's at least.
ASKED = {("posterior", "float32"): 2.5, ("energy", "float32"): 2.8, ("noise", "float32"): 8, ("iteration", "float32"): 3}
ASKED_WITH_AMX = {("posterior", "bfloat16"): 2.5, ("energy", "bfloat16"): 2.0}
ASKED_MEGABYTES = {"posterior": 166, "energy": 333}
ASKED_GAIN_WITHOUT_AMX = {"posterior": 1.5, "energy": 1.5}
# PyTorch waits with OpenMP's threads while OpenBLAS works with its own.
ENVIRONMENTS = [{}, {"OPENBLAS_NUM_THREADS": "1"}, {"GOMP_SPINCOUNT": "1000"},
                {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}]


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("work", nargs="*", help=f"of {', '.join(WORKS)}; default: all but iteration, which needs --ini")
    p.add_argument("--mmcore", default="./mmcore", help="the program")
    p.add_argument("--python", help="an interpreter that has PyTorch; default: this one, or python3, if it has")
    p.add_argument("--precision", nargs="+", choices=PRECISIONS, default=PRECISIONS)
    p.add_argument("--eager", action="store_true", help="PyTorch without torch.compile, which takes minutes for each piece of work")
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--clock", choices=["cpu", "wall"], help="default: cpu with one thread, else wall")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--repeat", type=int, default=5, help="timed repetitions in each run")
    p.add_argument("--ini", help="for iteration: the settings")
    p.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    p.add_argument("--plugin-path", help="where mmcore finds its plugins")
    p.add_argument("--json", help="write all figures there")
    a = p.parse_args()
    a.work = a.work or [w for w in WORKS if w != "iteration" or a.ini]
    a.clock = a.clock or ("cpu" if a.threads == 1 else "wall")
    for w in a.work:
        if w not in WORKS:
            p.error(f"unknown work {w}; there are {', '.join(WORKS)}")
    if "iteration" in a.work and not a.ini:
        p.error("iteration needs --ini")
    a.python = find_python(p, a.python)
    return a


def find_python(p, given):
    candidates = [given] if given else [c for c in (sys.executable, shutil.which("python3"), "/usr/bin/python3") if c]
    for python in candidates:
        try:
            if subprocess.run([python, "-c", "import torch"], stderr=subprocess.DEVNULL).returncode == 0:
                return python
        except OSError:
            pass
    p.error(f"no PyTorch in {', '.join(dict.fromkeys(candidates))}; --python names an interpreter that has it")


# ---------------------------------------------------------------- runs

def run(command, environment):
    """What a program writes as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "figures.json")
        subprocess.run(command + ["--json", path], check=True, stdout=subprocess.DEVNULL, env={**os.environ, **environment})
        with open(path) as f:
            return json.load(f)


def settings(a, work):
    return ["--ini", a.ini] + [x for s in a.set for x in ("--set", s)] if work == "iteration" else []


def run_mmcore(a, work, precision):
    environment = {"MMCORE_PLUGIN_PATH": a.plugin_path} if a.plugin_path else {}
    command = [a.mmcore, "bench", work, "--threads", str(a.threads), "--repeat", str(a.repeat)] + settings(a, work)
    if precision != "float32":
        command += ["--set", f"run.precision={precision}"] if work == "iteration" else ["--precision", precision]
    report = run(command, environment)
    by_name = {f["name"]: f for f in report["figures"]}
    result = dict(by_name[work], processor=report["processor"], isa=report["isa"])
    if "flops" in result and "peak" in by_name:
        peak = by_name["peak"]
        result["share"] = result["flops"] / seconds(a, result) / (peak["flops"] / seconds(a, peak))
    return result


def run_torch(a, work, precision, environment, repeat, variant=None):
    command = [a.python, os.path.join(HERE, "torch_bench.py"), work, "--threads", str(a.threads), "--repeat", str(repeat), "--trials", "1"]
    command += ["--precision", precision] + (["--eager"] if a.eager else []) + (["--variant", f"{work}={variant}"] if variant else [])
    report = run(command + settings(a, work), environment)
    figure = report.pop("figures")[0]
    return {**report, **figure}


def seconds(a, figure):
    return figure["cpu_s" if a.clock == "cpu" else "median_s"]


def best_torch(a, work, precision):
    tried = [(run_torch(a, work, precision, e, 1), e) for e in (ENVIRONMENTS if a.threads > 1 else [{}])]
    return min(tried, key=lambda t: seconds(a, t[0]))


def compare(a, work):
    """{precision: {"torch_way", "torch_skipped", "rounds"}}; the update with noise has no products, so float32 alone."""
    precisions = [p for p in a.precision if p == "float32" or work != "noise"]
    best = {p: best_torch(a, work, p) for p in precisions}
    rounds = {p: [] for p in precisions}
    for _ in range(a.rounds):
        for p in precisions:
            ours, (trial, environment) = run_mmcore(a, work, p), best[p]
            theirs = run_torch(a, work, p, environment, a.repeat, trial["variant"])
            rounds[p].append({"mmcore": ours, "torch": theirs, "load": os.getloadavg()[0]})
    return {p: {"torch_way": ", ".join([best[p][0]["variant"]] + [f"{k}={v}" for k, v in best[p][1].items()]),
                "torch_tried": best[p][0].get("tried", {}), "torch_skipped": best[p][0].get("skipped", {}),
                "rounds": rounds[p]} for p in precisions}


# ---------------------------------------------------------------- the machine

def has_amx():
    return "amx_bf16" in flags_of_processor()


def machine(a, results):
    first = next(iter(results[0].values()))["rounds"][0]
    ours, theirs = first["mmcore"], first["torch"]
    version = subprocess.run([a.mmcore, "--version"], capture_output=True, text=True).stdout
    build = re.search(r"^build +(.*)", version, re.M)
    sets = {r["rounds"][0]["mmcore"]["isa"] for result in results for r in result.values()}
    wide = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in flags_of_processor()]
    loads = [r["load"] for result in results for p in result.values() for r in p["rounds"]]
    return [f"{ours['processor']} ({' '.join(wide) or 'flags unknown'}); threads {a.threads}, clock {a.clock}, {a.rounds} rounds of "
            f"{a.repeat}; load {min(loads):.1f} to {max(loads):.1f}",
            f"mmcore: {build.group(1) if build else '?'}; {', '.join(sorted(sets))}",
            f"PyTorch {theirs.get('torch', '?')}, oneDNN {theirs.get('onednn', '?')}, {theirs.get('isa', '?')}; "
            f"torch.compile {'with ' + theirs['compiler'] if theirs.get('compiler') else 'not tried'}"]


# ---------------------------------------------------------------- the table

def ratios_of(a, part):
    return [seconds(a, r["torch"]) / seconds(a, r["mmcore"]) for r in part["rounds"]]


def spread(ratios):
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"


def middle(part, side, get):
    return statistics.median(get(r[side]) for r in part["rounds"])


def asked_of(work, precision):
    if (work, precision) in ASKED_WITH_AMX:
        return f"{ASKED_WITH_AMX[work, precision]:g} with AMX"
    return f"{ASKED[work, precision]:g}" if (work, precision) in ASKED else ""


def time_cells(a, work, precision, part):
    if part is None:
        return [""] * 4
    times = [f"{1e3 * middle(part, side, lambda f: seconds(a, f)):.4g} ms" for side in ("mmcore", "torch")]
    return times + [spread(ratios_of(a, part)), asked_of(work, precision)]


def gains_of(a, result):
    """Our float32's time over our bfloat16's, round by round."""
    pairs = zip(*(result[p]["rounds"] for p in PRECISIONS)) if len(result) > 1 else []
    return [seconds(a, wide["mmcore"]) / seconds(a, narrow["mmcore"]) for wide, narrow in pairs]


def gain_cells(a, work, result):
    gains, asked = gains_of(a, result), ASKED_GAIN_WITHOUT_AMX.get(work)
    return [spread(gains), f"{asked:g} without AMX" if asked else ""] if gains else ["", ""]


def memory_cells(work, part):
    if part is None:
        return [""] * 4
    ours, theirs = (middle(part, side, lambda f: f["resident_peak_bytes"]) for side in ("mmcore", "torch"))
    return [f"{ours * 1e-6:.0f} MB", f"{theirs * 1e-6:.0f} MB", f"{theirs / ours:.1f}", f"at most {ASKED_MEGABYTES[work]} MB"]


def row(cells):
    return "| " + " | ".join(cells) + " |"


def table(a, results):
    sides = ["mmcore", "PyTorch", "ratio (rounds)", "asked"]
    lines = [row(["work", *(f"{p}: {s}" for p in PRECISIONS for s in sides), "float32 / bfloat16, mmcore", "asked"])]
    lines.append("|" + "---|" * (lines[0].count("|") - 1))
    for work, result in zip(a.work, results):
        lines.append(row([work] + [c for p in PRECISIONS for c in time_cells(a, work, p, result.get(p))] + gain_cells(a, work, result)))
    for work, result in zip(a.work, results):
        if work in ASKED_MEGABYTES:
            lines.append(row([f"memory, {work}"] + [c for p in PRECISIONS for c in memory_cells(work, result.get(p))] + ["", ""]))
    return lines


def missed(a, results):
    """What was asked on a machine of this kind and not reached."""
    asked = {**ASKED, **(ASKED_WITH_AMX if has_amx() else {})}
    for work, result in zip(a.work, results):
        for p, part in result.items():
            ratio = statistics.median(ratios_of(a, part))
            if ratio < asked.get((work, p), 0):
                yield f"{work} in {p}: {ratio:.2f} of {asked[work, p]:g}"
            if middle(part, "mmcore", lambda f: f["resident_peak_bytes"]) > 1e6 * ASKED_MEGABYTES.get(work, float("inf")):
                yield f"memory of {work} in {p}"
        gain = statistics.median(gains_of(a, result) or [float("inf")])
        if gain < ASKED_GAIN_WITHOUT_AMX.get(work, 0) and not has_amx():
            yield f"{work} in bfloat16: {gain:.2f} of {ASKED_GAIN_WITHOUT_AMX[work]:g} against float32"


def notes(a, results):
    for work, result in zip(a.work, results):
        for p, part in result.items():
            share = [r["mmcore"]["share"] for r in part["rounds"] if "share" in r["mmcore"]]
            of_peak = f"; mmcore at {100 * statistics.median(share):.0f} % of its peak" if share else ""
            yield f"{work}, {p}: PyTorch's best is {part['torch_way']}{of_peak}"
            for variant, reason in part["torch_skipped"].items():
                yield f"{work}, {p}: not tried: {variant}: {reason}"
    found = list(missed(a, results))
    yield f"missed: {'; '.join(found)}" if found else "nothing that was asked of this processor was missed"


def main():
    a = parse_arguments()
    results = []
    for work in a.work:
        print(f"{work} ...", file=sys.stderr, flush=True)
        results.append(compare(a, work))
    print("\n".join(machine(a, results) + [""] + table(a, results) + [""] + list(notes(a, results))))
    if a.json:
        with open(a.json, "w") as f:
            json.dump(dict(zip(a.work, results)), f, indent=1)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as e:
        sys.exit(f"{' '.join(e.cmd[:3])}... failed with status {e.returncode}")
