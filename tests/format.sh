#!/bin/sh
# format.sh - all C has the style of .clang-format (make format), and no line is longer than 120 columns.
: "${srcdir:?is set by make check}"
cd "$srcdir" || exit 99

# Columns with tabs of 4, counted in characters.
long=$(find core plugins sdk tests -name '*.[ch]' | LC_ALL=C sort | while read -r file; do
	expand -t 4 "$file" | awk -v file="$file" 'length($0) > 120 { gsub(/[\200-\277]/, ""); if (length($0) > 120) print file ":" NR }'
done)
if [ -z "$long" ]; then
	echo "ok 1 - no line of C is longer than 120 columns"
else
	echo "not ok 1 - no line of C is longer than 120 columns"
	echo "$long" | sed 's/^/# /'
fi
if ! command -v clang-format-14 >/dev/null; then
	echo "ok 2 - all C has the style of .clang-format # SKIP no clang-format-14"
elif find core plugins sdk tests -name '*.[ch]' | xargs clang-format-14 --dry-run -Werror >/dev/null 2>&1; then
	echo "ok 2 - all C has the style of .clang-format"
else
	echo "not ok 2 - all C has the style of .clang-format (make format)"
	find core plugins sdk tests -name '*.[ch]' | xargs clang-format-14 --dry-run 2>&1 | grep 'warning:' | head -20 | sed 's/^/# /'
fi
echo 1..2
