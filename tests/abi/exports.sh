#!/bin/sh
# exports.sh - a plugin shows one symbol and asks for none of mmcore.
: "${MMCORE_PLUGIN_PATH:?is set by make check}"
tests=0

result() {
	tests=$((tests + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		echo "# found: $2"
	fi
}

if ! command -v nm >/dev/null 2>&1; then
	echo "1..0 # SKIP no nm"
	exit 0
fi
for plugin in "$MMCORE_PLUGIN_PATH"/*.so tests/badplugins/.libs/toy*.so; do
	[ -f "$plugin" ] || continue
	name=$(basename "$plugin")
	result "$name exports mm_plugin_query_1 alone" \
		"$(nm -D --defined-only "$plugin" | awk '{ print $NF }' | tr '\n' ' ')" "mm_plugin_query_1 "
	result "$name needs nothing of mmcore" "$(nm -D --undefined-only "$plugin" | awk '{ print $NF }' | grep '^mmi\{0,1\}_')" ""
	if command -v readelf >/dev/null 2>&1; then
		result "$name links no library of mmcore" "$(readelf -d "$plugin" | grep 'NEEDED.*mmcore')" ""
	fi
done
echo "1..$tests"
[ "$tests" -gt 0 ]
