#!/usr/bin/env python3
"""Two builds of mmcore on the same work, in turns: OLD NEW OLD NEW. Prints medians of the ratios NEW / OLD in processor time.

    turns.py OLD/mmcore NEW/mmcore [posterior energy noise] [--ini configs/demo.ini --old-ini OLD/configs/demo.ini]

With --ini a whole training iteration is timed as well; plugins are those beside each program (plugins/.libs). Run it on a quiet
machine: load at the start and the ratio of every round are printed, too.
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
    return p.parse_args()


def measure(program, arguments):
    """{name: processor time of one repetition, in seconds}"""
    program = os.path.abspath(program)
    environment = dict(os.environ)
    environment.setdefault("MMCORE_PLUGIN_PATH", os.path.join(os.path.dirname(program), "plugins", ".libs"))
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        subprocess.run([program, "bench", *arguments, "--json", out.name], check=True, env=environment,
                       stdout=subprocess.DEVNULL)
        figures = json.load(open(out.name))["figures"]
    return {f["name"]: f["cpu_s"] for f in figures if not f["name"].startswith("peak")}


def main():
    a = parse_arguments()
    print("load", os.getloadavg()[0])
    for threads in a.threads:
        often = ["--threads", str(threads), "--repeat", str(a.repeat)]
        ratios = {}
        for _ in range(a.rounds):
            runs = [[[*(a.work or ["posterior", "energy", "noise"]), *often]] * 2]
            if a.ini:
                runs.append([["iteration", "--ini", a.old_ini or a.ini, *often], ["iteration", "--ini", a.ini, *often]])
            for old, new in runs:
                before, after = measure(a.old, old), measure(a.new, new)
                for name in before:
                    ratios.setdefault(name, []).append(after[name] / before[name])
        for name, r in ratios.items():
            print(f"{threads} threads  {name:10s} {statistics.median(r):.3f}   rounds:", *(f"{x:.3f}" for x in r))


if __name__ == "__main__":
    main()
