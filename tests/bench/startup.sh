#!/bin/sh
# startup.sh - how long `mmcore info` takes from start to exit: the median of COUNT runs, in milliseconds.
# Usage: startup.sh [MMCORE [FILE [COUNT]]]; FILE is a plugin or a checkpoint.
set -eu
program=${1:-./mmcore}
file=${2:-plugins/.libs/mnist.so}
count=${3:-21}

i=0
while [ "$i" -lt "$count" ]; do
	before=$(date +%s%N)
	"$program" info "$file" >/dev/null
	after=$(date +%s%N)
	echo $(((after - before) / 1000))
	i=$((i + 1))
done | sort -n | awk '
	{ t[NR] = $1 / 1000 }
	END {
		median = (t[int((NR + 1) / 2)] + t[int(NR / 2) + 1]) / 2
		printf "mmcore info: median %.1f ms, best %.1f, worst %.1f of %d runs (target 50): %s\n", median, t[1], t[NR], NR,
			median < 50 ? "met" : "missed"
		exit median >= 50
	}'
