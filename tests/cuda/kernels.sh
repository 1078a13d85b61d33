#!/bin/sh
# kernels.sh - what nvcc says of the kernels: no spills, few registers; and the emulation's headers have NVIDIA's values.
: "${srcdir:?is set by make check}"
nvcc=$(sed -n 's/^NVCC = //p' Makefile)
if ! "$nvcc" --version >/dev/null 2>&1 || ! grep -q "^NVCC_ARCHS = ." Makefile; then
	echo "1..0 # SKIP no CUDA compiler: the kernels were compiled for the emulated device only"
	exit 0
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
tests=0

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

# KERNEL ARCHITECTURE REGISTERS SPILLED, bytes.
usage() {
	awk '/Compiling entry function/ { split($0, part, "\047"); name = part[2] " " part[4] }
		/bytes spill stores/ { spilled = $5 + $9 }
		/Used [0-9]+ registers/ { match($0, /Used [0-9]+/); print name, substr($0, RSTART + 5, RLENGTH - 5), spilled }' "$@"
}
usage core/backend/cuda/.libs/*.ptxas >"$work/usage"
point "the assembler told of every kernel" "$(grep -h '^MMI_KERNEL(' "$srcdir"/core/backend/cuda/*.cu | sed 's/.*(\([a-z_]*\),.*/\1/' |
	while read -r kernel; do grep -q "[0-9]${kernel}[0-9]" "$work/usage" || echo "$kernel"; done)"
point "no kernel spills registers" "$(awk '$4 > 0' "$work/usage")"
point "no kernel takes more than 96 registers" "$(awk '$3 > 96' "$work/usage")"
echo "# most registers: $(sort -k3,3n "$work/usage" | tail -n 1)"
toolkit=$(dirname "$(dirname "$(readlink -f "$nvcc")")")
if command -v python3 >/dev/null; then
	point "the emulation's headers have the toolkit's values" \
		"$(python3 "$srcdir/tests/cuda/emu/make_headers.py" "$toolkit" check | grep toolkit)"
fi
echo "1..$tests"
