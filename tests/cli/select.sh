#!/bin/sh
# select.sh - a run that keeps its best checkpoint: which one, stopped and killed, and a run folder in the place of a file.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
# Rates so high that the best one is not the last.
train() { # train FOLDER OPTION...
	folder=$1
	shift
	run --ini "$work/tiny.ini" --out "$folder" --set data.holdout=30 --set m0.limit=90 --set m1.limit=90 --set run.checkpoint_interval=2 \
		--set run.checkpoint_keep=1 --set run.grid_interval=1000000 --set learner.iterations=60 --set learner.lr_generator=1 --set learner.snapshot_interval=5 "$@"
}
data_of() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; }
# Iteration and figure of the row with the least figure after the warm-up of 5 iterations.
least() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "nll_validation") at = i; next }
	$1 > 5 && $at != "" && (best == "" || $at + 0 < best + 0) { best = $at; row = $1 } END { print row, best }' "$1/metrics.csv"; }

train "$work/plain"
check "a run that selects nothing" exits 0
check "has no best checkpoint" [ ! -e "$work/plain/best.safetensors" ]
check "and no column for it" eval '! grep -q nll_validation "$work/plain/metrics.csv"'
train "$work/straight" --set run.select=nll
check "a run that selects" exits 0
at=$(least "$work/straight" | cut -d' ' -f1)
check "its best one is not its last one, or there is nothing to see" [ "$at" -lt 60 ]
check "it tells the best one" says out "best       $work/straight/best.safetensors, after $at iterations: NLL $(least "$work/straight" | awk '{ printf "%.6g", $2 }')"
run info "$work/straight"
check "a run folder stands for its best checkpoint" says out "best.safetensors"
check "which is of that iteration" grep -Eq "^iteration +$at\$" "$work/out"
check "it is a name of one that is kept" cmp "$work/straight/best.safetensors" "$(checkpoint "$work/straight" "$at")"
check "beside it there is the newest one" [ "$(ls "$work/straight/checkpoints" | wc -l)" -eq 2 ]
data_of "$(checkpoint "$work/plain" 60)" >"$work/one"
data_of "$(checkpoint "$work/straight" 60)" >"$work/two"
check "selecting changes nothing in training" cmp "$work/one" "$work/two"
train "$work/none" --set run.select=nll --set data.holdout=0
check "without tuples held out: status 2" exits 2
check "without tuples held out: one clear line" complains "no validation tuples to select by"

# ---------------------------------------------------------------- stopped and killed
same() {
	cmp "$work/straight/best.safetensors" "$work/k/best.safetensors" && cmp "$(checkpoint "$work/straight" 60)" "$(checkpoint "$work/k" 60)" &&
		figures "$work/straight" >"$work/figures_a" && figures "$work/k" >"$work/figures_b" && cmp "$work/figures_a" "$work/figures_b"
}
resume= kills=0
while [ "$(newest "$work/k")" -lt 60 ] && [ "$kills" -lt 40 ]; do
	before=$(newest "$work/k")
	"$MMCORE_PROGRAM" --ini "$work/tiny.ini" --out "$work/k" $resume --set data.holdout=30 --set m0.limit=90 --set m1.limit=90 \
		--set run.checkpoint_interval=2 --set run.checkpoint_keep=1 --set run.grid_interval=1000000 --set learner.iterations=60 \
		--set learner.lr_generator=1 --set learner.snapshot_interval=5 --set run.select=nll >"$work/out" 2>"$work/err" </dev/null &
	pid=$!
	tries=300
	while [ "$(newest "$work/k")" -lt $((before + 10)) ] && [ "$tries" -gt 0 ] && kill -0 "$pid" 2>/dev/null; do
		sleep 0.01
		tries=$((tries - 1))
	done
	kill -9 "$pid" 2>/dev/null
	status=0
	wait "$pid" 2>/dev/null || status=$?
	[ ! -e "$work/k/run.ini" ] || resume=--resume
	kills=$((kills + 1))
done
check "a run was killed several times" [ "$kills" -gt 2 ]
rm -f "$work/k/best.safetensors"
train "$work/k" --set run.select=nll --resume
check "it comes to its end" exits 0
check "with the same best one, last one and figures" same
check "no temporary files are left" [ "$(ls -A "$work/k" | grep -c tmp)" -eq 0 ]

# ---------------------------------------------------------------- used
run sample --ckpt "$work/straight" --count 2 --out "$work/samples"
check "samples of a run folder" exits 0
run eval --ckpt "$work/straight" --only latent --count 20 --probe 40 --out "$work/e"
check "an evaluation of a run folder" exits 0
check "is of its best checkpoint" grep -q "\"iteration\":	$at" "$work/e/eval.json"
run eval --ckpt "$work/plain" --only latent --count 20 --probe 40 --out "$work/e"
check "without a best one it is the newest" grep -q '"iteration":	60' "$work/e/eval.json"
mkdir "$work/empty"
run sample --ckpt "$work/empty" --count 2 --out "$work/none"
check "a folder without checkpoints: status 2" exits 2
check "a folder without checkpoints is named" complains "$work/empty holds no checkpoint"
check "nothing was written" [ ! -e "$work/none" ]
finish
