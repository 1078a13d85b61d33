#!/bin/sh
# onednn.sh - runs whose products in bfloat16 are oneDNN's: the same bits for any number of threads and after a stop, who computes is
# told and remembered, and what is said where the module is missing or does not open.
. "${srcdir:?}/tests/cli/tap.sh"
. "${srcdir:?}/tests/cli/train_rig.sh"
modules=$PWD/core/backend/onednn/.libs
unset MMCORE_ISA
sed 's/^threads = 2/threads = 2\nprecision = bfloat16\nchunk = 4/' "$work/tiny.ini" >"$work/bf16.ini"
ini=$work/bf16.ini
onednn() { MMCORE_ISA=onednn run "$@"; }

run --version
if ! grep -q '^bfloat16  *\(avx512bf16\|oneDNN\)' "$work/out"; then
	echo "1..0 # SKIP this processor, or this build, has no AVX512-BF16"
	exit 0
fi

# ---------------------------------------------------------------- without the module
export MMCORE_BACKENDS="$work"
onednn --ini "$ini" --out "$work/none"
check "no module: the run goes on" exits 0
check "no module: one line says so, and who computes" [ "$(grep -c "precision = bfloat16: MMCORE_ISA=onednn, but there is no backend-onednn.so in $work; configure --with-onednn (Debian: libdnnl-dev); products by avx512bf16" "$work/err")" -eq 1 ]
echo "no library" >"$work/backend-onednn.so"
onednn bench noise --precision bfloat16 --threads 1 --repeat 1
check "a module that does not open: work goes on" exits 0
check "a module that does not open is named" says err "$work/backend-onednn.so: "
check "and who computes" says err "; products by avx512bf16"
rm "$work/backend-onednn.so"
LD_DEBUG=files run --ini "$ini" --set run.precision=float32 --set learner.iterations=2 --out "$work/floats"
check "float32 opens no oneDNN" eval '! grep -q "libdnnl\|backend-onednn" "$work/err"'

if [ ! -e "$modules/backend-onednn.so" ]; then
	tests=$((tests + 1))
	echo "ok $tests - oneDNN # SKIP configure found no oneDNN"
	finish
	exit
fi
if [ -n "${TSAN_OPTIONS-}" ]; then
	tests=$((tests + 1))
	echo "ok $tests - oneDNN # SKIP ThreadSanitizer does not see into the code that oneDNN makes"
	finish
	exit
fi

# ---------------------------------------------------------------- with it
MMCORE_BACKENDS=$modules
onednn --version
check "the version names it" grep -q '^bfloat16   oneDNN [0-9]*\.[0-9]*\.[0-9]* (' "$work/out"
onednn bench kernels --precision bfloat16 --threads 1 --repeat 1
check "bench names it" grep -q 'oneDNN [0-9.]* (.*) kernels;' "$work/out"
check "and its kernels" says out " product/onednn-bf16 "
run bench kernels --precision bfloat16 --threads 1 --repeat 1
check "without AMX it is taken on request only" eval 'grep -q amx_bf16 /proc/cpuinfo || ! grep -q onednn "$work/out"'

onednn --ini "$ini" --out "$work/a"
check "a run succeeds" exits 0
check "it says who computes" grep -q 'precision = bfloat16: products by oneDNN [0-9.]* (' "$work/err"
# The header names settings, among them the number of threads; the data follows it.
data_of() { tail -c +$(($(od -An -tu8 -N8 "$1") + 9)) "$1"; }
data_of "$(checkpoint "$work/a" 20)" >"$work/data_2"
check "there is data behind the header" [ -s "$work/data_2" ]
for threads in 1 3; do
	onednn --ini "$ini" --out "$work/t$threads" --set run.threads=$threads
	data_of "$(checkpoint "$work/t$threads" 20)" >"$work/data_t"
	check "$threads threads give the bits of 2" cmp "$work/data_2" "$work/data_t"
done
OMP_NUM_THREADS=3 onednn --ini "$ini" --out "$work/omp"
check "OpenMP's number of threads changes nothing" cmp "$(checkpoint "$work/a" 20)" "$(checkpoint "$work/omp" 20)"
onednn --ini "$ini" --out "$work/b" --set learner.iterations=30
onednn --ini "$ini" --out "$work/a" --resume --set learner.iterations=30
check "a run that was resumed has the bits of one that was not" cmp "$(checkpoint "$work/a" 30)" "$(checkpoint "$work/b" 30)"
check "nothing is said of another build" eval '! says err "not bit for bit"'
check "they are other bits than those of our own kernels" eval '! cmp -s "$(checkpoint "$work/a" 20)" "$(checkpoint "$work/none" 20)"'
MMCORE_ISA=avx512bf16 run --ini "$ini" --out "$work/b" --resume --set learner.iterations=32
check "going on without it: the run succeeds" exits 0
check "going on without it: a warning names both" grep -q 'made by .*/oneDNN [0-9.]* (.*), this is .*/avx512bf16: results go on, but not bit for bit' "$work/err"
finish
