#!/bin/sh
# tensorboard.sh - files of events: written, cut off by a kill, taken up again; read by TensorBoard itself where python3 has it
# (MMCORE_PYTHON: another python3).
. "${srcdir:?}/tests/cli/tap.sh"
. "$srcdir/tests/cli/toys.sh"
toys 2 run.log_interval=1 run.grid_interval=2 run.checkpoint_interval=4 learner.iterations=6 >"$work/toy.ini"
events() { ls "$1/tensorboard" 2>/dev/null | grep -c '^events\.out\.tfevents\.[0-9]\{10\}\.'; }

run train --ini "$work/toy.ini" --out "$work/plain"
check "nobody gets them unasked" [ ! -e "$work/plain/tensorboard" ]
run train --ini "$work/toy.ini" --set run.tensorboard=yes --out "$work/run"
check "a run writes a file of events" eval 'exits 0 && [ "$(events "$work/run")" -eq 1 ]'
figures() { cut -d, -f1,3- "$1/metrics.csv"; } # but for the seconds
figures "$work/plain" >"$work/a"
figures "$work/run" >"$work/b"
check "and is the same run" cmp "$work/a" "$work/b"

# Killed after iteration 6, within a record, with a checkpoint of iteration 4: 5 and 6 come again, and others after them.
rm "$work/run/checkpoints/checkpoint-00000006.safetensors"
first=$work/run/tensorboard/$(ls "$work/run/tensorboard")
head -c $(($(wc -c <"$first") - 5)) "$first" >"$work/cut" && cp "$work/cut" "$first"
run train --resume --out "$work/run" --set learner.iterations=9
check "going on begins another file" eval 'exits 0 && [ "$(events "$work/run")" -eq 2 ]'
check "and leaves the first as it was" cmp "$work/cut" "$first"
rm -rf "$work/none"
run train --ini "$work/toy.ini" --set run.tensorboard=yes --set learner.iterations=2 --out "$work/none"
rm -rf "$work/none/tensorboard"
: >"$work/none/tensorboard"
run train --resume --out "$work/none" --set learner.iterations=4
check "where they cannot be written training goes on, and says so" eval 'exits 0 && says err "training goes on without"'

python=${MMCORE_PYTHON:-python3}
if ! "$python" -c 'from tensorboard.backend.event_processing import event_accumulator' >/dev/null 2>&1; then
	echo "ok $((tests + 1)) - TensorBoard reads them # SKIP no python3 with tensorboard"
	tests=$((tests + 1))
	finish
	exit 0
fi
cat >"$work/read.py" <<'END'
import csv
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

run = sys.argv[1]
found = EventAccumulator(run + "/tensorboard", size_guidance={"images": 0, "scalars": 0}).Reload()
rows = list(csv.DictReader(open(run + "/metrics.csv")))
for name in rows[0]:
    if name != "iteration":
        table = [(int(r["iteration"]), float(r[name])) for r in rows if r[name]]
        events = [(e.step, e.value) for e in found.Scalars(name)] if table else []
        assert [s for s, _ in table] == [s for s, _ in events], (name, table, events)
        assert all(abs(a - b) <= 1e-6 * abs(a) for (_, a), (_, b) in zip(table, events)), (name, table, events)
images = found.Images("samples")
assert [i.step for i in images] == [2, 4, 6, 8, 9], images
sheet = open(run + "/grids/samples-%08d.png" % 9, "rb").read()
assert images[-1].encoded_image_string == sheet and images[-1].width == int.from_bytes(sheet[16:20], "big")
END
status=0
"$python" "$work/read.py" "$work/run" >"$work/out" 2>"$work/err" || status=$?
check "TensorBoard reads what metrics.csv and the sheets have, each step once" exits 0
finish
