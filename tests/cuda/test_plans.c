/* test_plans.c - asks cuDNN itself, without a GPU, for plans on cards that are described to it: every convolution of
 * the list has a deterministic one, in float32, in TF32 and in bfloat16, within the workspace that the backend allows.
 * Run by plans.sh, which skips it where there is no cuDNN. Never with the toolkit's stub of libcuda in sight: planning
 * hung with it. */
#include "mmi_build.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "backend/cuda/conv_plan.h"

enum { MOST = 2048, KINDS = 5 };

typedef struct card {
	const char *name;
	cudnnBackendDescriptor_t description;
} card;

static card cards[] = { { "h200", NULL }, { "a100", NULL }, { "b200", NULL }, { "rtx4090", NULL } };
static mmi_conv_shape shapes[MOST];
static size_t n_shapes;

/* A file of tests/cuda. */
static FILE *open_file(const char *name)
{
	char path[1024];
	const char *folder = getenv("srcdir");
	snprintf(path, sizeof path, "%s/tests/cuda/%s", folder ? folder : ".", name);
	FILE *f = fopen(path, "r");
	if (!f)
		fail_msg("%s cannot be read", path);
	return f;
}

static const char letters[] = "fbrxw";

/* Forward, also with a bias, and with a bias and ReLU; gradients. */
static mmi_conv_shape of_kind(const mmi_conv_shape *s, int kind)
{
	mmi_conv_shape k;
	memcpy(&k, s, sizeof k);
	k.kind = kind < 3 ? MMI_CONV_FORWARD : kind == 3 ? MMI_CONV_TO_X : MMI_CONV_TO_WEIGHTS;
	k.bias = kind == 1 || kind == 2;
	k.relu = kind == 2;
	return k;
}

/* Presets share most of theirs. */
static void add_shape(const mmi_conv_shape *s)
{
	for (size_t i = 0; i < n_shapes; i++)
		if (!memcmp(&shapes[i], s, sizeof *s))
			return;
	assert_true(n_shapes < MOST);
	shapes[n_shapes++] = *s;
}

static void read_line(const char *line)
{
	long long v[11];
	char what[8];
	mmi_conv_shape s;
	memset(&s, 0, sizeof s);
	if (sscanf(line, "%lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld %7s", v, v + 1, v + 2, v + 3, v + 4, v + 5,
	           v + 6, v + 7, v + 8, v + 9, v + 10, what) != 12)
		return;
	int64_t *const to[] = { &s.n, &s.h, &s.w, &s.in, &s.out, &s.kh, &s.kw, &s.sh, &s.sw, &s.ph, &s.pw };
	for (size_t i = 0; i < MMI_COUNT(to); i++)
		*to[i] = v[i];
	s.oh = (s.h + 2 * s.ph - s.kh) / s.sh + 1;
	s.ow = (s.w + 2 * s.pw - s.kw) / s.sw + 1;
	for (int kind = 0; kind < KINDS; kind++)
		if (strchr(what, letters[kind])) {
			const mmi_conv_shape one = of_kind(&s, kind);
			add_shape(&one);
		}
}

static void read_shapes(void)
{
	FILE *f = open_file("convolutions.txt");
	char line[256];
	while (fgets(line, sizeof line, f))
		read_line(line);
	fclose(f);
	assert_true(n_shapes > 300);
}

/* A card in NVIDIA's words; false when this cuDNN takes no such description. */
static bool describe(card *c)
{
	char name[64], json[4096];
	snprintf(name, sizeof name, "cards/%s.json", c->name);
	FILE *f = open_file(name);
	const size_t n = fread(json, 1, sizeof json, f);
	fclose(f);
	return cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, &c->description) == CUDNN_STATUS_SUCCESS &&
	       cudnnBackendSetAttribute(c->description, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR,
	                                (int64_t)n, json) == CUDNN_STATUS_SUCCESS &&
	       cudnnBackendFinalize(c->description) == CUDNN_STATUS_SUCCESS;
}

typedef enum precision { FLOAT32, TF32, BFLOAT16, PRECISIONS } precision;
static const char *const precision_names[] = { "float32", "tf32", "bfloat16" };

static void check_card(const card *c, precision p)
{
	int64_t largest = 0;
	for (size_t i = 0; i < n_shapes; i++) {
		const mmi_conv_query q = { .card = c->description,
			                       .tensor_cores = p != FLOAT32,
			                       .workspace = MMI_CONV_WORKSPACE };
		mmi_conv_shape s;
		mmi_conv_plan *plan;
		mm_error e = MM_ERROR_INIT;
		memcpy(&s, &shapes[i], sizeof s);
		s.narrow = p == BFLOAT16;
		if (mmi_conv_plan_make(&q, &s, &plan, &e) != MM_OK)
			fail_msg("%s, %s, kind %d: %s", c->name, precision_names[p], (int)s.kind, e.message);
		largest = plan->workspace > largest ? plan->workspace : largest;
		mmi_conv_plans_destroy(plan);
	}
	printf("%s, %s: %zu convolutions, largest workspace %.1f MB\n", c->name, precision_names[p], n_shapes,
	       (double)largest * 1e-6);
}

static void every_convolution_has_a_plan(void **state)
{
	card *c = *state;
	if (!describe(c))
		skip(); /* the members of a description changed with the library */
	for (precision p = FLOAT32; p < PRECISIONS; p++)
		check_card(c, p);
}

static int open_shapes(void **state)
{
	(void)state;
	read_shapes();
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[MMI_COUNT(cards)];
	for (size_t i = 0; i < MMI_COUNT(cards); i++)
		tests[i] = (struct CMUnitTest){ cards[i].name, every_convolution_has_a_plan, NULL, NULL, &cards[i] };
	return _cmocka_run_group_tests("plans", tests, MMI_COUNT(tests), open_shapes, NULL);
}
