#!/bin/sh
# ablate.sh - grids of runs: names, tables, going on, stopping, failing, and training by the clock.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini

# column FILE NAME: that column's values, separated by spaces.
column() { awk -F, -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next } { printf "%s ", $at }' "$1"; }

# ---------------------------------------------------------------- a grid
grid() { run ablate --ini "$ini" --sweep 'learner.x_step=auto(0.02),0.1' --sweep learner.z_steps=0,2 --seeds 2 --jobs 2 --out "$work/g" "$@"; }
grid
check "a grid succeeds" exits 0
check "there is a run for each combination and seed" [ "$(find "$work/g" -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 8 ]
check "runs are named by their settings" [ -d "$work/g/learner.x_step=auto-0.02,learner.z_steps=2,run.seed=2" ]
check "the table has its columns" says out "learner.x_step"
check "the table has a row a combination, with both seeds" [ "$(grep -c '^ *\(auto(0.02)\|0.1\)  *[02]  *2  ' "$work/out")" -eq 4 ]
check "the table has spreads" says out " +- "
check "the tables are named" says out "$work/g/summary.csv"
check "runs.csv has all runs, finished" [ "$(grep -c '",finished,' "$work/g/runs.csv")" -eq 8 ]
one=$work/g/learner.x_step=0.1,learner.z_steps=2,run.seed=2
run --ini "$ini" --set learner.x_step=0.1 --set learner.z_steps=2 --set run.seed=2 --out "$work/single"
data_of() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; }
data_of "$(checkpoint "$one" 20)" >"$work/one"
data_of "$(checkpoint "$work/single" 20)" >"$work/two"
check "a run of a grid is the run one would have made alone" cmp "$work/one" "$work/two"

cp "$work/g/summary.csv" "$work/before"
find "$work/g" -name '*.safetensors' -exec ls -l {} + >"$work/ls_before"
grid
check "a finished grid succeeds" exits 0
find "$work/g" -name '*.safetensors' -exec ls -l {} + >"$work/ls_after"
check "a finished grid trains nothing" cmp "$work/ls_before" "$work/ls_after"
check "and has the same summary" cmp "$work/before" "$work/g/summary.csv"
rm "$one/figures.csv" "$(checkpoint "$one" 20)"
grid
check "a half run goes on" grep -q "resuming after 10 iterations" "$one/log.txt"
check "and comes to the same figures" [ "$(column "$work/g/summary.csv" gap)" = "$(column "$work/before" gap)" ]
grid --window 1
check "another window reads the metrics again" eval '[ "$(column "$work/g/summary.csv" gap)" != "$(column "$work/before" gap)" ]'

# ---------------------------------------------------------------- parts
parts() { run ablate --ini "$ini" --sweep learner.z_steps=0,1,2 --set learner.iterations=6 --out "$work/it's in parts" "$@"; }
parts --slurm
check "a script for Slurm is printed" exits 0
check "and nothing written" [ ! -e "$work/it's in parts" ]
check "with a task a run" says out "#SBATCH --array=0-2"
cp "$work/out" "$work/array"
mkdir "$work/bin" && ln -s "$MMCORE_PROGRAM" "$work/bin/mmcore"
task() { status=0; SLURM_ARRAY_TASK_ID=$1 PATH=$work/bin:$PATH sh "$work/array" >"$work/out" 2>"$work/err" </dev/null || status=$?; }
task 1
check "a task trains its run" eval 'exits 0 && [ -e "$work/it'"'"'s in parts/learner.z_steps=1,run.seed=1/figures.csv" ]'
check "and no other" [ "$(ls "$work/it's in parts" | wc -l)" -eq 1 ]
task 0
task 2
check "no task makes tables" eval '[ ! -e "$work/it'"'"'s in parts/summary.csv" ] && says out "part 2 of 3 is over"'
parts
check "the command alone does, of all runs" [ "$(grep -c '",finished,' "$work/it's in parts/runs.csv")" -eq 3 ]
check "and trains none again" eval '! says err "finished after"'

# ---------------------------------------------------------------- refusals
refused() {
	what=$1 text=$2
	shift 2
	run ablate "$@"
	check "$what: status 2" exits 2
	check "$what: one clear line" complains "$text"
}
refused "another base" "started with other settings" --ini "$ini" --sweep 'learner.x_step=auto(0.02)' --sweep learner.z_steps=0 --set learner.batch=4 --out "$work/g"
refused "no settings" "--ini is missing" --sweep a.b=1
refused "nothing to compare" "nothing to compare" --ini "$ini"
refused "an unknown key" 'learner.x_stepz=1: unknown key; did you mean "x_steps"?' --ini "$ini" --sweep learner.x_stepz=1,2 --out "$work/never"
refused "a wrong value" "learner.z_steps=-1: expected an integer" --ini "$ini" --sweep learner.z_steps=2,-1 --out "$work/never"
refused "a part that is none" "--part is '4/4'" --ini "$ini" --sweep learner.z_steps=2,1 --part 4/4 --out "$work/never"
refused "seeds twice" "give one of them" --ini "$ini" --sweep run.seed=1,2 --seeds 2 --out "$work/never"
refused "an empty value" "a value is empty" --ini "$ini" --sweep learner.z_steps=1, --out "$work/never"
check "a refused grid writes nothing" [ ! -e "$work/never" ]

# ---------------------------------------------------------------- runs that fail
run ablate --ini "$ini" --sweep learner.lr_generator=10,1e-3 --set m0.output=linear --set m1.output=linear --set learner.warmup=0 \
	--set learner.z_steps=10 --set learner.max_rollbacks=2 --out "$work/f"
check "a grid with a run that breaks down: status 1" exits 1
check "it says which" says err "learner.lr_generator=10,run.seed=1 failed: training broke down"
check "and how many" says err "1 of 2 runs failed"
check "the others are trained" [ -e "$(checkpoint "$work/f/learner.lr_generator=1e-3,run.seed=1" 20)" ]
check "the table tells the states" grep -q 'lr_generator=10,run.seed=1",failed' "$work/f/runs.csv"

# ---------------------------------------------------------------- a damaged file
printf 'no figures\n' >"$work/f/learner.lr_generator=1e-3,run.seed=1/figures.csv"
run ablate --ini "$ini" --sweep learner.lr_generator=1e-3 --set m0.output=linear --set m1.output=linear --set learner.warmup=0 \
	--set learner.z_steps=10 --set learner.max_rollbacks=2 --out "$work/f"
check "damaged figures do not refuse an ablation" exits 0
check "they are told" says err "figures.csv: expected the columns name and value; it will be made anew"
check "and made anew" grep -q '^name,value' "$work/f/learner.lr_generator=1e-3,run.seed=1/figures.csv"

# ---------------------------------------------------------------- Ctrl-C
wait_for() { # wait_for FILE SECONDS
	tries=$(($2 * 10))
	while [ ! -e "$1" ] && [ "$tries" -gt 0 ]; do
		sleep 0.1
		tries=$((tries - 1))
	done
	[ -e "$1" ]
}
"$MMCORE_PROGRAM" ablate --ini "$ini" --sweep learner.z_steps=1,2,3 --jobs 2 --set learner.iterations=1000000 --out "$work/c" \
	>"$work/out" 2>"$work/err" </dev/null &
pid=$!
two=$work/c/learner.z_steps=2,run.seed=1
check "long runs are under way" wait_for "$(checkpoint "$two" 10)" 60
kill -INT "$pid"
status=0
wait "$pid" || status=$?
check "Ctrl-C: status 130" exits 130
check "Ctrl-C: it says how to go on" says err "the same command goes on"
check "Ctrl-C: a run under way says where it stopped" grep -q "learner.z_steps=2,run.seed=1: stopped after $(newest "$two") iterations" "$work/err"
check "Ctrl-C: the third was not started" [ ! -e "$work/c/learner.z_steps=3,run.seed=1" ]
check "Ctrl-C: the table tells the states" grep -q 'z_steps=1,run.seed=1",unfinished' "$work/c/runs.csv"

# A parent that is killed takes its runs along, each with a checkpoint.
stopped=$(newest "$two")
"$MMCORE_PROGRAM" ablate --ini "$ini" --sweep learner.z_steps=1,2,3 --jobs 2 --set learner.iterations=1000000 --out "$work/c" \
	>"$work/out" 2>"$work/err" </dev/null &
pid=$!
check "the grid goes on" wait_for "$(checkpoint "$two" $((stopped - stopped % 10 + 20)))" 60
kill -KILL "$pid"
status=0
{ wait "$pid" || status=$?; } 2>/dev/null
# The lock of a run's folder is free when its process is gone; an interrupted run is then resumed to a length it has reached.
gone() {
	for try in 1 2 3 4 5 6 7 8 9 10; do
		sleep 0.5
		"$MMCORE_PROGRAM" --ini "$two/run.ini" --set learner.iterations=1 --resume --out "$two" >"$work/out" 2>"$work/err" && return 0
	done
	return 1
}
check "a parent that is killed leaves no process behind" gone

# ---------------------------------------------------------------- by the clock
run --ini "$ini" --minutes 0.02 --set learner.schedule='linear(0)' --out "$work/m"
check "a run with a time budget succeeds" exits 0
last=$(newest "$work/m")
check "it ends with a checkpoint" [ "$last" -gt 0 ]
check "of the iteration it tells" says out "finished after $last iterations"
check "and with a sheet" [ -e "$work/m/grids/samples-$(printf %08d "$last").png" ]
seconds=$(column "$work/m/metrics.csv" seconds | awk '{ print $NF }')
check "it took the time it had" eval 'awk "BEGIN { exit !($seconds >= 1.2 && $seconds < 4) }"'
warm() { awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
	$at["elbo"] != "" { warm = $at["seconds"] } $at["elbo"] == "" && !first { first = $at["seconds"] }
	END { exit !(warm > 0 && warm < first && first >= 0.3) }' "$work/m/metrics.csv"; }
check "a quarter of it is warm-up, as of the iterations" warm
run --ini "$ini" --minutes 0.02 --set learner.schedule='linear(0)' --out "$work/m" --resume
check "a run whose time is up has nothing to do" says out "finished after $last iterations"
# Of processor time of one thread, a stopped process uses none.
"$MMCORE_PROGRAM" --ini "$ini" --minutes 0.02 --set run.clock=cpu --set run.threads=1 --out "$work/cpu" >"$work/out" 2>"$work/err" </dev/null &
pid=$!
check "a run by processor time is under way" wait_for "$work/cpu/metrics.csv" 60
kill -STOP "$pid"
sleep 2
kill -CONT "$pid"
status=0
wait "$pid" || status=$?
check "it succeeds" exits 0
seconds=$(column "$work/cpu/metrics.csv" seconds | awk '{ print $NF }')
check "the time it was stopped does not count" eval 'awk "BEGIN { exit !($seconds >= 1.2 && $seconds < 1.8) }"'
gap() { awk -F, 'NR > 2 && $2 - last > 0.5 { exit 1 } { last = $2 }' "$work/cpu/metrics.csv"; }
check "nor is there a gap in the metrics" gap
run ablate --ini "$ini" --sweep learner.z_steps=0,2 --minutes 0.01 --out "$work/mm"
check "a grid with a time budget succeeds" exits 0
minutes_used() { column "$work/mm/summary.csv" seconds | awk '{ for (i = 1; i <= NF; i++) if ($i < 0.6 || $i > 3) exit 1; exit NF != 2 }'; }
check "each run has the time" minutes_used
finish
