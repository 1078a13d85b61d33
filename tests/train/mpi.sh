#!/bin/sh
# mpi.sh - ranks started by mpirun: the bits of one rank, going on with another number of them, ranks that die or do not answer,
# what is refused. MMCORE_ITERATIONS says how long the runs are that are compared (20).
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
ini=$work/tiny.ini
long=${MMCORE_ITERATIONS:-20}
# Chunks of 2: eight lanes. Chains, missing modalities, the contrastive loss, and all that looks across rows.
sed 's/^threads = 2/threads = 1/; s/^batch = 8/batch = 16/' "$ini" >"$work/ranks.ini"
ini=$work/ranks.ini
cat >>"$ini" <<END
[run]
chunk = 2
select = nll
[data]
hide = 0.2
holdout = 40
[learner]
contrast_factor = 1
x_step = auto(0.02)
[energy]
match = towers
END
modules=$PWD/core/comm/.libs

# ---------------------------------------------------------------- without MPI
# As Open MPI's launcher would start the first of two.
launched() { OMPI_COMM_WORLD_RANK=0 OMPI_COMM_WORLD_SIZE=2 run "$@"; }
export MMCORE_BACKENDS="$work"
launched --ini "$ini" --out "$work/none"
check "no module: status 2" exits 2
check "no module: one line says so" complains "started as one of 2 ranks, but there is no comm-mpi.so in $work; configure --with-mpi"
check "no module: nothing is written" [ ! -e "$work/none" ]
echo "no library" >"$work/comm-mpi.so"
launched --ini "$ini" --out "$work/none"
check "a module that does not open is named" complains "$work/comm-mpi.so: "
LD_DEBUG=files run --ini "$ini" --set learner.iterations=2 --out "$work/alone"
check "one process alone needs no module" exits 0
check "and opens no library of MPI" eval '! grep -q "libmpi\|comm-mpi" "$work/err"'

# ---------------------------------------------------------------- ranks
. "${srcdir:?}/tests/cli/ranks_rig.sh"
MMCORE_BACKENDS=$modules

run --ini "$ini" --out "$work/one" --set learner.iterations="$long"
check "a run of one rank" exits 0
figures "$work/one" >"$work/figures_one"
for n in 2 4; do
	ranks $n --ini "$ini" --out "$work/of$n" --set learner.iterations="$long"
	check "$n ranks: a run succeeds" exits 0
	check "$n ranks: one of them says so" once out "finished after $long iterations"
	check "$n ranks: and what it begins with" once err "the run ends after $long iterations"
	check "$n ranks: their number is told" once err "$n ranks, the first with 1 thread"
	check "$n ranks: and what they send" once err "each of $n ranks sent about"
	check "$n ranks: the checkpoint of one" cmp "$(checkpoint "$work/of$n" "$long")" "$(checkpoint "$work/one" "$long")"
	figures "$work/of$n" >"$work/figures"
	check "$n ranks: the metrics of one" cmp "$work/figures" "$work/figures_one"
	check "$n ranks: its best checkpoint" cmp "$work/of$n/best.safetensors" "$work/one/best.safetensors"
done
check "the same files, too" [ "$(cd "$work/of2" && find . | sort | tr '\n' ' ')" = "$(cd "$work/one" && find . | sort | tr '\n' ' ')" ]

last=$((long + 5))
ranks 4 --ini "$ini" --out "$work/of2" --resume --set learner.iterations="$last"
check "four ranks go on with a run of two" says err "resuming after $long iterations"
run --ini "$ini" --out "$work/of4" --resume --set learner.iterations="$last"
check "one goes on with a run of four" says err "resuming after $long iterations"
run --ini "$ini" --out "$work/straight" --set learner.iterations="$last"
check "one alone, all the way" exits 0
check "four after two have its bits" cmp "$(checkpoint "$work/of2" "$last")" "$(checkpoint "$work/straight" "$last")"
check "one after four, too" cmp "$(checkpoint "$work/of4" "$last")" "$(checkpoint "$work/straight" "$last")"

# ---------------------------------------------------------------- refused
refused() {
	check "$1: status 2" exits 2
	check "$1: one line" [ "$(grep -c '^mmcore' "$work/err")" -eq 1 ]
	check "$1: with the reason" says err "$2"
	check "$1: nothing is written" [ ! -e "$work/none" ]
}
ranks 3 --ini "$ini" --out "$work/none"
refused "three ranks" "8 chunks, which 3 ranks cannot share"
ranks 2 --ini "$ini" --set run.chunk=16 --out "$work/none"
refused "one chunk" "1 chunks, which 2 ranks cannot share"
ranks 2 --ini "$ini" --set learner.batchh=16 --out "$work/none"
refused "an unknown key" "unknown key"
# mixed ARGUMENT...: two ranks, the second with more arguments.
mixed() {
	status=0
	timeout 300 "$MMCORE_MPIRUN" -n 1 "$MMCORE_PROGRAM" --ini "$ini" --out "$work/none" : -n 1 "$MMCORE_PROGRAM" --ini "$ini" --out "$work/none" "$@" \
		>"$work/out" 2>"$work/err" </dev/null || status=$?
}
mixed --set learner.z_steps=3
refused "ranks with other settings" "rank 1 has other settings than rank 0"
mixed --set m1.root="$work"
refused "a rank without data" "rank 1: [m1]"

# ---------------------------------------------------------------- the runs of a grid
ranks 2 ablate --ini "$ini" --sweep learner.z_steps=0,1,2 --set learner.iterations=8 --out "$work/grid"
check "two ranks share out a grid" exits 0
check "one of them makes the tables" once out "summary    $work/grid/summary.csv"
check "of all runs" [ "$(grep -c '",finished,' "$work/grid/runs.csv")" -eq 3 ]
check "each run is one rank's" [ "$(cat "$work/grid"/*/log.txt | grep -c 'the run ends after 8 iterations')" -eq 3 ]
ranks 2 ablate --ini "$ini" --sweep learner.z_steps=0,1,2 --set learner.iterations=8 --part 0/2 --out "$work/grid"
check "parts of ranks' parts are refused" eval 'exits 2 && says err "give one of --part and mpirun"'

# ---------------------------------------------------------------- the end of one
wait_for() { # wait_for FILE SECONDS
	tries=$(($2 * 10))
	while [ ! -e "$1" ] && [ "$tries" -gt 0 ] && kill -0 "$mpirun" 2>/dev/null; do
		sleep 0.1
		tries=$((tries - 1))
	done
	[ -e "$1" ]
}
# other FOLDER: the process that is rank 1 of two; rank 0 has put its number there.
other() {
	first=$(cat "$1/.lock")
	launcher=$(awk '{ print $4 }' "/proc/$first/stat")
	cat /proc/[0-9]*/stat 2>/dev/null | awk -v p="$launcher" -v first="$first" '$4 == p && $1 != first { print $1 }'
}
whole() { "$MMCORE_PROGRAM" info "$1" >"$work/info"; }
# end NAME SIGNAL: two ranks, of which the second gets the signal after a while.
end() {
	"$MMCORE_MPIRUN" -n 2 "$MMCORE_PROGRAM" --ini "$ini" --out "$work/$1" --set learner.iterations=1000000 --set run.grid_interval=1000000 \
		--set run.rank_timeout=3 >"$work/out" 2>"$work/err" </dev/null &
	mpirun=$!
	check "$1: ranks are under way" wait_for "$(checkpoint "$work/$1" 20)" 120
	victim=$(other "$work/$1")
	kill -"$2" "$victim"
	status=0
	wait "$mpirun" || status=$?
	[ "$2" != STOP ] || kill -KILL "$victim" 2>/dev/null
	reached=$(newest "$work/$1")
	check "$1: the newest checkpoint is whole" whole "$(checkpoint "$work/$1" "$reached")"
	check "$1: no temporary is left in its place" [ -z "$(ls -A "$work/$1/checkpoints" | grep -v '^checkpoint-[0-9]*.safetensors$' | grep -v '^\.checkpoint')" ]
}
goes_on() {
	last=$((reached + 2))
	ranks 2 --ini "$ini" --out "$work/$1" --resume --set learner.iterations=$last --set run.grid_interval=1000000
	check "$1: the run goes on" says err "resuming after $reached iterations"
	check "$1: and ends" says out "finished after $last iterations"
}
end killed KILL
check "killed: the launcher's status tells" eval '[ "$status" -ne 0 ]'
goes_on killed
end silent STOP
check "silent: the run ends" exits 1
check "silent: the rank is named" says err "rank 1 has not answered for 3 seconds ([run] rank_timeout)"
check "silent: and the newest checkpoint" says out "checkpoint $(checkpoint "$work/silent" "$reached")"
goes_on silent
end told TERM
# The first rank got no signal itself: it is as if interrupted.
check "told: all ranks stop at one iteration" exits 130
check "told: with a checkpoint of it" says out "interrupted after $reached iterations"
finish
