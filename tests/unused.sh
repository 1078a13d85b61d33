#!/bin/sh
# unused.sh - every function that a header of core/ declares has a caller there; tests alone are none.
: "${srcdir:?is set by make check}"
cd "$srcdir" || exit 99
tests=0

# NAME of what is there to be looked at.
seams() {
	cat <<-'LIST'
	mmi_checkpoint_restore      a file of exactly these tensors
	mmi_cpu_kernels             kernels on their own
	mmi_grid_cell               small sheets
	mmi_program_describe        which calls a program makes
	mmi_program_params          difference quotients by parameters in double
	mmi_sampler_choose_start    choices among draws of experts on the host
	mmi_sampler_embed           vectors of E_match on the host
	mmi_sampler_standard        draws of experts on the host
	mmi_tuples_join             what was joined
	LIST
}

# point NAME FOUND: passes when nothing was found, else shows it.
point() {
	tests=$((tests + 1))
	if [ -z "$2" ]; then
		echo "ok $tests - $1"
	else
		echo "not ok $tests - $1"
		echo "$2" | sed 's/^/# /'
	fi
}

# HEADER NAME of functions that are named in a declaration and a definition at most; comments do not count.
unused() {
	find "$1" -name '*.[ch]' -exec awk '
	{
		while (inside || (at = index($0, "/*"))) {
			head = inside ? "" : substr($0, 1, at - 1)
			rest = inside ? $0 : substr($0, at + 2)
			end = index(rest, "*/")
			inside = !end
			$0 = end ? head " " substr(rest, end + 2) : head
			if (inside)
				break
		}
		for (line = $0; match(line, /mmi_[a-z0-9_]+/); line = substr(line, RSTART + RLENGTH)) {
			name = substr(line, RSTART, RLENGTH)
			seen[name]++
			if (FILENAME ~ /\.h$/ && substr(line, RSTART + RLENGTH, 1) == "(") {
				header[name] = FILENAME
				own[name] = /^static inline/ ? 1 : 2
			}
		}
	}
	END { for (name in header) if (seen[name] <= own[name]) print header[name] " " name }' {} + | LC_ALL=C sort
}

without_seams() {
	{ seams; echo; unused core; } | awk '!NF { listed = 1; next } !listed { seam[$1]; next } !($2 in seam)'
}

# A line of the list that is not needed is misleading.
stale_seams() {
	{ unused core; echo; seams; } |
		awk '!NF { listed = 1; next } !listed { unused[$2]; next } !($1 in unused) { print $1 }'
}

point "every function of a header has a caller in core" "$(without_seams)"
point "what is excused needs it" "$(stale_seams)"

# The test itself: a function that only a comment calls is seen, one with a caller is not.
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
echo 'void mmi_idle(void); /* see mmi_busy( */ void mmi_busy(void);' >"$work/a.h"
printf '/* mmi_idle() is\n * called: mmi_idle() */\n' >"$work/a.c"
echo 'void mmi_idle(void) { mmi_busy(); } void mmi_busy(void) { }' >>"$work/a.c"
seen=$(unused "$work")
point "a function that comments alone call is seen, and no other" \
	"$([ "$seen" = "$work/a.h mmi_idle" ] || echo "found: $seen")"
echo "1..$tests"
