/* report.c - lists of named numbers. */
#include "mmi_build.h"

#include "eval/report.h"

#include <math.h>
#include <string.h>

void mmi_report_clear(mmi_report *f)
{
	for (size_t i = 0; i < f->n_facts; i++)
		mmi_free(f->fact[i].value);
	mmi_free(f->fact);
	mmi_free(f->item);
	*f = (mmi_report){ 0 };
}

static mm_status grow(void **block, size_t n, size_t *capacity, size_t size, mm_error *e)
{
	if (n < *capacity)
		return MM_OK;
	size_t wanted = *capacity ? 2 * *capacity : 32;
	void *grown = *capacity ? mmi_grow(*block, n, wanted, size) : mmi_alloc(wanted, size);
	if (!grown)
		return mmi_fail(e, MM_ENOMEM, "out of memory for %zu figures", wanted);
	*block = grown;
	*capacity = wanted;
	return MM_OK;
}

static mm_status append(mmi_report *f, const mmi_report_item *x, mm_error *e)
{
	void *block = f->item;
	MMI_TRY(grow(&block, f->n, &f->capacity, sizeof *f->item, e));
	f->item = block;
	f->item[f->n++] = *x;
	return MM_OK;
}

mm_status mmi_report_add(mmi_report *f, const char *name, const char *of, const char *variant, double value,
                         mm_error *e)
{
	mmi_report_item x = { .value = value };
	snprintf(x.name, sizeof x.name, "%s", name);
	snprintf(x.of, sizeof x.of, "%s", of);
	snprintf(x.variant, sizeof x.variant, "%s", variant);
	if (isnan(value))
		snprintf(x.why, sizeof x.why, "nothing to count");
	return append(f, &x, e);
}

mm_status mmi_report_lack(mmi_report *f, const char *name, const char *why, mm_error *e)
{
	mmi_report_item x = { .value = NAN };
	snprintf(x.name, sizeof x.name, "%s", name);
	snprintf(x.why, sizeof x.why, "%s", why);
	return append(f, &x, e);
}

mm_status mmi_report_fact(mmi_report *f, const char *key, mm_error *e, const char *format, ...)
{
	va_list ap;
	void *block = f->fact;
	MMI_TRY(grow(&block, f->n_facts, &f->fact_capacity, sizeof *f->fact, e));
	f->fact = block;
	va_start(ap, format);
	char *value = mmi_vformat(format, ap);
	va_end(ap);
	if (!value)
		return mmi_fail(e, MM_ENOMEM, "out of memory for figures");
	mmi_fact *fact = &f->fact[f->n_facts++];
	snprintf(fact->key, sizeof fact->key, "%s", key);
	fact->value = value;
	return MM_OK;
}

const mmi_report_item *mmi_report_find(const mmi_report *f, const char *name, const char *of, const char *variant)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->item[i].name, name) && !strcmp(f->item[i].of, of) && !strcmp(f->item[i].variant, variant))
			return &f->item[i];
	return NULL;
}

/* ------------------------------------------------------------ over runs */

typedef struct mmi_spread {
	double mean, deviation;
	size_t n;
} mmi_spread;

static mmi_spread spread_of(const mmi_report *runs, size_t n, const mmi_report_item *x)
{
	mmi_spread s = { .n = 0 };
	double squares = 0;
	for (size_t i = 0; i < n; i++) { /* Welford */
		const mmi_report_item *y = mmi_report_find(&runs[i], x->name, x->of, x->variant);
		if (!y || isnan(y->value))
			continue;
		double before = y->value - s.mean;
		s.mean += before / (double)++s.n;
		squares += before * (y->value - s.mean);
	}
	s.deviation = s.n > 1 ? sqrt(squares / (double)(s.n - 1)) : NAN;
	if (!s.n)
		s.mean = NAN;
	return s;
}

typedef bool same_kind(const mmi_report_item *a, const mmi_report_item *b);

static bool same_column(const mmi_report_item *a, const mmi_report_item *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->variant, b->variant);
}

static bool same_figure(const mmi_report_item *a, const mmi_report_item *b)
{
	return same_column(a, b) && !strcmp(a->of, b->of);
}

/* Whether an earlier run, or this one before item i, has the like of item i. */
static bool seen_before(const mmi_report *runs, size_t run, size_t i, same_kind *same)
{
	for (size_t r = 0; r <= run; r++)
		for (size_t k = 0; k < (r < run ? runs[r].n : i); k++)
			if (!runs[r].item[k].why[0] && same(&runs[r].item[k], &runs[run].item[i]))
				return true;
	return false;
}

/* All figures of one name and variant, those of earlier runs first. */
static mm_status summarise(const mmi_report *runs, size_t n, const mmi_report_item *first, mmi_report *out, mm_error *e)
{
	char name[sizeof first->name + sizeof first->variant + 2];
	snprintf(name, sizeof name, "%s%s%s", first->name, first->variant[0] ? ", " : "", first->variant);
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < runs[r].n; i++) {
			const mmi_report_item *x = &runs[r].item[i];
			if (x->why[0] || !same_column(x, first) || seen_before(runs, r, i, same_figure))
				continue;
			mmi_spread s = spread_of(runs, n, x);
			MMI_TRY(mmi_report_add(out, name, x->of, "mean", s.mean, e));
			MMI_TRY(mmi_report_add(out, name, x->of, "sd", s.deviation, e));
			MMI_TRY(mmi_report_add(out, name, x->of, "runs", (double)s.n, e));
		}
	return MM_OK;
}

static const char *fact_of(const mmi_report *f, const char *key)
{
	for (size_t i = 0; i < f->n_facts; i++)
		if (!strcmp(f->fact[i].key, key))
			return f->fact[i].value;
	return "none";
}

/* Figures of other tuples, or after other chains, should not be averaged: says so where they are. */
static mm_status add_differences(const mmi_report *runs, size_t n, mmi_report *out, mm_error *e)
{
	static const char *const keys[] = { "split", "samples", "tuples", "judge", "z steps", "x steps", "guide steps" };
	char text[160] = "";
	size_t used = 0;
	for (size_t k = 0; k < MMI_COUNT(keys); k++) {
		bool same = true;
		for (size_t r = 1; r < n; r++)
			same = same && !strcmp(fact_of(&runs[0], keys[k]), fact_of(&runs[r], keys[k]));
		if (!same)
			used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", used ? ", " : "", keys[k]);
	}
	return used ? mmi_report_fact(out, "runs differ in", e, "%s", text) : MM_OK;
}

mm_status mmi_report_summary(const mmi_report *runs, size_t n, mmi_report *out, mm_error *e)
{
	mmi_report made = { 0 };
	mm_status status = MM_OK;
	for (size_t r = 0; r < n; r++)
		for (size_t i = 0; i < runs[r].n && status == MM_OK; i++)
			if (!runs[r].item[i].why[0] && !seen_before(runs, r, i, same_column))
				status = summarise(runs, n, &runs[r].item[i], &made, e);
	if (status == MM_OK)
		status = mmi_report_fact(&made, "runs", e, "%zu", n);
	if (status == MM_OK)
		status = add_differences(runs, n, &made, e);
	if (status == MM_OK)
		*out = made;
	else
		mmi_report_clear(&made);
	return status;
}
