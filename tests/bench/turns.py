#!/usr/bin/env python3
"""Two builds of mmcore on the same work, in turns: OLD NEW OLD NEW. Prints medians of the ratios NEW / OLD in processor time.

    turns.py OLD/mmcore NEW/mmcore [posterior energy noise] [--ini configs/demo.ini --old-ini OLD/configs/demo.ini]

With --ini a whole training iteration is timed as well; plugins are those beside each program (plugins/.libs). Run it on a quiet
machine: load at the start and the ratio of every round are printed, too.

One program with two environments: whether oneDNN or our own kernels are faster in bfloat16, kernel by kernel and by chunk size
(build it with --with-onednn; modules are those beside the program):

    turns.py ./mmcore ./mmcore posterior energy kernels --precision bfloat16 --chunk 8 16 32 \\
        --old-env MMCORE_ISA=avx512bf16 --new-env MMCORE_ISA=onednn
"""
import argparse
import json
import os
import statistics
import subprocess
import tempfile


def parse_arguments():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("old")
    p.add_argument("new")
    p.add_argument("work", nargs="*", help="default: posterior energy noise")
    p.add_argument("--ini", help="settings of the iteration")
    p.add_argument("--old-ini", help="the same for the old program, where keys have changed")
    p.add_argument("--threads", type=int, nargs="+", default=[1])
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--repeat", type=int, default=7, help="timed repetitions in each run")
    p.add_argument("--precision", default="float32", help="float32 or bfloat16")
    p.add_argument("--chunk", type=int, nargs="+", default=[16], help="samples a worker takes at a time")
    p.add_argument("--old-env", action="append", default=[], metavar="NAME=VALUE", help="for the old program alone")
    p.add_argument("--new-env", action="append", default=[], metavar="NAME=VALUE")
    return p.parse_args()


def measure(program, arguments, settings):
    """What a run of bench reports."""
    program = os.path.abspath(program)
    folder = os.path.dirname(program)
    environment = {"MMCORE_PLUGIN_PATH": os.path.join(folder, "plugins", ".libs"),
                   "MMCORE_BACKENDS": os.path.join(folder, "core", "backend", "onednn", ".libs"), **os.environ}
    environment.update(s.split("=", 1) for s in settings)
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([program, "bench", *arguments, "--json", out.name], check=True, env=environment,
                       stdout=subprocess.DEVNULL)
        return json.load(open(out.name))


def times(report):
    """{name: (processor time of one repetition in seconds, operations or None)}; kernels by what they compute, equal ones together."""
    found = {f["name"]: (f["cpu_s"], f.get("flops")) for f in report["figures"] if not f["name"].startswith("peak")}
    for k in report["kernels"]:
        if k["operation"].startswith(("conv", "linear")):
            name = f"{k['operation']} {k['shapes']}"
            seconds, flops = found.get(name, (0, 0))
            found[name] = (seconds + k["seconds"], flops + k["flops"])
    return found


def rate(rounds, name, side):
    """GFLOP/s in the median, where operations are counted."""
    rates = [r[side][name][1] / r[side][name][0] * 1e-9 for r in rounds if r[side][name][1]]
    return f"{statistics.median(rates):7.1f}" if rates else " " * 7


def print_table(title, rounds):
    print(f"{title}: median ratio of times, GFLOP/s before and after, ratios")
    for name in rounds[0][0]:
        ratios = [new[name][0] / old[name][0] for old, new in rounds]
        print(f"  {statistics.median(ratios):.3f} {rate(rounds, name, 0)} {rate(rounds, name, 1)}  {name}   rounds:",
              *(f"{x:.3f}" for x in ratios), flush=True)


def compare(a, threads, chunk):
    often = ["--threads", str(threads), "--repeat", str(a.repeat)]
    work = [*(a.work or ["posterior", "energy", "noise"]), *often]
    work += ["--chunk", str(chunk)] if chunk != 16 else []  # older programs have neither option
    work += ["--precision", a.precision] if a.precision != "float32" else []
    runs = [[work, work]]
    if a.ini:
        runs.append([["iteration", "--ini", ini, *often] for ini in (a.old_ini or a.ini, a.ini)])
    rounds = []
    for i in range(a.rounds):
        both = [[], []]
        for old, new in runs:
            both[0].append(measure(a.old, old, a.old_env))
            both[1].append(measure(a.new, new, a.new_env))
        if i == 0:
            print(f"{both[0][0]['processor']}; {both[0][0]['isa']}, then {both[1][0]['isa']}")
        rounds.append([{n: t for report in side for n, t in times(report).items()} for side in both])
    print_table(f"{threads} threads, chunks of {chunk}", rounds)


def main():
    a = parse_arguments()
    print("load", os.getloadavg()[0])
    for threads in a.threads:
        for chunk in a.chunk:
            compare(a, threads, chunk)


if __name__ == "__main__":
    main()
