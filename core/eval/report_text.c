/* report_text.c - figures as a table, as JSON and as CSV. */
#include "mmi_build.h"

#include "eval/report.h"
#include "store/csv.h"
#include "store/files.h"
#include "store/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_COLUMNS 8

/* ------------------------------------------------------------ table */

/* Four decimals for shares, fewer for larger numbers, none for counts. */
static void value_text(double v, char *text, size_t size)
{
	if (isnan(v))
		snprintf(text, size, "-");
	else if (fabs(v - rint(v)) < 1e-9 && fabs(v) >= 1 && fabs(v) < 1e15)
		snprintf(text, size, "%.0f", v);
	else
		snprintf(text, size, fabs(v) < 10 ? "%.4f" : fabs(v) < 1000 ? "%.2f" : "%.1f", v);
}

/* Variants of the figures [from, to), in order of appearance. */
static size_t columns_of(const mmi_report *f, size_t from, size_t to, const char **column)
{
	size_t n = 0;
	for (size_t i = from; i < to; i++) {
		size_t k = 0;
		while (k < n && strcmp(column[k], f->item[i].variant))
			k++;
		if (k == n && n < MAX_COLUMNS)
			column[n++] = f->item[i].variant;
	}
	return n;
}

static bool first_of(const mmi_report *f, size_t from, size_t i)
{
	for (size_t k = from; k < i; k++)
		if (!strcmp(f->item[k].of, f->item[i].of))
			return false;
	return true;
}

static void print_row(const mmi_report *f, size_t i, const char *const *column, size_t n, FILE *out)
{
	char text[40];
	fprintf(out, "  %-42s", f->item[i].of);
	for (size_t c = 0; c < n; c++) {
		const mmi_report_item *x = mmi_report_find(f, f->item[i].name, f->item[i].of, column[c]);
		value_text(x ? x->value : NAN, text, sizeof text);
		fprintf(out, " %12s", text);
	}
	fputc('\n', out);
}

/* ------------------------------------------------------------ source by target */

#define ARROW " -> "
#define MAX_ENDS 32

/* Distinct texts before (or behind) the arrow, in order of appearance; lengths bound those before it. */
static size_t ends_of(const mmi_report *f, size_t from, size_t to, bool behind, const char **end, int *length)
{
	size_t n = 0;
	for (size_t i = from; i < to; i++) {
		const char *of = f->item[i].of, *arrow = strstr(of, ARROW);
		if (!arrow || n == MAX_ENDS)
			continue;
		const char *text = behind ? arrow + sizeof ARROW - 1 : of;
		int size = behind ? (int)strlen(text) : (int)(arrow - of);
		size_t k = 0;
		while (k < n && (length[k] != size || strncmp(end[k], text, (size_t)size)))
			k++;
		if (k == n) {
			end[n] = text;
			length[n++] = size;
		}
	}
	return n;
}

/* Targets in the order of the sources: those that are sources too come first. */
static void align(const char *const *source, const int *source_length, size_t n_sources, const char **target,
                  int *target_length, size_t n_targets)
{
	size_t placed = 0;
	for (size_t s = 0; s < n_sources; s++)
		for (size_t t = placed; t < n_targets; t++) {
			if (target_length[t] != source_length[s] || strncmp(target[t], source[s], (size_t)source_length[s]))
				continue;
			const char *text = target[placed];
			int length = target_length[placed];
			target[placed] = target[t];
			target_length[placed++] = target_length[t];
			target[t] = text;
			target_length[t] = length;
			break;
		}
}

static void print_matrix(const mmi_report *f, size_t from, size_t to, const char *variant, FILE *out)
{
	const char *source[MAX_ENDS], *target[MAX_ENDS];
	int source_length[MAX_ENDS], target_length[MAX_ENDS];
	size_t rows = ends_of(f, from, to, false, source, source_length),
		   columns = ends_of(f, from, to, true, target, target_length);
	char of[2 * sizeof f->item->of], text[40], heading[2 * sizeof f->item->name];

	align(source, source_length, rows, target, target_length, columns);
	snprintf(heading, sizeof heading, "%s, %s", f->item[from].name, variant);
	fprintf(out, "\n%-44s", heading);
	for (size_t t = 0; t < columns; t++)
		fprintf(out, " %9.*s", target_length[t], target[t]);
	fputc('\n', out);
	for (size_t s = 0; s < rows; s++) {
		fprintf(out, "  from %-37.*s", source_length[s], source[s]);
		for (size_t t = 0; t < columns; t++) {
			snprintf(of, sizeof of, "%.*s" ARROW "%.*s", source_length[s], source[s], target_length[t], target[t]);
			const mmi_report_item *x = mmi_report_find(f, f->item[from].name, of, variant);
			value_text(x ? x->value : NAN, text, sizeof text);
			fprintf(out, " %9s", text);
		}
		fputc('\n', out);
	}
}

static void print_section(const mmi_report *f, size_t from, size_t to, FILE *out)
{
	const char *column[MAX_COLUMNS];
	size_t n = columns_of(f, from, to, column);
	if (to == from + 1 && f->item[from].why[0]) {
		fprintf(out, "\n%-44s not available: %s\n", f->item[from].name, f->item[from].why);
		return;
	}
	for (size_t c = 0; c < n && strstr(f->item[from].of, ARROW); c++)
		print_matrix(f, from, to, column[c], out);
	fprintf(out, "\n%-44s", f->item[from].name);
	for (size_t c = 0; c < n; c++)
		fprintf(out, " %12s", column[c]);
	fputc('\n', out);
	for (size_t i = from; i < to; i++)
		if (first_of(f, from, i) && !strstr(f->item[i].of, ARROW))
			print_row(f, i, column, n, out);
}

void mmi_report_print(const mmi_report *f, FILE *out)
{
	for (size_t i = 0; i < f->n_facts; i++)
		fprintf(out, "%-14s %s\n", f->fact[i].key, f->fact[i].value);
	for (size_t from = 0, to; from < f->n; from = to) {
		for (to = from + 1; to < f->n && !strcmp(f->item[to].name, f->item[from].name); to++)
			;
		print_section(f, from, to, out);
	}
}

/* ------------------------------------------------------------ JSON */

static bool add_figure(cJSON *list, const mmi_report_item *x)
{
	cJSON *o = cJSON_CreateObject();
	if (!o || !cJSON_AddItemToArray(list, o))
		return false;
	bool ok = cJSON_AddStringToObject(o, "figure", x->name) && cJSON_AddStringToObject(o, "of", x->of) &&
	          cJSON_AddStringToObject(o, "variant", x->variant);
	ok = ok && (isfinite(x->value) ? cJSON_AddNumberToObject(o, "value", x->value) : cJSON_AddNullToObject(o, "value"));
	return ok && (!x->why[0] || cJSON_AddStringToObject(o, "why", x->why));
}

/* Facts that are numbers are written as such. */
static bool add_fact(cJSON *root, const mmi_fact *fact)
{
	char *end;
	double value = strtod(fact->value, &end);
	if (*fact->value && !*end)
		return cJSON_AddNumberToObject(root, fact->key, value);
	return cJSON_AddStringToObject(root, fact->key, fact->value);
}

mm_status mmi_report_json(const mmi_report *f, char **out, mm_error *e)
{
	cJSON *root = cJSON_CreateObject();
	bool ok = root;
	for (size_t i = 0; i < f->n_facts && ok; i++)
		ok = add_fact(root, &f->fact[i]);
	cJSON *list = ok ? cJSON_AddArrayToObject(root, "figures") : NULL;
	ok = list;
	for (size_t i = 0; i < f->n && ok; i++)
		ok = add_figure(list, &f->item[i]);
	char *text = ok ? cJSON_Print(root) : NULL, *copy = text ? mmi_format("%s\n", text) : NULL;
	cJSON_free(text);
	cJSON_Delete(root);
	if (!copy)
		return mmi_fail(e, MM_ENOMEM, "out of memory for figures");
	*out = copy;
	return MM_OK;
}

static const char *string_in(const cJSON *o, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(o, key));
	return text ? text : "";
}

static mm_status read_figures(const cJSON *root, const char *path, mmi_report *f, mm_error *e)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "figures"), *o;
	if (!cJSON_IsArray(list))
		return mmi_fail(e, MM_EFORMAT, "%s: no list \"figures\" in it; expected what mmcore eval --out wrote", path);
	cJSON_ArrayForEach(o, list)
	{
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(o, "value");
		if (!*string_in(o, "figure"))
			return mmi_fail(e, MM_EFORMAT, "%s: a figure without a name; expected what mmcore eval --out wrote", path);
		if (cJSON_IsNumber(value))
			MMI_TRY(mmi_report_add(f, string_in(o, "figure"), string_in(o, "of"), string_in(o, "variant"),
			                       value->valuedouble, e));
		else
			MMI_TRY(mmi_report_lack(f, string_in(o, "figure"), string_in(o, "why"), e));
	}
	return MM_OK;
}

static mm_status read_facts(const cJSON *root, mmi_report *f, mm_error *e)
{
	const cJSON *x;
	cJSON_ArrayForEach(x, root)
	{
		if (cJSON_IsNumber(x))
			MMI_TRY(mmi_report_fact(f, x->string, e, "%.17g", x->valuedouble));
		else if (cJSON_IsString(x))
			MMI_TRY(mmi_report_fact(f, x->string, e, "%s", x->valuestring));
	}
	return MM_OK;
}

enum { REPORT_DEPTH = 8, REPORT_VALUES = 1 << 20 };

mm_status mmi_report_read(const char *path, mmi_report *out, mm_error *e)
{
	char *text;
	size_t bytes;
	mmi_report f = { 0 };
	MMI_TRY(mmi_read_file(path, (size_t)64 << 20, &text, &bytes, e));
	cJSON *root = NULL;
	mm_status status = mmi_json_parse(text, bytes, "report", REPORT_DEPTH, REPORT_VALUES, &root, e);
	mmi_free(text);
	if (status != MM_OK)
		mmi_fail_prefix(e, "%s: expected what mmcore eval --out wrote", path);
	if (status == MM_OK)
		status = read_figures(root, path, &f, e);
	if (status == MM_OK)
		status = read_facts(root, &f, e);
	cJSON_Delete(root);
	if (status == MM_OK)
		*out = f;
	else
		mmi_report_clear(&f);
	return status;
}

/* ------------------------------------------------------------ CSV */

static void put_row(FILE *out, const mmi_report_item *x)
{
	mmi_csv_put(out, true, x->name);
	mmi_csv_put(out, false, x->of);
	mmi_csv_put(out, false, x->variant);
	mmi_csv_put_number(out, false, x->value);
	fputc('\n', out);
}

static mm_status write_csv(const mmi_report *f, const char *folder, const char *name, mm_error *e)
{
	mmi_csv_file csv;
	char *file = mmi_format("%s.csv", name);
	mm_status status = file ? mmi_csv_begin(&csv, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	if (status == MM_OK) {
		fputs("figure,of,variant,value\n", csv.out);
		for (size_t i = 0; i < f->n; i++)
			put_row(csv.out, &f->item[i]);
		status = mmi_csv_finish(&csv, folder, file, e);
	}
	mmi_free(file);
	return status;
}

/* ------------------------------------------------------------ files */

static mm_status write_json(const mmi_report *f, const char *folder, const char *name, mm_error *e)
{
	char *text, *path = mmi_format("%s/%s.json", folder, name);
	mm_status status = path ? mmi_report_json(f, &text, e) : mmi_fail(e, MM_ENOMEM, "out of memory for a file name");
	if (status == MM_OK) {
		status = mmi_write_file_atomic(path, text, strlen(text), e);
		mmi_free(text);
	}
	mmi_free(path);
	return status;
}

mm_status mmi_report_write(const mmi_report *f, const char *folder, const char *name, mm_error *e)
{
	MMI_TRY(mmi_make_folders(folder, e));
	MMI_TRY(write_json(f, folder, name, e));
	return write_csv(f, folder, name, e);
}
