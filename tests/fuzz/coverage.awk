# coverage.awk - sums what gcov -t prints for one source, `reader`: its lines, those reached, and their share. `functions` names those that
# are left out, as they write and do not read.
BEGIN {
	FS = ":"
	n = split(functions, f, " ")
	for (i = 1; i <= n; i++)
		left[f[i]] = 1
}

$2 + 0 == 0 {
	if ($3 == "Source") {
		length_of = length(reader)
		wanted = substr($4, length($4) - length_of + 1) == reader
	}
	next
}

!wanted { next }

{
	count = $1
	line = $2 + 0
	text = substr($0, length($1) + length($2) + 3)
	gsub(/[ *]/, "", count)
	# A function begins where a name and a parenthesis stand at the margin, and ends with a brace there.
	if (match(text, /^[a-z].*[ *][a-z_0-9]+\(/)) {
		name = substr(text, 1, RLENGTH - 1)
		sub(/.*[ *]/, "", name)
		out = name in left
	}
	if (count == "-" || out || text ~ /out_of_memory|no_memory|MM_ENOMEM|out of memory|strerror|unreadable\(/)
		next
	seen[line] = text
	if (count !~ /^[#=]/)
		hit[line] = 1
}

END {
	for (l in seen) {
		all++
		reached += l in hit
		if (show && !(l in hit))
			printf "%s:%d: %s\n", reader, l, seen[l] | "sort -t: -k2n"
	}
	close("sort -t: -k2n")
	printf "%-32s %4d of %4d lines %4.0f %%\n", reader, reached, all, all ? 100 * reached / all : 0
}
