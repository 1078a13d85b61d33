#!/bin/sh
# new_plugin.sh - mmcore new-plugin writes a modality that builds without warnings as C and C++, passes every rule, and trains; the
# tutorial of docs/SDK.md does what it says.
. "${srcdir:?}/tests/cli/tap.sh"
srcdir=$(cd "$srcdir" && pwd) || exit 99
. "$srcdir/tests/scaffold/tutorial.sh"
plugins=${MMCORE_TEST_PLUGINS:?is set by make check}
MMCORE_TEMPLATE=$srcdir/sdk/template
export MMCORE_TEMPLATE
cd "$work" || exit 99

# What an author has after make install: the program, pkg-config's answer.
mkdir bin
cat >bin/mmcore <<END
#!/bin/sh
exec '$MMCORE_PROGRAM' "\$@"
END
cat >bin/pkg-config <<END
#!/bin/sh
case \$1 in --variable=plugindir) echo '$work/installed' ;; *) echo '-I$srcdir/sdk/include' ;; esac
END
chmod +x bin/mmcore bin/pkg-config
PATH=$work/bin:$PATH
export PATH
unset CPPFLAGS CFLAGS LDFLAGS

with() { # a command whose output is kept for messages
	status=0
	"$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}

run new-plugin bars bars
check "new-plugin succeeds" exits 0
check "and says what comes next" says out "make -C bars check"
filled() { ! grep -r '@NAME@' bars >/dev/null && [ -f bars/bars.ini ] && [ -f bars/.gitignore ]; }
check "the name is filled in everywhere" filled
with make -C bars CFLAGS='-O2 -Wall -Wextra -Wshadow -Wconversion -Werror' check
check "its make check passes without warnings" exits 0
check "every rule of the ABI with it" says out " passed, 0 failed, 0 crashed, 0 warnings"
for compiler in "gcc -std=c11" "clang -std=c11" "g++ -x c++ -std=c++20" "clang++ -x c++ -std=c++20"; do
	command -v "${compiler%% *}" >/dev/null || continue
	for file in bars/*.c; do
		with $compiler -Wall -Wextra -Wshadow -Wpedantic -Wconversion -Werror -D_GNU_SOURCE "-I$srcdir/sdk/include" -c -o x.o "$file"
		check "$compiler compiles $file without warnings" exits 0
	done
done
lines=$(cat bars/plugin.c bars/data.c bars/networks.c bars/render.c bars/modality.h | sed 's,/\*.*\*/,,' |
	awk '/^\/\*/ { c = 1 } !c && NF { n++ } /\*\// { c = 0 } END { print n }')
check "an author writes at most 150 lines ($lines)" [ "$lines" -le 150 ]
with make -C bars install
check "make install puts it where programs look" [ -f installed/bars.so ]
run info bars/bars.so
check "info shows its settings" says out "width = 16 (1 to 256): Channels of the networks."

cat >pair.ini <<END
[run]
threads = 1
[learner]
iterations = 5
warmup = 2
batch = 8
latent_dim = 4
x_steps = 1
z_steps = 1
[energy]
nef = 4
[bars]
plugin = bars/bars.so
width = 4
[again]
plugin = bars/bars.so
width = 4
END
run --ini pair.ini --out run
check "it trains" exits 0
run translate --ckpt run --given "bars=@made" --out translated
check "a file that is not there is named" exits 2

# Nothing is written over, and nothing is written when refused.
run new-plugin other bars
check "a folder that holds files is refused" exits 2
check "with one of them" complains "bars holds '"
untouched() { [ ! -e bars/other.ini ]; }
check "and left alone" untouched
mkdir empty
run new-plugin other empty
check "one that is empty will do" exits 0
for name in "" Upper 1st a-b a.b "$(printf '%032d' 0 | tr 0 a)" ../x; do
	run new-plugin "$name" refused
	check "the name '$name' is refused" exits 2
done
check "and no folder is made" [ ! -e refused ]
run new-plugin only
check "two operands are needed" exits 2
MMCORE_TEMPLATE=$work/nowhere run new-plugin x y
check "a template that is not there is named" complains "$work/nowhere"

# A plugin that was built with the headers of 1.0.
if [ "$(uname -sm)" = "Linux x86_64" ]; then
	old=$srcdir/tests/abi/toy-1.0-x86_64.so
	cp "$old" old.so
	run validate old.so
	rules() { ! grep '^failed\|^crashed' "$work/out" | grep -v ' read-junk '; }
	check "a plugin built for ABI 1.0 passes what 1.0 asked for" rules
	check "what came later is a warning" says out "warning  bad-split"
	run --ini pair.ini --set bars.plugin=./old.so --set again.plugin="$plugins/toy.so" --out old
	check "its unknown settings are refused as ever" exits 2
	sed '/width/d' pair.ini >old.ini
	run --ini old.ini --set bars.plugin=./old.so --set again.plugin="$plugins/toy.so" --out old
	check "it trains beside one of today's" exits 0
fi

mkdir tutorial
cd tutorial || exit 99
with tutorial "$srcdir/docs/SDK.md"
check "docs/SDK.md: every command works" exits 0
check "its plugin passes every rule" says out " passed, 0 failed, 0 crashed, 0 warnings"
warns() { ! grep -i 'warning' "$work/err"; }
check "and no warning of the compiler" warns
finish
