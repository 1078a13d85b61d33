/* fuzz_report.c - what evaluations left: eval.json, read, printed, summarised, written. */
#include "mmi_build.h"

#include "fuzz.h"
#include "eval/report.h"

#include <stdio.h>
#include <stdlib.h>

static void print(const mmi_report *r)
{
	char *text = NULL;
	size_t n = 0;
	FILE *out = open_memstream(&text, &n);
	mmi_report_print(r, out);
	fclose(out);
	free(text);
}

static void summarise(const mmi_report *r)
{
	const mmi_report both[] = { *r, *r };
	mm_error e = MM_ERROR_INIT;
	mmi_report all;
	if (fuzz_ok(mmi_report_summary(both, 2, &all, &e), &e)) {
		print(&all);
		mmi_report_clear(&all);
	}
}

/* What is written reads back. */
static void write_again(const mmi_report *r)
{
	mm_error e = MM_ERROR_INIT, f = MM_ERROR_INIT;
	char *text;
	mmi_report again;
	if (!fuzz_ok(mmi_report_json(r, &text, &e), &e))
		return;
	size_t n = 0;
	while (text[n])
		n++;
	if (mmi_report_read(fuzz_file(1, text, n), &again, &f) != MM_OK)
		fuzz_fail("what was written does not read back: %s\n%s", f.message, text);
	mmi_report_clear(&again);
	mmi_free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	mm_error e = MM_ERROR_INIT;
	mmi_report r;
	if (!fuzz_ok(mmi_report_read(fuzz_file(0, data, n), &r, &e), &e))
		return 0;
	print(&r);
	summarise(&r);
	write_again(&r);
	mmi_report_clear(&r);
	return 0;
}
