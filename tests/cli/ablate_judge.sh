#!/bin/sh
# ablate_judge.sh - grids whose runs are evaluated: tables, going on, the splits, refusals.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini
printf "holdout = 40\n" >"$work/holdout"
sed "/^\[data\]/r $work/holdout" "$ini" >"$work/held.ini"
held=$work/held.ini

# column FILE NAME: that column's values, separated by spaces.
column() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { printf "%s ", $at }' "$1"; }
run judge --ini "$held" --epochs 2 --out "$work/judge.safetensors"
check "a judge" exits 0
judge=$work/judge.safetensors
grid() { run ablate --ini "$held" --sweep learner.z_steps=0,2 --out "$work/g" "$@"; }
one=$work/g/learner.z_steps=0,run.seed=1
two=$work/g/learner.z_steps=2,run.seed=1

# ---------------------------------------------------------------- trained first, evaluated later
grid
check "a grid without a judge succeeds" exits 0
check "and has no figures of an evaluation" [ ! -e "$one/eval.json" ]
find "$work/g" -name '*.safetensors' -exec ls -l {} + >"$work/ls_before"
grid --judge "$judge" --eval-count 32 --jobs 2
check "evaluating it succeeds" exits 0
find "$work/g" -name '*.safetensors' -exec ls -l {} + >"$work/ls_after"
check "and trains nothing" cmp "$work/ls_before" "$work/ls_after"
for heading in coherence "coh. revised" conditional "cond. revised" Frechet "Fr. revised" "energy AUC"; do
	check "the table has a column: $heading" says out "$heading"
done
check "the table has a row a run" [ "$(grep -c '^ *[02]  *1  ' "$work/out")" -eq 2 ]
coherence=unconditional_coherence/all_modalities_agree/generator
check "runs.csv has the figures" eval 'column "$work/g/runs.csv" "$coherence" | grep -Eq "^[01][.0-9]* [01][.0-9]* $"'
check "and those of the metrics" eval 'column "$work/g/runs.csv" gap | grep -q "[0-9]"'
check "summary.csv has their spread" eval 'head -n 1 "$work/g/summary.csv" | grep -q "energy_as_detector/mean/ROC_area_spread"'
check "the validation tuples were used" grep -q '"split":	"validation"' "$one/eval.json"
check "as many as asked for" grep -q '"tuples":	32' "$one/eval.json"
check "the newest checkpoint was used" grep -q '"iteration":	20' "$one/eval.json"
run eval --ckpt "$(checkpoint "$one" 20)" --judge "$judge" --count 32 --split validation --only coherence,energy --out "$work/alone"
check "an evaluation on its own" exits 0
value() { sed -n "s/^$2,//p" "$1"; }
check "says the same" [ "$(value "$work/alone/eval.csv" 'energy as detector,mean,ROC area')" = "$(value "$one/eval.csv" 'energy as detector,mean,ROC area')" ]
run eval --summary "$one" "$two"
check "eval --summary reads the runs' folders" exits 0

# ---------------------------------------------------------------- what is done stays done
cp "$work/g/summary.csv" "$work/before"
ls -l --time-style=full-iso "$one" "$two" >"$work/ls_before"
grid --judge "$judge" --eval-count 32
check "an evaluated grid succeeds" exits 0
ls -l --time-style=full-iso "$one" "$two" >"$work/ls_after"
check "and evaluates nothing" cmp "$work/ls_before" "$work/ls_after"
check "and has the same summary" cmp "$work/before" "$work/g/summary.csv"
rm "$two/figures-eval.csv"
cp "$one/figures-eval.csv" "$work/kept"
grid --judge "$judge" --eval-count 32
check "a trained run without an evaluation gets one" [ -s "$two/figures-eval.csv" ]
check "it comes to the same figures" cmp "$work/before" "$work/g/summary.csv"
grid --judge "$judge" --eval-count 32 --window 1
check "another window evaluates nothing" cmp "$work/kept" "$one/figures-eval.csv"
check "but reads the metrics again" eval '[ "$(column "$work/g/summary.csv" gap)" != "$(column "$work/before" gap)" ]'
grid --judge "$judge" --eval-count 24
check "another count evaluates anew" grep -q '"tuples":	24' "$one/eval.json"
grid --judge "$judge" --eval-count 24 --eval-split test
check "another split evaluates anew" grep -q '"split":	"test"' "$one/eval.json"
run judge --ini "$held" --epochs 3 --out "$work/judge2.safetensors"
grid --judge "$work/judge2.safetensors" --eval-count 24 --eval-split test
check "another judge evaluates anew" grep -q 'judge2.safetensors' "$one/eval.json"
rm "$one/figures.csv" "$(checkpoint "$one" 20)"
grid --judge "$judge" --eval-count 32
check "a run that is trained again is evaluated again" grep -q '"split":	"validation"' "$one/eval.json"
same() { [ "$(column "$work/g/summary.csv" "$1")" = "$(column "$work/before" "$1")" ]; }
check "and comes to the same" eval 'same energy_as_detector/mean/ROC_area && same "$coherence" && same gap'

run ablate --ini "$ini" --sweep learner.z_steps=0 --out "$work/t" --judge "$judge" --eval-count 16
check "without tuples held out" exits 0
check "the test split is used" grep -q '"split":	"test"' "$work/t/learner.z_steps=0,run.seed=1/eval.json"
run ablate --ini "$ini" --sweep learner.objective=cooperative,mmvae --out "$work/o" --judge "$judge" --eval-count 16
check "a baseline is compared" exits 0
check "where it has no figures of an energy there is a dash" grep -Eq '^ *mmvae .* -$' "$work/out"

run ablate --ini "$held" --sweep learner.z_steps=0 --set run.select=nll --out "$work/s" --judge "$judge" --eval-count 16
check "runs that select their best checkpoint" exits 0
check "have that one evaluated" grep -q "z_steps=0,run.seed=1/best.safetensors\"" "$work/s/learner.z_steps=0,run.seed=1/eval.json"

# ---------------------------------------------------------------- Ctrl-C
told() { grep -c evaluating "$one/log.txt"; }
before=$(told)
"$MMCORE_PROGRAM" ablate --ini "$held" --sweep learner.z_steps=0,2 --out "$work/g" --judge "$judge" --eval-count 10000000 \
	>"$work/out" 2>"$work/err" </dev/null &
pid=$!
tries=300
while [ "$(told)" -eq "$before" ] && [ "$tries" -gt 0 ]; do
	sleep 0.1
	tries=$((tries - 1))
done
kill -INT "$pid"
status=0
wait "$pid" || status=$?
check "Ctrl-C in an evaluation: status 130" exits 130
check "Ctrl-C: it says where it was" says err "learner.z_steps=0,run.seed=1: stopped, trained already"
check "Ctrl-C: the run is unfinished" grep -q 'z_steps=0,run.seed=1",unfinished' "$work/g/runs.csv"
grid --judge "$judge" --eval-count 32
check "the same command goes on" eval 'exits 0 && same energy_as_detector/mean/ROC_area'

# ---------------------------------------------------------------- refusals, before anything is trained
refused() {
	what=$1 text=$2
	shift 2
	run ablate --sweep learner.z_steps=1 --out "$work/never" "$@"
	check "$what: status 2" exits 2
	check "$what: one clear line" complains "$text"
}
refused "a judge that is not there" "$work/absent" --ini "$ini" --judge "$work/absent"
refused "what is no judge" 'expected "mmcore judge 1"' --ini "$ini" --judge "$(checkpoint "$two" 20)"
refused "validation without a holdout" "needs [data] holdout above 0" --ini "$ini" --judge "$judge" --eval-split validation
refused "an unknown split" "expected test or validation" --ini "$ini" --judge "$judge" --eval-split train
refused "a split without a judge" "--eval-split needs --judge" --ini "$ini" --eval-split test
refused "a count without a judge" "--eval-count needs --judge" --ini "$ini" --eval-count 10
check "a refused grid writes nothing" [ ! -e "$work/never" ]
finish
