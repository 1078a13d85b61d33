#!/bin/sh
# faults.sh - commands while the n-th allocation, or the n-th call of some kind on files, fails: none dies, none ends without a
# message, status 0 means that the work is whole, and no run goes on from an older checkpoint than its newest.
#
# Of allocations three failures are tried, of the other kinds one, spread over all calls; MMCORE_POINTS says another number. With
# MMCORE_DENSE = N each of the first N, and every tenth (MMCORE_STRIDE) behind them. MMCORE_FAULTS="COMMAND OP", a pattern, tries
# these alone.
. "${srcdir:?}/tests/cli/tap.sh"
srcdir=$(cd "$srcdir" && pwd) || exit 99
shim=$PWD/tests/faults/.libs/fail.so
seeds=$PWD/tests/fuzz/seeds
dense=${MMCORE_DENSE:-0}
. "$srcdir/tests/cli/toys.sh"
HOME=$work
export HOME
cd "$work" || exit 99
ulimit -c 0

# ---------------------------------------------------------------- what there is to begin with
set -- run.chunk=4 run.grid_interval=3 run.grid_columns=2 run.checkpoint_interval=1 run.checkpoint_keep=99 run.log_interval=1 \
	learner.iterations=6
toys 2 m0.hidden=3 m1.hidden=3 data.holdout=8 run.select=nll "$@" >toys.ini
toys 0 data.root=birds "$@" >birds.ini

# Pictures and captions of the layout cub.
make_birds() {
	mkdir -p seeds/png seeds/jpeg seeds/sound seeds/idx seeds/safetensors seeds/resume birds/images/a birds/text/a
	"$seeds" seeds || return 1
	echo '1 a' >birds/classes.txt
	for i in 1 2 3 4 5 6 7 8; do
		cp seeds/png/wide.png birds/images/a/b$i.png
		echo "a red bird, number $i" >birds/text/a/b$i.txt
		echo "$i a/b$i.png" >>birds/images.txt
		echo "$i $((i > 2))" >>birds/train_test_split.txt
		echo "$i 1" >>birds/image_class_labels.txt
	done
	cat >>birds.ini <<-END
	[img]
	plugin = img.so
	broken = skip
	size = 32
	width = 2
	energy_channels = 2
	[txt]
	plugin = txt.so
	length = 8
	dim = 4
	min_count = 1
	END
}

: >out >err
status=0
make_birds >out 2>err || status=$?
check "pictures and captions are made" exits 0
run --ini toys.ini --out base
check "a run to go on with" exits 0
run judge --ini toys.ini --epochs 1 --out judge.safetensors
check "a judge" exits 0
run --ini birds.ini --out flock --set learner.iterations=2
check "a run on pictures and captions" exits 0
printf 'm0,m1\n"1 0 1 0 1 0 1 0",1 1 1 1 1 1 1 1\n' >list.csv

# ---------------------------------------------------------------- the commands: each is told what runs it
last=8
train() { "$@" train --ini toys.ini --out run --set learner.iterations=$last; }
resume() { "$@" train --resume --out run --set learner.iterations=$last; }
birds() { "$@" train --ini birds.ini --out run --set learner.iterations=2; }
sample() { "$@" sample --ckpt base --count 2 --grid result/sheet.png --out result; }
translate() { "$@" translate --ckpt base --given m0 --test 0,1 --out result; }
words() { "$@" translate --ckpt flock --given txt='a red bird' --x-steps 0 --out result; }
score() { "$@" score --ckpt base --list list.csv; }
eval_() { "$@" eval --ckpt base --judge judge.safetensors --count 16 --only coherence,conditional --out result; }
info() { "$@" info --tensors base/best.safetensors; }
plugins() { "$@" plugins; }
report() { "$@" report base --out result/page.html; }
judge() { "$@" judge --ini toys.ini --epochs 1 --out result/judge.safetensors; }
encode() { "$@" encode --ckpt base --out result; }
fit_prior() { "$@" fit-prior --ckpt base --components 2 --out result/fitted.safetensors; }
trace() { "$@" trace --ckpt base --tuples 2 --out result; }
interpolate() { "$@" interpolate --ckpt base --from 0 --to 1 --steps 3 --grid result/way.png; }
ablate() {
	"$@" ablate --ini toys.ini --sweep learner.x_steps=0,1 --set learner.iterations=2 --set run.grid_interval=2 --out result/grid
}
new_plugin() { MMCORE_TEMPLATE=$srcdir/sdk/template "$@" new-plugin smell result/smell; }
validate() { "$@" validate "$MMCORE_TEST_PLUGINS/toy.so" --only load --only instance --only networks; }
bench() { "$@" bench noise --threads 1 --repeat 1 --json result/bench.json; }

prepare() {
	rm -rf run result
	mkdir result
	[ "$1" != resume ] || cp -r base run
}

# What must be there when all is well: files of the command's own, and of a run its checkpoints. What tells the time is left out.
files_of() {
	(cd "$1" && find . -type f ! -name '.*' ! -name log.txt ! -name metrics.csv ! -name runs.csv ! -name summary.csv \
		! -name figures.csv ! -name bench.json -exec cksum {} + | sort -k 3)
}

count_calls() {
	status=0
	env LD_PRELOAD="$shim" FAIL_COUNT="$work/count" "$MMCORE_PROGRAM" "$@" >out 2>err </dev/null || status=$?
}
errno_of() {
	case $1 in
	write | mkdir | rename | fwrite) echo 28 ;; # ENOSPC
	open | fopen | opendir) echo 24 ;;           # EMFILE
	*) echo 5 ;;                                 # EIO
	esac
}

fail_at() {
	op=$1 n=$2
	shift 2
	status=0
	timeout -k 1 30 env LD_PRELOAD="$shim" FAIL_OP="$op" FAIL_N="$n" FAIL_ERRNO="$(errno_of "$op")" \
		"$MMCORE_PROGRAM" "$@" >out 2>err </dev/null || status=$?
}
with_failure() { fail_at "$op" "$n" "$@"; }

# ---------------------------------------------------------------- what is looked at
bad() { echo "$op $n of $total: $1 (status $status)" >>faults; sed 's/^/    /' err | tail -n 3 >>faults; }

# Checkpoints are those of the undisturbed run, to the byte, or not there (a resumed one that went back writes what the whole run
# would have written); a run that goes on does so from its newest.
check_run() {
	for file in run/checkpoints/*.safetensors; do
		[ ! -e "$file" ] || cmp -s "$file" "whole/$1/run/checkpoints/${file##*/}" ||
			cmp -s "$file" "whole/train/run/checkpoints/${file##*/}" || bad "$file is another"
	done
	if [ "$1" = resume ] && [ "$op" = alloc ]; then
		from=$(sed -n 's/^.*resuming after \([0-9]*\) iterations.*$/\1/p' err)
		[ -z "$from" ] || [ "$from" -eq 6 ] || bad "resumed from $from"
	fi
}

check_whole() {
	# A run can do without its sheets, if that is told; a page without a picture and a list without a folder, but not for want of
	# memory.
	told=
	case "$1 $op" in
	'report alloc' | 'plugins alloc') ;;
	train\ * | resume\ * | birds\ * | ablate\ * | report\ * | plugins\ *) told=$(grep -m 1 '^mmcore: warning: ' err) ;;
	esac
	[ -n "$told" ] || [ "$1" = bench ] || cmp -s out "whole/$1/out" || bad "its output is another"
	files_of result >files
	[ -n "$told" ] || cmp -s files "whole/$1/files" || bad "its files are others"
	[ ! -d "whole/$1/run" ] || [ -e "run/checkpoints/$(ls "whole/$1/run/checkpoints" | tail -n 1)" ] ||
		bad "the last checkpoint is not there"
	# What is secondary may be missing when it was told.
	if [ -d "whole/$1/run" ] && ! grep -q '^mmcore: warning: ' err; then
		cut -d, -f1,3- run/metrics.csv >metrics
		cmp -s metrics "whole/$1/metrics" || bad "metrics are others, and nothing was said"
		[ "$(ls run/grids)" = "$(ls "whole/$1/run/grids")" ] || bad "sheets are missing, and nothing was said"
	fi
}

look() {
	[ ! -d "whole/$1/run" ] || check_run "$1"
	[ "$1" != validate ] || ! grep -q '^crashed' out || bad "a test of its crashed"
	case $status in
	0) check_whole "$1" ;;
	1 | 2) grep -q '^mmcore: .' err || { [ "$1" = validate ] && grep -q '^failed  .' out; } || bad "no message" ;;
	*) bad "it died" ;;
	esac
}

# Undisturbed, what is left goes on to the same end.
goes_on() {
	[ -d "whole/$1/run" ] && [ -e run/run.ini ] || return 0
	run train --resume --out run --set learner.iterations="$(ls "whole/$1/run/checkpoints" | sed -n 's/^checkpoint-0*\([0-9]*\).*$/\1/p' | tail -n 1)"
	[ "$status" -eq 0 ] || bad "afterwards it does not go on"
	final=$(ls "whole/$1/run/checkpoints" | tail -n 1)
	cmp -s "run/checkpoints/$final" "whole/$1/run/checkpoints/$final" || bad "afterwards it goes on to another end"
	[ -z "$(find run -name '.*.tmp-*')" ] || bad "temporaries are left"
}

# ---------------------------------------------------------------- sweeps
remember() {
	prepare "$1"
	"$1" count_calls
	mkdir -p "whole/$1"
	cp out count "whole/$1"
	files_of result >"whole/$1/files"
	[ ! -d run ] || { cp -r run "whole/$1/run" && cut -d, -f1,3- run/metrics.csv >"whole/$1/metrics"; }
	check "$1: undisturbed" exits 0
}

# Which calls are to fail, of so many.
chosen() {
	points=1
	[ "$op" != alloc ] || points=3
	awk -v total="$1" -v dense="$dense" -v stride="${MMCORE_STRIDE:-10}" -v points="${MMCORE_POINTS:-$points}" 'BEGIN {
		step = dense ? stride : int(total / points) + 1
		for (n = dense ? 1 : 1 + int(step / 2); n <= total; n += n < dense ? 1 : step)
			print n
	}'
}

# sweep COMMAND OP...
sweep() {
	what=$1
	shift
	for op; do
		# shellcheck disable=SC2254 # a pattern
		case "$what $op" in ${MMCORE_FAULTS:-*}) ;; *) continue ;; esac
		: >faults
		tried=0
		total=$(sed -n "s/^$op //p" "whole/$what/count")
		for n in $(chosen "$total"); do
			prepare "$what"
			"$what" with_failure # $op $n
			look "$what"
			tried=$((tried + 1))
			if [ "$dense" -eq 0 ] || [ $((n % 10)) -eq 0 ]; then
				goes_on "$what"
			fi
		done
		status=0
		cp faults out && : >err
		check "$what: $tried of $total $op fail" [ ! -s faults ]
	done
}

mkdir whole
every="alloc open fopen read pread write short full interrupted fsync rename mkdir close pthread_create"
for command in train resume birds sample translate words score eval_ info plugins report judge encode fit_prior \
	trace interpolate ablate new_plugin validate bench; do
	remember $command
done
# shellcheck disable=SC2086 # a list
sweep train $every link unlink ftruncate flock opendir fclose
# shellcheck disable=SC2086
sweep resume $every link unlink ftruncate flock opendir fclose
sweep birds alloc open fopen read opendir pthread_create
for command in sample translate words eval_ encode fit_prior judge report trace interpolate ablate new_plugin; do
	sweep $command alloc open fopen read pread write full fsync rename mkdir close fwrite
done
for command in score info plugins validate bench; do
	sweep $command alloc open fopen read pread opendir
done
finish
