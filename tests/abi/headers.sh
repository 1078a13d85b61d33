#!/bin/sh
# headers.sh - each SDK header compiles alone, without a warning, in every language version plugins are written in.
: "${srcdir:?is set by make check}"
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
tests=0

# compile NAME COMPILER LANGUAGE STANDARD SOURCE
compile() {
	tests=$((tests + 1))
	if ! command -v "${2%% *}" >/dev/null 2>&1; then
		echo "ok $tests - $1 # SKIP no compiler $2"
	elif $2 -x "$3" -std="$4" -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -fsyntax-only \
		-I"$srcdir/sdk/include" "$5" >"$work/log" 2>&1; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		sed 's/^/# /' "$work/log"
	fi
}

for header in status host plugin mmcore; do
	echo "#include <mmcore/$header.h>" >"$work/$header.c"
	for standard in c11 c17; do
		compile "$header.h as $standard" "${CC:-cc}" c $standard "$work/$header.c"
	done
	for standard in c++11 c++17 c++20; do
		compile "$header.h as $standard" "${CXX:-c++}" c++ $standard "$work/$header.c"
	done
done

# Helpers that are compiled into plugins: C11 on, C++20 on, with all that a definition adds.
printf '#define MMA_SAMPLES\n#include <mmcore/author.h>\n' >"$work/author.c"
for standard in c11 c17; do
	compile "author.h as $standard" "${CC:-cc}" c $standard "$work/author.c"
done
compile "author.h as c++20" "${CXX:-c++}" c++ c++20 "$work/author.c"

# The macros work in C++ as well, where casts and linkage differ.
cat >"$work/plugin.cc" <<'END'
#include <mmcore/plugin.h>
static const mm_plugin_entry entry = { MM_PLUGIN_MAGIC, MM_SIZE_THROUGH(mm_plugin_entry, unload), MM_ABI_MAJOR, MM_ABI_MINOR,
	0, 0, MM_ABI_TAG, 0, "a", "a", "a", "1", "MIT", nullptr, nullptr, nullptr, nullptr };
const mm_plugin_entry *mm_plugin_query_1(void) { return MM_HAS(&entry, load) ? nullptr : &entry; }
END
compile "an entry and the macros as c++17" "${CXX:-c++}" c++ c++17 "$work/plugin.cc"

# The plugin printed in the manual.
awk '/^```c$/ { on = 1; next } /^```/ { on = 0 } on' "$srcdir/docs/ABI.md" >"$work/example.c"
for standard in c11 c17; do
	compile "the example of docs/ABI.md as $standard" "${CC:-cc}" c $standard "$work/example.c"
done
[ -s "$work/example.c" ] || echo "Bail out! docs/ABI.md has no example"
echo "1..$tests"
