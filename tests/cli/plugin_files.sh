#!/bin/sh
# plugin_files.sh - which plugins a run has, in which order, and who chooses the file: never a checkpoint. MMCORE_TEST_PLUGINS: the folder of the test plugins.
. "${srcdir:?}/tests/cli/tap.sh"
: "${MMCORE_TEST_PLUGINS:?is set by make check}"
unset MMCORE_PLUGIN_PATH
HOME=$work
export HOME
cd "$work" || exit 99
mkdir code
cp "$MMCORE_TEST_PLUGINS/toy.so" code

cat >run.ini <<END
[run]
threads = 1
grid_interval = 1000
[seen]
hidden = 5
[learner]
iterations = 2
warmup = 1
batch = 8
latent_dim = 3
z_steps = 1
x_steps = 1
[felt]
plugin = code/toy.so
[energy]
nef = 4
END
modalities() { grep -a -o '"modalities":"[^"]*"' "$1"/checkpoints/*2.safetensors; }

run --ini run.ini --plugin seen=code/toy.so --out a
check "a run whose first section has its plugin from the command line" exits 0
check "keeps the order of the INI's sections" [ "$(modalities a)" = '"modalities":"seen,felt"' ]
check "and says nothing of it" eval '! says err "no section"'
run --ini a/run.ini --out b
check "its run.ini trains again" exits 0
check "in the same order" [ "$(modalities b)" = '"modalities":"seen,felt"' ]
same_metrics() { [ "$(cut -d, -f1,3- a/metrics.csv)" = "$(cut -d, -f1,3- b/metrics.csv)" ]; }
check "with the same metrics" same_metrics
run --ini run.ini --plugin seen=code/toy.so --plugin fellt=code/toy.so --out c
check "a name that is no section is a further modality" [ "$(modalities c)" = '"modalities":"seen,felt,fellt"' ]
check "of which a warning tells" says err "--plugin fellt=...: run.ini has no section [fellt]"

run sample --ckpt a --count 1 --out s
check "a checkpoint does not run the file it was trained with" exits 2
check "which the message tells how to allow" says err "plugin toy.so was not found; give its path (with a slash; --plugin [NAME=]FILE)"
run sample --ckpt a --count 1 --out s --plugin seen=code/toy.so --plugin felt=code/toy.so
check "with the option it is used" exits 0
run sample --ckpt a --count 1 --out t --set run.plugin_path="$work/code"
check "and with a search path" exits 0
run sample --ckpt a --count 1 --out u --plugin other=code/toy.so
check "a name that the checkpoint does not know is refused" says err 'the checkpoint has no modality "other"; it has seen,felt'
check "with status 2" exits 2

no_paths() { ! grep -a -q "$work" a/checkpoints/*2.safetensors; }
check "a checkpoint names no plugin by its path" no_paths

TMPDIR=$work/nowhere
export TMPDIR
run sample --ckpt a --count 1 --out v --set run.plugin_path="$work/code"
check "reopening needs no temporary files" exits 0
finish
