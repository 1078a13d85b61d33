#!/bin/sh
# compare.sh - the comparison with PyTorch: what it runs, its medians, ratios and table, with programs of given times in place of
# both sides; and the work in PyTorch itself, where there is one.
. "${srcdir:?}/tests/cli/tap.sh"
compare=$srcdir/tests/bench/compare.py
if ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 7))' 2>/dev/null; then
	echo "1..0 # SKIP no Python 3.7"
	exit 0
fi

# Both write figures as the real ones do. Ours: 10 ms, 8 in bfloat16. PyTorch's: 1 s in a trial, then 30, 20, 50 ms by turns.
cat >"$work/mmcore" <<'END'
#!/bin/sh
echo "mmcore $*" >>"$here/calls"
[ "$1" = --version ] && { printf 'mmcore 9\nbuild      mmcore 9, cc 1, cpu/test\n'; exit; }
cpu=0.010
case "$*" in *bfloat16*) cpu=0.008 ;; esac
for json; do :; done
cat >"$json" <<JSON
{"processor": "a processor", "isa": "test", "figures": [{"name": "peak", "flops": 4e9, "median_s": 1, "best_s": 1, "cpu_s": 1},
 {"name": "$2", "median_s": 7, "cpu_s": $cpu, "flops": 2e7, "resident_peak_bytes": 170e6}]}
JSON
END
cat >"$work/python" <<'END'
#!/bin/sh
[ "$1" = -c ] && exit 0
shift
echo "torch $*" >>"$here/calls"
case "$*" in
*--variant*) n=$(($(cat "$here/n" 2>/dev/null || echo 0) % 3 + 1)); echo $n >"$here/n"; cpu=$(echo 0.030 0.020 0.050 | cut -d' ' -f $n) ;;
*) cpu=1 ;;
esac
for json; do :; done
cat >"$json" <<JSON
{"torch": "8.1", "onednn": "7.2", "isa": "WIDE", "skipped": {"compiled": "no compiler"},
 "figures": [{"name": "$1", "variant": "its best way", "median_s": 9, "cpu_s": $cpu, "resident_peak_bytes": 340e6}]}
JSON
END
chmod +x "$work/mmcore" "$work/python"
here=$work
export here

# compares ARGUMENT...: leaves $status, $work/out and $work/err.
compares() {
	status=0
	rm -f "$work/n" "$work/calls"
	python3 "$compare" --mmcore "$work/mmcore" --python "$work/python" "$@" >"$work/out" 2>"$work/err" || status=$?
}
called() { [ "$(grep -c "^$2" "$work/calls")" -eq "$1" ]; }

compares posterior --threads 1 --precision float32
check "a comparison succeeds" exits 0
check "a row has medians, the ratio with its spread, and what is asked" says out "| posterior | 10 ms | 30 ms | 3.00 (2.00-5.00) | 2.5 |"
check "a row of memory" says out "| memory, posterior | 170 MB | 340 MB | 2.0 | at most 166 MB |"
check "the processor and the load are told" grep -Eq '^a processor .*threads 1, clock cpu, 3 rounds of 5; load [0-9.]+ to [0-9.]+$' "$work/out"
check "our version and instruction set are told" says out "mmcore: mmcore 9, cc 1, cpu/test; test"
check "PyTorch's versions are told" says out "PyTorch 8.1, oneDNN 7.2, WIDE; torch.compile not tried"
check "PyTorch's best way is told" says out "PyTorch's best is its best way; mmcore at 50 % of its peak"
check "what could not be tried is told, with the reason" says out "not tried: compiled: no compiler"
check "what was missed is told" grep -q '^missed: memory of posterior in float32$' "$work/out"
check "with one thread PyTorch is tried once, then timed in each round" called 4 "torch posterior"
check "the way that was best is the one that is timed" called 3 "torch .*--variant posterior=its best way"
check "we are timed in each round" called 3 "mmcore bench posterior"

compares energy noise --threads 1 --json "$work/figures.json"
check "energy in both precisions: times, ratios, what bfloat16 gains" \
	grep -Eq '^\| energy \| 10 ms \| [0-9]+ ms \| [^|]* \| 2.8 \| 8 ms \| [0-9]+ ms \| [^|]* \| 2 with AMX \| 1.25 \(1.25-1.25\) \| 1.5 without AMX \|$' "$work/out"
check "noise has no bfloat16" grep -Eq '^\| noise \| 10 ms \| [^|]* \| [^|]* \| 8 \|( +\|){6}$' "$work/out"
check "bfloat16 is asked of both" eval 'called 3 "mmcore bench energy .*--precision bfloat16" && called 4 "torch energy .*--precision bfloat16"'
same_columns() { [ "$(grep '^|' "$work/out" | tr -cd '|\n' | sort -u | wc -l)" -eq 1 ]; }
check "all rows have as many columns" same_columns
check "all figures are in the report" python3 -c "
import json, sys
rounds = json.load(open(sys.argv[1]))['energy']['bfloat16']['rounds']
assert len(rounds) == 3 and rounds[0]['mmcore']['cpu_s'] == 0.008" "$work/figures.json"

compares posterior --threads 2 --precision float32 --rounds 1
check "with two threads times are the wall's" says out "| posterior | 7000 ms | 9000 ms | 1.29 (1.29-1.29) |"
check "and PyTorch's ways of waiting are tried" called 4 "torch posterior .*--trials 1 --precision float32 --json"
compares iteration --threads 1 --rounds 1 --ini some.ini --set learner.batch=8
check "an iteration's settings go to both, with the precision" \
	eval 'called 1 "mmcore bench iteration .*--ini some.ini --set learner.batch=8 --set run.precision=bfloat16" && called 4 "torch iteration .*--ini some.ini --set learner.batch=8"'
compares noise --threads 1 --rounds 1 --eager
check "what leaves torch.compile out reaches PyTorch" called 2 "torch noise .*--eager"
compares iteration
check "an iteration without settings: status 2" exits 2
compares nonesuch
check "unknown work is named with what there is" says err "unknown work nonesuch; there are posterior, energy, noise, iteration"
compares noise --python "$work/absent"
check "no PyTorch: the interpreters are named" says err "no PyTorch in $work/absent; --python names"
printf '#!/bin/sh\nexit 3\n' >"$work/mmcore"
compares noise --threads 1
check "a side that fails is named" says err "failed with status 3"

# ---------------------------------------------------------------- the work in PyTorch
status=0
for torch in python3 /usr/bin/python3 none; do
	"$torch" -c 'import torch' 2>/dev/null && break
done
if [ "$torch" = none ]; then
	tests=$((tests + 1))
	echo "ok $tests - the work in PyTorch # SKIP python3 has no PyTorch"
	finish
	exit
fi
: >"$work/out" >"$work/err"
"$torch" "$srcdir/tests/bench/torch_bench.py" noise --threads 1 --repeat 1 --trials 1 --variant "noise=buffer, eager" \
	--json "$work/torch.json" >"$work/out" 2>"$work/err" || status=$?
check "noise runs in PyTorch" exits 0
check "its report has a time, memory and versions" python3 -c "
import json, sys
r = json.load(open(sys.argv[1]))
assert r['torch'] and r['isa'] and r['figures'][0]['cpu_s'] > 0 and r['figures'][0]['resident_peak_bytes'] > 1e6" "$work/torch.json"
status=0
"$torch" "$srcdir/tests/bench/torch_bench.py" noise --threads 1 --repeat 1 --variant noise=nonesuch >"$work/out" 2>"$work/err" || status=$?
check "an unknown variant is refused" says err "no variant of noise is called nonesuch"
finish
