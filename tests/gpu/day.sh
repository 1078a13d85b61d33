#!/bin/sh
# day.sh OUT - the day with a GPU, in under 8 minutes: tests on the card, the program on it, times beside PyTorch's. Run from an
# unpacked kit (make gpu-kit). Each line is written as it comes, to the terminal and to OUT/day.txt; each stage has a time of its own
# and what fails ends no other. Exit 0 only if all tests passed.
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?day.sh OUT}
mkdir -p "$out" && out=$(cd "$out" && pwd) && cd "$here" || exit 2
day=$out/day.txt
: >"$day"
failed=0

say() { echo "$*" | tee -a "$day"; }

# NVIDIA's libraries: the toolkit's, or those that PyTorch brought.
library_folders() {
	for d in /usr/local/cuda/lib64 /usr/lib/x86_64-linux-gnu; do [ -e "$d/libcudart.so" ] && echo "$d"; done
	python3 - 2>/dev/null <<'END'
import glob, os, site, sys
for s in dict.fromkeys([*site.getsitepackages(), *[p for p in sys.path if p.endswith("site-packages")]]):
    for d in sorted(glob.glob(os.path.join(s, "nvidia", "*", "lib"))) + [os.path.join(s, "torch", "lib")]:
        if os.path.isdir(d):
            print(d)
END
}
LD_LIBRARY_PATH=$here/lib:$(library_folders | tr '\n' ':')${LD_LIBRARY_PATH:-}
MMCORE_PLUGIN_PATH=$here/plugins
MMCORE_BACKENDS=$here/backends
srcdir=$here
export LD_LIBRARY_PATH MMCORE_PLUGIN_PATH MMCORE_BACKENDS srcdir

# stage SECONDS NAME COMMAND...: what it printed goes to OUT/NAME.txt.
stage() {
	limit=$1 name=$2
	shift 2
	began=$(date +%s)
	timeout -k 5 "$limit" "$@" >"$out/$name.txt" 2>&1
	status=$?
	case $status in
	0) word=ok ;;
	124 | 137) word="cut off after $limit s" ;;
	*) word="failed, status $status" ;;
	esac
	say "$(printf '%-28s %-24s %3d s' "$name" "$word" $(($(date +%s) - began)))"
	return $status
}
# Lines of a stage's output, indented.
show() { grep -E "$2" "$out/$1.txt" | head -n "${3:-12}" | sed 's/^/    /' | tee -a "$day"; }

# A test program of the card: it must pass.
card_test() {
	stage "$1" "$2" "bin/test_card_$2" || failed=1
	show "$2" '^\[  (PASSED|FAILED)|largest error|^Error' 12
}

train() { # NAME DEVICE ITERATIONS [SET...]
	name=$1 device=$2 iterations=$3
	shift 3
	set -- "$@" --set "run.device=$device" --set "learner.iterations=$iterations"
	sets=
	for k in run.minutes=0 learner.warmup=0 run.checkpoint_interval=1 run.grid_interval=100000 run.log_interval=1 run.precision=float32; do
		sets="$sets --set $k"
	done
	# shellcheck disable=SC2086
	stage 60 "$name" bin/mmcore train --ini configs/polymnist.ini --set "data.root=$here/data" $sets --out "$out/runs/$run" "$@"
}
checkpoint() { printf '%s/runs/%s/checkpoints/checkpoint-%08d.safetensors' "$out" "$1" "$2"; }

# Largest difference of each tensor of two checkpoints, relative to its largest value.
cat >"$out/apart.py" <<'END'
import json, struct, sys
import numpy as np


def tensors(path):
    with open(path, "rb") as f:
        raw = f.read()
    n = struct.unpack("<Q", raw[:8])[0]
    head = json.loads(raw[8:8 + n])
    kinds = {"F32": np.float32, "F64": np.float64}
    return {k: np.frombuffer(raw[8 + n + v["data_offsets"][0]:8 + n + v["data_offsets"][1]], kinds[v["dtype"]])
            for k, v in head.items() if k != "__metadata__" and v["dtype"] in kinds}


a, b = tensors(sys.argv[1]), tensors(sys.argv[2])
rows = [(float(np.max(np.abs(a[k] - b[k])) / (np.max(np.abs(a[k])) + 1e-30)), k) for k in a if k in b and a[k].size]
same = sum(d == 0 for d, _ in rows)
print(f"apart: {same} of {len(rows)} tensors equal bit for bit; the three that differ most:")
for d, k in sorted(rows, reverse=True)[:3]:
    print(f"apart: {d:.2e}  {k}")
END

say "mmcore's day with a GPU, $(date -u '+%Y-%m-%d %H:%M') UTC"
stage 20 card nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.sm,clocks.max.sm,compute_cap --format=csv,noheader
show card .
stage 20 version bin/mmcore --version
show version . 20
if command -v python3 >/dev/null; then
	cat >"$out/ceilings.py" <<'END'
import torch


def seconds(task, n=10):
    for _ in range(3):
        task()
    a, b = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    a.record()
    for _ in range(n):
        task()
    b.record()
    torch.cuda.synchronize()
    return a.elapsed_time(b) / n / 1e3


x = torch.empty(1 << 30, device="cuda")
y = torch.empty_like(x)
print(f"ceiling: copy {2 * x.nbytes / seconds(lambda: y.copy_(x)) / 1e12:.2f} TB/s, read and written")
for name, kind in ("TF32", torch.float32), ("bf16", torch.bfloat16):
    torch.backends.cuda.matmul.allow_tf32 = True
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=kind) for _ in range(2))
    print(f"ceiling: products of 8192 x 8192 in {name} {2 * 8192 ** 3 / seconds(lambda: a @ b) / 1e12:.0f} TFLOP/s")
END
	stage 40 ceilings python3 "$out/ceilings.py"
	show ceilings ceiling
fi

card_test 60 ops
card_test 40 narrow
card_test 40 join
card_test 40 rows
card_test 40 learning
card_test 40 objectives
card_test 40 iteration
card_test 40 iteration_bf16
card_test 40 learner
card_test 40 sampler
card_test 40 langevin

mkdir -p "$out/runs"
run=host train host cpu 3
run=card train card cuda 3
run=again train again cuda 3
stage 20 card-and-host python3 "$out/apart.py" "$(checkpoint host 3)" "$(checkpoint card 3)"
show card-and-host apart
stage 20 card-twice cmp "$(checkpoint card 3)" "$(checkpoint again 3)" || failed=1
run=host train host-goes-on cuda 5 --resume || failed=1
run=card train card-goes-on cpu 5 --resume || failed=1
stage 20 goes-on python3 "$out/apart.py" "$(checkpoint host 5)" "$(checkpoint card 5)"
show goes-on apart

# bench NAME SECONDS INI [SET...]
bench() {
	name=$1 limit=$2 ini=$3
	shift 3
	stage "$limit" "$name" bin/mmcore bench iteration --ini "configs/$ini" --set "data.root=$here/data" --set run.device=cuda \
		--repeat 5 --json "$out/$name.json" "$@"
	show "$name" 'iteration|chain|encode|generate|updates'
}
bench paper-tf32 90 polymnist-paper.ini
bench small-tf32 30 polymnist.ini
bench paper-bf16 60 polymnist-paper.ini --set run.precision=bfloat16
stage 20 memory nvidia-smi --query-gpu=memory.used --format=csv,noheader
if command -v python3 >/dev/null; then
	for v in "tf32, eager" "tf32, graphs" "bf16, eager" "bf16, graphs"; do
		n=torch-$(echo "$v" | tr -d ',' | tr ' ' '-')
		stage 40 "$n" python3 torch_bench.py iteration --device cuda --ini configs/polymnist-paper.ini --variant "iteration=$v" --repeat 5
		show "$n" iteration
	done
fi
if command -v compute-sanitizer >/dev/null; then
	stage 60 memcheck compute-sanitizer --tool memcheck --error-exitcode 9 bin/test_card_rows || failed=1
	show memcheck 'ERROR SUMMARY|Invalid|Error' 6
	stage 60 racecheck compute-sanitizer --tool racecheck --error-exitcode 9 bin/test_card_rows || failed=1
	show racecheck 'SUMMARY|hazard' 6
fi
rm -rf "$out/runs"
say "$([ $failed = 0 ] && echo 'all tests passed' || echo 'tests failed: see above')"
exit $failed
