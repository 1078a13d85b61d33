#!/bin/sh
# nccl.sh - gradients from card to card by NCCL, as a user runs it, with an emulated NCCL between emulated devices: the bits of one rank,
# what goes which way, and what is told where it cannot be had or fails.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
. "${srcdir:?}/tests/cli/ranks_rig.sh"
mkdir "$work/modules" "$work/broken" "$work/tmp"
ln -s "$PWD/core/comm/.libs/comm-mpi.so" "$PWD/tests/cuda/.libs/backend-cuda.so" "$work/modules"
echo "no library" >"$work/broken/libnccl.so.2"
MMCORE_BACKENDS=$work/modules EMU_DEVICES=4 LD_LIBRARY_PATH=$PWD/tests/cuda/nccl/.libs EMU_NCCL_COUNTS=$work/counts TMPDIR=$work/tmp
export MMCORE_BACKENDS EMU_DEVICES LD_LIBRARY_PATH EMU_NCCL_COUNTS TMPDIR

# Four chunks of two. All four models learn, generator and inference of losses with several chains.
sed "s/^warmup = 5/warmup = 1/; s/_steps = 2/_steps = 1/; s/^limit = .*/limit = 40/; s/^grid_columns = .*/grid_columns = 1/" "$work/tiny.ini" >"$work/ranks.ini"
ini=$work/ranks.ini
cat >>"$ini" <<END
[run]
device = cuda
device_chunk = 2
precision = float32
[data]
hide = 0.2
[energy]
match = towers
END
long=2
by_nccl="gradients go from card to card by NCCL 2.28.9"
by_hosts="gradients go from card to card through the memory of hosts: "
counted() { [ -e "$work/counts" ] && [ "$(wc -l <"$work/counts")" -eq "$1" ]; }
# Of a line of counts: rank, swaps, bytes, swaps that were queued before the last was done.
each() { awk "!($1) { bad = 1 } END { exit bad || !NR }" "$work/counts"; }

run --ini "$ini" --out "$work/one" --set learner.iterations=$long
check "a run of one rank" exits 0
for n in 2 4; do
	rm -f "$work/counts"
	ranks $n --ini "$ini" --out "$work/of$n" --set learner.iterations=$long
	check "$n ranks: a run succeeds" exits 0
	check "$n ranks: by NCCL, which is told once" once err "$by_nccl"
	check "$n ranks: the checkpoint of one" cmp "$(checkpoint "$work/of$n" $long)" "$(checkpoint "$work/one" $long)"
	check "$n ranks: each counted its swaps" counted $n
	check "$n ranks: the host does not wait for them" each '$4 > 0'
	sent=$(sed -n 's/.* ranks sent about \([0-9.]*\) MB an iteration$/\1/p' "$work/err")
	cp "$work/counts" "$work/counts_of$n"
	# Of the bytes that the run tells of, NCCL has all but some hundreds for sums, and vectors that are compared.
	check "$n ranks: what was sent went by NCCL" each "\$1 || (\$3 / $long / 1e6 > 0.97 * ${sent:-0} && \$3 / $long / 1e6 < 1.001 * ${sent:-0})"
	check "$n ranks: no letters are left" [ -z "$(ls -A "$work/tmp" | grep emu-nccl)" ]
done

# ---------------------------------------------------------------- through the hosts
run --ini "$ini" --out "$work/first" --set learner.warmup=0 --set learner.iterations=1
check "a first iteration" exits 0
# hosts: two ranks do the same.
hosts() { ranks 2 --ini "$ini" --out "$work/hosts" --set learner.warmup=0 --set learner.iterations=1; }
# through NAME TEXT: the run went through the hosts, to the same bits, and one line says why.
through() {
	check "$1: the run succeeds" exits 0
	check "$1: one line says why" [ "$(grep -F "$by_hosts" "$work/err" | grep -cF -- "$2")" -eq 1 ]
	check "$1: nothing goes by NCCL" [ ! -e "$work/counts" ]
	check "$1: the same bits" cmp "$(checkpoint "$work/hosts" 1)" "$(checkpoint "$work/first" 1)"
	rm -rf "$work/hosts" "$work/counts"
}
rm -f "$work/counts"
LD_LIBRARY_PATH=$work/broken hosts
through "no library" "rank 0: $work/broken/libnccl.so.2: "
EMU_DEVICES=1 hosts
through "one card" "ranks 0 and 1 are on one card, which NCCL does not serve; start one for each"
EMU_NCCL=1:begin hosts
through "a rank on which it does not begin" "rank 1: NCCL does not begin: unhandled system error (as planted)"
EMU_NCCL=1:late hosts
through "a rank that fails while another waits for it" "NCCL does not begin: "
EMU_NCCL=0:id hosts
through "no id" "NCCL does not begin: unhandled system error"

# ---------------------------------------------------------------- what fails in the midst of a run
# fails NAME TEXT: the run ends, the text is told once, and it goes on from what it has written.
fails() {
	check "$1: the run ends" eval '[ "$status" -ne 0 ] && [ "$status" -ne 124 ]'
	check "$1: the reason is told" once err "$2"
	reached=$(newest "$work/failing")
	check "$1: there is a checkpoint before it" [ -e "$(checkpoint "$work/failing" "$reached")" ]
	cp "$work/err" "$work/err_$kind"
	rm -rf "$work/failing"
}
for kind in send async; do
	EMU_NCCL=1:$kind:10 ranks 2 --ini "$ini" --out "$work/failing" --set learner.iterations=1000 --set run.checkpoint_interval=1
	text="unhandled system error"
	[ $kind = send ] || text="remote process exited or there was a network error"
	fails "$kind" "rank 1 gave up: NCCL says \"$text (as planted)\""
done
EMU_NCCL=1:stop:10 ranks 2 --ini "$ini" --out "$work/failing" --set learner.iterations=1000 --set run.checkpoint_interval=1 --set run.rank_timeout=5
kind=stop
fails "a rank that does not come" "rank 1 has not answered for 5 seconds ([run] rank_timeout)"
finish
