# toys.sh - sourced by shell tests: the settings of a short run of toys (tests/badplugins/toy.c), and where their plugin is.
MMCORE_PLUGIN_PATH=${MMCORE_TEST_PLUGINS:?is set by make check}${MMCORE_PLUGIN_PATH:+:$MMCORE_PLUGIN_PATH}
export MMCORE_PLUGIN_PATH

# toys N SECTION.KEY=VALUE...: an INI with the modalities m0 to mN-1 and these settings as well. A key that is there is replaced.
toys() {
	count=$1
	shift
	{
		printf '%s\n' run.threads=1 learner.iterations=4 learner.warmup=2 learner.batch=4 learner.latent_dim=3 learner.x_steps=1 \
			learner.z_steps=1 energy.nef=4 energy.blocks=2
		awk -v n="$count" 'BEGIN { for (i = 0; i < n; i++) print "m" i ".plugin=toy.so" }'
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | awk -F '[.=]' '
		{ key = $1 "." $2; if (!($1 in keys)) section[++n] = $1 }
		!(key in value) { keys[$1] = keys[$1] " " $2 }
		{ value[key] = substr($0, length(key) + 2) }
		END {
			for (i = 1; i <= n; i++) {
				print "[" section[i] "]"
				m = split(keys[section[i]], k, " ")
				for (j = 1; j <= m; j++) print k[j] " = " value[section[i] "." k[j]]
			}
		}'
}
