/* test_load.c - the file, its symbols and its entry, load and unload. */
#include "mmi_build.h"

#include "plugin/object.h"
#include "validate/elf.h"
#include "validate/tests.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* What linkers and sanitizers put into objects by themselves. */
static bool of_the_tools(const char *name)
{
	static const char *const whole[] = { "_init", "_fini", "_end", "_edata", "__bss_start", "_DYNAMIC" };
	static const char *const begins[] = { "__asan_", "__odr_asan", "__ubsan_", "__tsan_", "__gcov_", "__llvm_" };
	for (size_t i = 0; i < MMI_COUNT(whole); i++)
		if (!strcmp(name, whole[i]))
			return true;
	for (size_t i = 0; i < MMI_COUNT(begins); i++)
		if (!strncmp(name, begins[i], strlen(begins[i])))
			return true;
	return false;
}

static mm_status judge_exports(mmi_subject *s, const mmi_elf *f, mm_error *e)
{
	const char *name, *weak_name = NULL;
	bool weak, found = false;
	for (size_t i = 0; (name = mmi_elf_export(f, i, &weak)); i++) {
		if (!strcmp(name, MM_PLUGIN_QUERY_SYMBOL))
			found = true;
		else if (!of_the_tools(name) && !weak)
			return mmi_subject_blame(
				e, "it exports %.100s besides " MM_PLUGIN_QUERY_SYMBOL "; compile with -fvisibility=hidden", name);
		else if (weak && !weak_name && !of_the_tools(name))
			weak_name = name;
	}
	if (!found)
		return mmi_subject_blame(e, "it does not export " MM_PLUGIN_QUERY_SYMBOL);
	if (weak_name)
		return mmi_subject_warn(s, e,
		                        "it exports the weak symbol %.100s, of inline code in C++; "
		                        "-fvisibility-inlines-hidden or a version script hides such",
		                        weak_name);
	return MM_OK;
}

static mm_status with_elf(mmi_subject *s, mm_status (*judge)(mmi_subject *, const mmi_elf *, mm_error *), mm_error *e)
{
	mmi_elf *f;
	mm_status status = mmi_elf_open(s->request->file, &f, e);
	if (status == MM_EUNSUPPORTED)
		s->verdict = MMI_SKIPPED;
	MMI_TRY(status);
	status = judge(s, f, e);
	mmi_elf_close(f);
	return status;
}

mm_status mmi_test_symbols(mmi_subject *s, mm_error *e)
{
	return with_elf(s, judge_exports, e);
}

static mm_status judge_links(mmi_subject *s, const mmi_elf *f, mm_error *e)
{
	static const char *const forbidden[] = { "libmmcore", "libopenblas", "libblas",  "liblapack", "libmkl",
		                                     "libcuda",   "libcudart",   "libcudnn", "libcublas" };
	const char *name;
	for (size_t i = 0; (name = mmi_elf_needed(f, i)); i++)
		for (size_t k = 0; k < MMI_COUNT(forbidden); k++)
			if (!strncmp(name, forbidden[k], strlen(forbidden[k])))
				return mmi_subject_blame(e,
				                         "it is linked with %.100s; a plugin gets mmcore, linear algebra and devices "
				                         "through the host's tables",
				                         name);
	if (mmi_elf_writes_code(f))
		return mmi_subject_blame(e, "its code is changed while it is loaded (TEXTREL); compile with -fPIC");
	if (mmi_elf_executable_stack(f))
		return mmi_subject_blame(e, "it asks for a stack that can be executed; link with -Wl,-z,noexecstack");
	if (mmi_elf_path(f) && *mmi_elf_path(f))
		return mmi_subject_warn(s, e, "it has libraries looked for in %.200s, which other machines lack",
		                        mmi_elf_path(f));
	return MM_OK;
}

mm_status mmi_test_links(mmi_subject *s, mm_error *e)
{
	return with_elf(s, judge_links, e);
}

mm_status mmi_test_entry(mmi_subject *s, mm_error *e)
{
	return mmi_subject_open(s, e);
}

mm_status mmi_test_query(mmi_subject *s, mm_error *e)
{
	mm_plugin_query query;
	mmi_call call;
	MMI_TRY(mmi_object_open(s->plugin->real, &query, e));
	mmi_call_begin(&call, NULL, s->plugin, MM_PLUGIN_QUERY_SYMBOL);
	const mm_plugin_entry *first = query(), *second = query();
	mmi_call_leave(&call);
	return first == second ? MM_OK
	                       : mmi_subject_blame(e, MM_PLUGIN_QUERY_SYMBOL " gives another address the second time; "
	                                                                     "needed is that of static constant data");
}

static double processor_time(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

mm_status mmi_test_prompt(mmi_subject *s, mm_error *e)
{
	const double most = 0.1, start = processor_time();
	MMI_TRY(mmi_subject_open(s, e));
	const double spent = processor_time() - start;
	return spent <= most
	           ? MM_OK
	           : mmi_subject_warn(s, e,
	                              "loading takes %.2f seconds of processor time, more than %.1f; every list of "
	                              "plugins takes as long",
	                              spent, most);
}

mm_status mmi_test_unload(mmi_subject *s, mm_error *e)
{
	for (int i = 0; i < 3; i++) {
		mmi_subject own;
		mmi_subject_init(&own, s->request, s->trial);
		mm_status status = mmi_subject_open(&own, e);
		mmi_subject_close(&own);
		MMI_TRY(status);
		if (own.left)
			return mmi_subject_blame(e, "after unload %zu blocks of the host are left", own.left);
	}
	return MM_OK;
}

/* Whatever the host lacks, load and create end with a status. */
static mm_status lacking(mmi_subject *s, const char *service, bool all, mm_error *e)
{
	mmi_subject own;
	mm_error answer = MM_ERROR_INIT;
	mmi_subject_init(&own, s->request, s->trial);
	own.hidden = service;
	own.bare = all;
	mm_status status = mmi_subject_make(&own, &answer);
	mmi_subject_close(&own);
	if (status != MM_OK && strstr(answer.message, "the plugin gave no text"))
		return mmi_subject_blame(e, "on a host without %s it fails with status %d and no text",
		                         service ? service : "services", status);
	return MM_OK;
}

mm_status mmi_test_bare_host(mmi_subject *s, mm_error *e)
{
	static const char *const services[] = { MM_HOST_CONFIG, MM_HOST_RANDOM, MM_HOST_GRAPH, MM_HOST_LINALG,
		                                    MM_HOST_TEXT };
	for (size_t i = 0; i < MMI_COUNT(services); i++)
		MMI_TRY(lacking(s, services[i], false, e));
	return lacking(s, NULL, true, e);
}
