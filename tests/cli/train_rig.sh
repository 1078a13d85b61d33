# train_rig.sh - for the shell tests that train: sourced after tap.sh, writes the settings of a tiny run on real pictures.
# Skips the test when there are none.
data=
for folder in "${MMCORE_DATA:-/nonexistent}/mnist" /usr/share/datasets/fashion-mnist; do
	if [ -z "$data" ] && { [ -r "$folder/train-images-idx3-ubyte" ] || [ -r "$folder/train-images-idx3-ubyte.gz" ]; }; then
		data=$folder
	fi
done
if [ -z "$data" ]; then
	echo "1..0 # SKIP neither \$MMCORE_DATA/mnist nor /usr/share/datasets/fashion-mnist has pictures"
	exit 0
fi

cat >"$work/tiny.ini" <<END
[run]
threads = 2
grid_columns = 3
grid_interval = 10
checkpoint_interval = 10
log_interval = 5
[data]
root = $data
[learner]
iterations = 20
warmup = 5
batch = 8
latent_dim = 4
x_steps = 2
z_steps = 2
experts = all
[energy]
nef = 4
blocks = 2
[m0]
plugin = mnist.so
width = 2
energy_channels = 2
limit = 300
[m1]
plugin = mnist.so
width = 2
energy_channels = 2
limit = 300
END

# For tests with many processes that read them: tiny.ini has unpacked pictures from then on.
unpack_pictures() {
	mkdir "$work/unpacked"
	for file in "$data"/*-ubyte "$data"/*-ubyte.gz; do
		case $file in
		*\**) ;;
		*.gz) gzip -dc "$file" >"$work/unpacked/$(basename "$file" .gz)" ;;
		*) ln -s "$file" "$work/unpacked/" ;;
		esac
	done
	sed -i "s#^root = .*#root = $work/unpacked#" "$work/tiny.ini"
}

# Number of the newest checkpoint in a run folder; 0 if there is none.
newest() {
	number=$(ls "$1/checkpoints" 2>/dev/null | sed -n 's/^checkpoint-0*\([0-9][0-9]*\)\.safetensors$/\1/p' | sort -n | tail -n 1)
	echo "${number:-0}"
}

checkpoint() { printf '%s/checkpoints/checkpoint-%08d.safetensors' "$1" "$2"; }
# Metrics without the seconds.
figures() { cut -d, -f1,3- "$1/metrics.csv"; }
