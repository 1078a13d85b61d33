#!/bin/sh
# make-kit.sh SOURCE BUILD FILE - what the day with a GPU needs, as one archive: day.sh, the program, mnist.so, the module, the tests
# of the card with their reference values, the libraries that they want beside CUDA's and the C library, and made-up pictures.
set -eu
source=$(cd "$1" && pwd) build=$(cd "$2" && pwd) file=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
kit=$work/mmcore-gpu-kit
mkdir -p "$kit/bin" "$kit/lib" "$kit/plugins" "$kit/backends" "$kit/configs" "$kit/data" "$kit/tests/reference"

# The linked program, not libtool's script around it.
program() {
	if [ -x "$build/$(dirname "$1")/.libs/$(basename "$1")" ]; then
		echo "$build/$(dirname "$1")/.libs/$(basename "$1")"
	else
		echo "$build/$1"
	fi
}
cp "$(program mmcore)" "$kit/bin/mmcore"
for name in ops narrow join rows learning learner objectives iteration iteration_bf16 sampler langevin; do
	cp "$(program "tests/gpu/test_card_$name")" "$kit/bin"
done
cp "$build/plugins/.libs/mnist.so" "$kit/plugins"
cp "$build/core/backend/cuda/.libs/backend-cuda.so" "$kit/backends"
cp "$source/configs/polymnist.ini" "$source/configs/polymnist-paper.ini" "$kit/configs"
cp "$source"/tests/reference/*.bin "$kit/tests/reference"
cp "$source/tests/gpu/day.sh" "$source/tests/bench/torch_bench.py" "$source/tests/bench/torch_nets.py" \
	"$source/tests/bench/processor.py" "$kit"

# All machines have the C library; CUDA's libraries are the machine's with the card.
for binary in "$kit"/bin/* "$kit"/plugins/* "$kit"/backends/*; do
	ldd "$binary"
done | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
	grep -Ev '/(libc|libm|libdl|libpthread|librt|libgcc_s|libstdc\+\+|ld-linux[^/]*|libcu[^/]*|libnv[^/]*)\.so' |
	while read -r library; do
		cp -L "$library" "$kit/lib"
	done

# pictures NAME COUNT COUNT_AS_OCTAL_BYTES: IDX files; the pictures are bytes of the program, the labels 0 to 9 in turns.
pictures() {
	# shellcheck disable=SC2059 # formats are what they are for
	{
		printf "\\000\\000\\010\\003$3\\000\\000\\000\\034\\000\\000\\000\\034"
		head -c $(($2 * 784)) "$kit/bin/mmcore"
	} >"$kit/data/$1-images-idx3-ubyte"
	# shellcheck disable=SC2059
	{
		printf "\\000\\000\\010\\001$3"
		i=0
		while [ "$i" -lt "$2" ]; do
			printf '\000\001\002\003\004\005\006\007\010\011'
			i=$((i + 10))
		done
	} >"$kit/data/$1-labels-idx1-ubyte"
}
pictures train 2000 '\000\000\007\320'
pictures t10k 400 '\000\000\001\220'
tar -czf "$file" -C "$work" mmcore-gpu-kit
