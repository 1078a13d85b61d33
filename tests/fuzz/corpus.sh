#!/bin/sh
# corpus.sh - makes what the harnesses begin with: corpus.sh FOLDER. By the program itself (MMCORE_PROGRAM, MMCORE_TEST_PLUGINS),
# tests/fuzz/seeds (FUZZ_SEEDS) and a few lines of text; one folder a harness.
set -eu
out=${1:?a folder}
program=${MMCORE_PROGRAM:?is set by make check}
srcdir=$(cd "${srcdir:?is set by make check}" && pwd)
here=$srcdir/tests/fuzz
. "$srcdir/tests/cli/toys.sh"
for harness in captions csv elf entries files idx ini jpeg judge list model png prior ranks report resume safetensors set sound state value vectors view; do
	mkdir -p "$out/$harness"
done
out=$(cd "$out" && pwd)
"${FUZZ_SEEDS:?is set by make check}" "$out"
cd "$out"

# put HARNESS/NAME FORMAT: bytes as printf writes them. Parts end with \036.
put() {
	# shellcheck disable=SC2059 # formats are what it is for
	printf "$2" >"$1"
}

# ---------------------------------------------------------------- texts
put ini/values '[a]\ns = "x;y"\ni=3\nf = 1e-3\nb = yes\np = x/y ; c\nc = laplace\nl = laplace(0.5)\n[learner]\nx_step = auto(0.02)\n'
put ini/windows '\357\273\277[run]\r\nseed = 7\r\n[learner]\r\nbatch = 8 ; c\r\n'
cp "$srcdir"/configs/*.ini ini
put set/one 'a.s=x'
put set/call 'a.l=laplace(0.5)'
put set/auto 'learner.x_step=auto(0.02)'
put set/many 'learner.batch=8\036learner.z_step=0.1\036a.c=laplace\036energy.match=towers'
put set/minutes 'run.minutes=1.5\036run.clock=cpu'
put set/path 'a.p=../x'
put set/objective 'learner.objective=mopoe\036sample.latent_steps=3\036translate.candidates=4'
i=0
for value in 12 -1.5e-3 yes 'auto(0.02)' 'laplace( 0.75 )' 0,3,7 learner.x_steps=0,10,30 'm0.likelihood=gaussian(1),laplace(2)' \
	'a.b=../../x,/etc' "\"q'" '{label}_{group}_{}
7_jackson_32' 'a{}b
axxb' validation; do
	i=$((i + 1))
	put value/$i '%s'
	printf '%s' "$value" >value/$i
done
put csv/metrics 'iteration,seconds,"a,b",loss\n1,0.5,3,4\n2,0.6,"x""y",5\n60,1,2,3\n'
put csv/figures 'name,value\nwindow,0.1\nloss,3\n'
put csv/windows '\357\273\277m0,m1\r\n"a\nb",c\r\n'
put list/csv '0m0,m1,note\n1 0 1 0 1 0 1 0,a.txt,x\n@a.txt,"1 1 1 1 1 1 1 1",y\n'
put list/quoted '0m1,m0\r\n"""1 0 1 0 1 0 1 0""",1 1 1 1 1 1 1 1\r\n'
put list/words '1m0=1 0 1 0 1 0 1 0\036m1=a.txt,a.txt'
put list/twice '1m0=a.txt\036m0=a.txt\036m1="0 0 0 0 0 0 0 0"'
put report/small '{"split":"test","count":7,"figures":[{"figure":"coherence","of":"m0 -> m1","variant":"generator","value":0.5},{"figure":"nll","of":"m0","variant":"","value":null,"why":"no judge"}]}'

# ---------------------------------------------------------------- captions: cub, folders, coco; captions each, first, join
put captions/cub '\0001 a/b.jpg\n2 a/c.png\n\0361 1\n2 0\n\0361 1\n2 2\n\0361 x\n2 y\n\036a red bird\nthe blue, bird isn'"'"'t "big"\n\n'
put captions/cub-join '\0061 a/b.jpg\n\0361 1\n\036\036\036\303\244 r\377ed\tbird\n'
put captions/cub-first '\003\357\273\2771 a/b.jpg\r\n\0361 1\r\n\0361 3\r\n\0363 z\r\n\036one\r\ntwo\r\n'
put captions/folders '\001'
put captions/folders-join '\007'
for i in 1 0 1 0 1 0 1 0 9 10 11 12 13 14 15 16 17 18 19 20; do
	echo "caption $i of a bird" >>captions/folders
	printf 'bird, %s\r\n' $i >>captions/folders-join
done
put captions/coco '\002{"images":[{"id":1,"file_name":"a.jpg"},{"id":9007199254740993,"file_name":"b/c.jpg"}],"annotations":[{"image_id":1,"id":5,"caption":"a cat"},{"image_id":9007199254740993,"id":"x","caption":"a dog \\u00e4 \\ud83d\\ude00"}]}'
put captions/coco-join '\010{"images":[{"id":"7","file_name":"a.jpg"}],"annotations":[{"image_id":7,"id":6,"caption":null},{"image_id":7,"id":5,"caption":"two\\nlines"}]}'

# ---------------------------------------------------------------- other ranks: how many, which is here, calls and answers
put ranks/agree '\000\001\000\000\006\000\000\000no space\000\000\001\000'
put ranks/sums '\003\002\001\002\000\000\000\000\000\000\360\077\002\005\001\007'
put ranks/runs '\001\000\003\000\001\002\003\003\002\001\003\000\001\002'

# ---------------------------------------------------------------- own data: column, what names say, patterns of tests; table
put entries/csv '\000\036\036\036\036image,caption,label,split,group\na.png,"a cat, red",cat,train,g\nb/c.png,a dog,dog,test,h\n'
put entries/tabs '\004\036{label}_{}\036c*\036\036file\tkey\n1_a.png\tx\n2_b.png\ty\n'
put entries/column '\022photo\036\036\036g1\036photo;speaker\r\n"a ""b"".jpg";g1\r\nc.jpg;g2\r\n'
put entries/lines '\001\036\036\036\036{"image":"a.png","caption":"a cat","label":"cat","split":"train"}\n{"image":"b.png","caption":"a dog \\u00e4","label":3,"split":"test"}\n\n'
put entries/lines-text '\025\036\036\036\036{"text":"one","id":1}\n{"text":"two","id":2}\n'
put files/pairs '\000\036\036\036train/a.png\036train/a.txt\036test/b.png\036test/b.txt'
put files/kinds '\002{label}_{}\036\036\036images/a/1_x.png\036texts/a/1_x.txt\036images/b/2_y.JPG\036texts/b/2_y.caption'

# ---------------------------------------------------------------- word vectors, states
put vectors/word2vec '\0003 4\na 1 2 3 4\ncat 0.5 1e-3 -2 0\ndog 0 0 0 0\n'
put vectors/glove '\015a 1 2 3 4\r\nb 1 1 1 1\n'
put vectors/hexadecimal '\000\303\244h 0x1p3 2 3\na b c 1 2 3\n'
put vectors/binary '\0002 3\ncat \000\000\200\077\000\000\000\100\000\000\200\277\ndog \000\000\200\077\000\000\000\100\000\000\200\077\n'
{
	printf '\000'
	printf '3 2\na 1 2\nb 0.5 -1\ncat 1e-3 7\n' | gzip -9n
} >vectors/gzip
put state/onehot '\001\000\044mmtxt 1\n\001\000\000\000\010\000\000\000\000\000\000\000\005\000\000\000\003\000\000\000cat\000dog\000a cat\n'
put state/join '\003\000\044mmtxt 1\n\001\000\000\000\010\000\000\000\000\000\000\000\005\000\000\000\003\000\000\000cat\000dog\000cat\ndog\n\n'
{
	printf '\000\000\164mmtxt 1\n\000\000\000\000\010\000\000\000\004\000\000\000\005\000\000\000\003\000\000\000cat\000dog\000'
	for i in 1 2 3 4 5; do printf '\000\000\200\077\000\000\000\100\000\000\000\000\000\000\000\000'; done
	printf 'cat dog'
} >state/embedding

. "$here/refused.sh"
cp png/* view

# ---------------------------------------------------------------- files of the program's own
toys 2 m0.hidden=3 m1.hidden=3 run.chunk=4 run.grid_interval=1000 data.holdout=8 learner.iterations=6 learner.private_dim=2 >toys.ini
rm -rf run other
mmcore() { "$program" "$@" >made.log 2>&1 || { cat made.log >&2 && exit 1; }; }
mmcore --ini toys.ini --out run
mmcore judge --ini toys.ini --epochs 1 --out toys.judge
mmcore eval --ckpt run --judge toys.judge --count 16 --z-steps 1 --out run/eval
ckpt=$(find run/checkpoints -name '*.safetensors')
mmcore info --strip small.safetensors "$ckpt"
cp small.safetensors model/stripped
mmcore --ini toys.ini --out other --set learner.objective=mopoe --set learner.private_dim=0 --set learner.generator_ema=0.9 --set m0.hidden=1 --set m1.hidden=1
mmcore info --strip model/mopoe "$(find other/checkpoints -name '*.safetensors')"
cp toys.judge judge/toys
mmcore judge --ini toys.ini --epochs 1 --matcher no --out judge/classifiers
cp run/run.ini ini/resolved
cp run/metrics.csv csv/run
cp run/eval/eval.json report/toys
mmcore fit-prior --ckpt small.safetensors --components 2
cp small.safetensors prior/fitted
mmcore fit-prior --ckpt small.safetensors --components 3 --covariance full
cp small.safetensors prior/full
cp "$srcdir/tests/abi/toy-1.0-x86_64.so" elf/toy
for size in 10 64 100 400 4000 12000; do head -c $size elf/toy >elf/cut-$size; done
# Of a judge, texts of the same length: whose it is, what its features are, how good it was, the format.
i=0
for change in 's/org.example/org.exemple/' 's/mmcore judge 1/mmcore judge 9/' 's/"matcher m0 -> m1"/"matcher m0 -> m9"/' 's/"matcher m0"/"matcher m9"/' \
	's/"m0"/"m9"/' 's/"m0":"\([^ ]*\) \([^ ]*\) [a-z]/"m0":"\1 \2 ?/' 's/"matcher m0":"\([^ "]*\) /"matcher m0":"\1_/' 's/0\.[0-9]/0.x/g' 's/"split seed"/"split sxxd"/'; do
	i=$((i + 1))
	LC_ALL=C sed "$change" judge/toys >judge/changed-$i
	LC_ALL=C sed "$change" judge/classifiers >judge/classifiers-$i
done
rm -rf run other toys.ini toys.judge small.safetensors made.log
