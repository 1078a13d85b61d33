/* fuzz_value.c - single values: numbers, likelihoods, lists, sweeps, names of files and splits, texts for messages. */
#include "mmi_build.h"

#include "fuzz.h"
#include "ablate/sweep.h"
#include "common/entries.h"
#include "common/utf8.h"
#include "config/ini.h"
#include "config/value.h"
#include "trained/inputs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void number(const char *s)
{
	char text[MMI_VALUE_TEXT];
	double value, again;
	int64_t whole;
	bool flag;
	size_t length;
	mmi_value_int(s, &whole);
	mmi_value_bool(s, &flag);
	mmi_value_call(s, &length, &flag, &value);
	if (!mmi_value_float(s, &value))
		return;
	if (!isfinite(value))
		fuzz_fail("\"%s\" is read as %g", s, value);
	mmi_value_print(value, text);
	if (!mmi_value_float(text, &again) || again < value || again > value)
		fuzz_fail("%.17g is printed as %s", value, text);
	mmi_value_widen((float)fmax(-3e38, fmin(3e38, value)));
}

static void points_of(const mmi_sweep *given)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	mmi_sweep both[2] = { *given };
	mmi_points p;
	fuzz_must(mmi_sweep_count(MMI_SWEEP_SEED, 1, 3, &both[1], &e), &e);
	if (fuzz_ok(mmi_points_create(both, 2, &p, &f), &f)) {
		for (size_t k = 0; k < p.n; k++)
			if (strchr(p.item[k].name, '/') || !strcmp(p.item[k].name, "..") || strlen(p.item[k].name) > 255)
				fuzz_fail("a folder called \"%s\"", p.item[k].name);
		mmi_points_clear(&p);
	}
	mmi_sweep_clear(&both[1]);
}

static void lists(const char *s)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	uint32_t *list, n;
	mmi_sweep sweep;
	if (fuzz_ok(mmi_numbers_parse(s, "--tuples", &list, &n, &e), &e))
		mmi_free(list);
	if (fuzz_ok(mmi_sweep_parse(s, &sweep, &f), &f)) {
		points_of(&sweep);
		mmi_sweep_clear(&sweep);
	}
}

/* The template stands before the first newline. */
static void names(const char *s, size_t length)
{
	char template[256];
	pairs_said said;
	const size_t n = strcspn(s, "\n");
	pairs_split_named(s, n);
	if (n >= sizeof template || n == length)
		return;
	memcpy(template, s, n);
	template[n] = 0;
	const char *name = s + n + 1;
	if (!pairs_template_valid(template) || !pairs_template_match(template, name, strlen(name), &said))
		return;
	if (said.label_length + said.group_length > strlen(name))
		fuzz_fail("\"%s\" says more of \"%s\" than it has", template, name);
}

static void texts(const char *s, size_t length)
{
	char out[100];
	size_t skip;
	mm_error e = MM_ERROR_INIT;
	mmi_show(s, length, out, sizeof out);
	for (const char *at = out; *at; at++)
		if ((unsigned char)*at < ' ')
			fuzz_fail("a control character is shown");
	utf8_visible(s, out, sizeof out);
	for (size_t at = 0, used; at < length; at += used)
		utf8_next(s + at, length - at, &used);
	mmi_ini_quote(s, out, sizeof out);
	mmi_ini_name_ok(s, length);
	fuzz_ok(mmi_text_begin("file", s, length, &skip, &e), &e);
	mmi_value_distance(s, "likelihood_weight");
	mmi_value_distance("x_scale", s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *s = fuzz_text(data, n);
	const size_t length = strlen(s);
	number(s);
	lists(s);
	names(s, length);
	texts(s, length);
	mmi_clean(s);
	free(s);
	return 0;
}
