/* test_bits.c - what is computed does not change by a bit: hashes of three small runs, 20 iterations with chains, with
 * 1 and 2 threads, for each instruction set of the processor, against those in tests/reference/bits.txt.
 *
 * Bits depend on compiler, optimisation and C library, so a line of that file names them; a build that it does not know
 * has only its thread counts compared. A change that is meant to change bits writes the file anew: make bits. */
#include "mmi_build.h"

#include "../rig/media_rig.h"

#include "engine/build_info.h"
#include "train/train.h"
#include "../rig/device_rig.h"

#include <gnu/libc-version.h>

#define RUN                                                                                     \
	"[run]\nthreads = 2\nlog_interval = 10\ngrid_interval = 1000\ncheckpoint_interval = 1000\n" \
	"[energy]\nnef = 6\nblocks = 2\nspectral_norm = yes\n"
/* Two chunks a batch; the last iteration is a snapshot's, so that its checkpoint holds the state alone. */
#define CHAINS \
	"[learner]\niterations = 20\nsnapshot_interval = 20\nbatch = 20\nlatent_dim = 6\nx_steps = 3\nz_steps = 3\n"

typedef struct preset {
	const char *name, *ini;
} preset;

static const preset presets[] = {
	{ "digits", RUN CHAINS "warmup = 4\nelbo_updates = 1\nexperts = all\ncontrast_factor = 1\n"
	                       "[m0]\nplugin = mnist.so\nroot = idx\nwidth = 2\nenergy_channels = 2\n"
	                       "[m1]\nplugin = mnist.so\nroot = idx\nwidth = 2\nenergy_channels = 2\n" },
	{ "captions", RUN CHAINS
	  "warmup = 4\nwarmup_objective = mopoe\n[data]\nroot = d\n[img]\nplugin = img.so\nsize = 32\nwidth = 4\n"
	  "energy_channels = 3\n[txt]\nplugin = txt.so\nmin_count = 1\nlength = 8\nwidth = 4\nenergy_width = 8\n" },
	{ "missing", RUN CHAINS
	  "private_dim = 3\nprior = laplace\ninference_target = both\nx_move_max = 0.3\n"
	  "[data]\nroot = d\nhide = 0.3\n[img]\nplugin = img.so\nsize = 32\nwidth = 4\nenergy_channels = 3\n"
	  "[txt]\nplugin = txt.so\nmin_count = 1\nlength = 8\nwidth = 4\nenergy_width = 8\nrepresentation = onehot\n" },
};

/* ------------------------------------------------------------ data */

static void put32(uint8_t *at, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Digits made up: a bar whose place is the class, with speckles. */
static void write_idx(rig *r, const char *prefix, uint32_t n)
{
	char name[64];
	uint8_t *images = calloc(16 + (size_t)n * 784, 1), *labels = calloc(8 + (size_t)n, 1);
	uint32_t word = 1;
	assert_true(images && labels);
	put32(images, 0x803);
	put32(images + 4, n);
	put32(images + 8, 28);
	put32(images + 12, 28);
	put32(labels, 0x801);
	put32(labels + 4, n);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *pixel = images + 16 + (size_t)i * 784;
		labels[8 + i] = (uint8_t)(i % 10);
		for (uint32_t k = 0; k < 784; k++) {
			word = word * 1664525u + 1013904223u;
			pixel[k] = (uint8_t)(k / 28 / 3 == i % 10 ? 200 + (word >> 27) : word >> 26);
		}
	}
	snprintf(name, sizeof name, "idx/%s-images-idx3-ubyte", prefix);
	media_write(r, name, images, 16 + (size_t)n * 784);
	snprintf(name, sizeof name, "idx/%s-labels-idx1-ubyte", prefix);
	media_write(r, name, labels, 8 + (size_t)n);
	free(images);
	free(labels);
}

/* ------------------------------------------------------------ hashes */

/* Names and bytes of everything the three models and their optimisers hold (FNV-1a). */
static uint64_t hash_of(const char *path)
{
	mm_error e = MM_ERROR_INIT;
	mmi_checkpoint *ck;
	uint64_t hash = 14695981039346656037u;
	assert_ok(mmi_checkpoint_open(path, &ck, &e), e);
	const mmi_safetensors *file = mmi_checkpoint_tensors(ck);
	for (size_t i = 0; i < mmi_safetensors_count(file); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(file, i);
		if (t->dtype != MMI_F32 || !strncmp(t->name, "buffer.", 7) || !strncmp(t->name, "snapshot.", 9))
			continue;
		size_t bytes = (size_t)(t->end - t->begin), length = strlen(t->name);
		uint8_t *data = malloc(length + bytes);
		assert_non_null(data);
		memcpy(data, t->name, length);
		assert_ok(mmi_safetensors_read(file, t, data + length, bytes, &e), e);
		for (size_t k = 0; k < length + bytes; k++)
			hash = (hash ^ data[k]) * 1099511628211u;
		free(data);
	}
	mmi_checkpoint_close(ck);
	return hash;
}

static uint64_t train(rig *r, const preset *p, const char *threads, const char *precision, const char *folder)
{
	char set[32], name[80];
	mm_error e = MM_ERROR_INIT;
	mmi_setup setup;
	mmi_train_result result;
	const mmi_train_hooks hooks = { .log = NULL };
	const char *sets[] = { set, precision };
	snprintf(set, sizeof set, "run.threads=%s", threads);
	media_text(r, "run.ini", p->ini);
	const mmi_setup_request request = { .ini = rig_path(r, "run.ini"), .sets = sets, .n_sets = 2 };
	assert_ok(mmi_setup_open(&request, &setup, &e), e);
	assert_ok(mmi_train(&setup, rig_path(r, folder), false, &hooks, &result, &e), e);
	mmi_setup_close(&setup);
	snprintf(name, sizeof name, "%s/checkpoints/checkpoint-00000020.safetensors", folder);
	return hash_of(rig_path(r, name));
}

/* "gcc 12.2.0, cpu/avx512, optimised, glibc 2.36": what bits depend on; lines of bits.txt start with it. */
static void describe_build(char *text, size_t size)
{
	char *build = mmi_build_text(cpu_device());
	assert_non_null(build);
	const char *tail = strstr(build, ", ");
	assert_non_null(tail);
#ifdef __OPTIMIZE__
	const char *optimised = "optimised";
#else
	const char *optimised = "not optimised";
#endif
	snprintf(text, size, "%s, %s, glibc %s", tail + 2, optimised, gnu_get_libc_version());
	mmi_free(build);
}

/* The hash that bits.txt has for a preset in this build; false when it knows none. */
static bool known_hash(const char *build, const char *name, uint64_t *hash)
{
	char path[1024], line[256], start[256];
	const char *source = getenv("srcdir");
	snprintf(path, sizeof path, "%s/tests/reference/bits.txt", source ? source : ".");
	snprintf(start, sizeof start, "%s, %s = ", build, name);
	FILE *f = fopen(path, "r");
	bool found = false;
	assert_non_null(f);
	while (!found && fgets(line, sizeof line, f))
		if (!strncmp(line, start, strlen(start))) {
			*hash = strtoull(line + strlen(start), NULL, 16);
			found = true;
		}
	fclose(f);
	return found;
}

static void check_preset(rig *r, const preset *p)
{
	char build[200], one[8], two[8];
	uint64_t expected;
	describe_build(build, sizeof build);
	snprintf(one, sizeof one, "%.2s1", p->name);
	snprintf(two, sizeof two, "%.2s2", p->name);
	uint64_t hash = train(r, p, "1", "run.precision=float32", one);
	assert_int_equal(hash, train(r, p, "2", "run.precision=float32", two));
	if (getenv("MMCORE_PRINT_BITS"))
		printf("BITS %s, %s = %016llx\n", build, p->name, (unsigned long long)hash);
	else if (!known_hash(build, p->name, &expected))
		print_message("no hash for \"%s\": 1 and 2 threads agree, nothing else was compared\n", build);
	else if (hash != expected)
		fail_msg("%s, %s: hash %016llx, expected %016llx (tests/reference/bits.txt)", build, p->name,
		         (unsigned long long)hash, (unsigned long long)expected);
}

static void runs_keep_their_bits(void **state)
{
	write_idx(*state, "train", 120);
	write_idx(*state, "t10k", 40);
	media_cub(*state, "d");
	for (size_t i = 0; i < MMI_COUNT(presets); i++)
		check_preset(*state, &presets[i]);
}

/* A test an instruction set: where the processor lacks it, the next lower one is taken and compared once more. */
static void of_plain_c(void **state)
{
	setenv("MMCORE_ISA", "generic", 1);
	runs_keep_their_bits(state);
}

/* No hashes: they would be of one version of OpenBLAS and one kind of processor. */
static void of_openblas(void **state)
{
	setenv("MMCORE_ISA", "blas", 1);
	runs_keep_their_bits(state);
}

static void of_avx2(void **state)
{
	setenv("MMCORE_ISA", "avx2", 1);
	runs_keep_their_bits(state);
}

static void of_avx512(void **state)
{
	setenv("MMCORE_ISA", "avx512", 1);
	runs_keep_their_bits(state);
}

/* In bfloat16, too, threads change nothing; and it is another thing than float32. */
static void of_bfloat16(void **state)
{
	const preset *p = &presets[0];
	unsetenv("MMCORE_ISA");
	write_idx(*state, "train", 120);
	write_idx(*state, "t10k", 40);
	const uint64_t hash = train(*state, p, "1", "run.precision=bfloat16", "one");
	assert_int_equal(hash, train(*state, p, "2", "run.precision=bfloat16", "two"));
	assert_int_not_equal(hash, train(*state, p, "1", "run.precision=float32", "floats"));
}

/* The same of oneDNN's, where there are any. */
static void of_onednn(void **state)
{
	const preset *p = &presets[0];
	setenv("MMCORE_ISA", "onednn", 1);
	if (strncmp(mmi_cpu_device_bf16().text, "oneDNN ", 7)) {
		print_message("skipped: no oneDNN in this build, or no AVX512-BF16 in this processor\n");
		unsetenv("MMCORE_ISA");
		skip();
	}
	write_idx(*state, "train", 120);
	write_idx(*state, "t10k", 40);
	const uint64_t hash = train(*state, p, "1", "run.precision=bfloat16", "one");
	assert_int_equal(hash, train(*state, p, "2", "run.precision=bfloat16", "two"));
	assert_int_equal(hash, train(*state, p, "3", "run.precision=bfloat16", "three"));
	setenv("MMCORE_ISA", "avx512bf16", 1);
	assert_int_not_equal(hash, train(*state, p, "1", "run.precision=bfloat16", "own"));
	unsetenv("MMCORE_ISA");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(of_plain_c, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(of_openblas, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(of_avx2, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(of_avx512, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(of_bfloat16, rig_setup, rig_teardown),
		cmocka_unit_test_setup_teardown(of_onednn, rig_setup, rig_teardown),
	};
	return cmocka_run_group_tests_name("the bits of three runs", tests, NULL, NULL);
}
