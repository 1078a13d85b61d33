/* help_plugins.c - the settings of plugins, from their own tables, for people, manuals and programs. */
#include "mmi_build.h"

#include "cli/help_plugins.h"

#include "cli/answer.h"
#include "config/value.h"

#include <stdio.h>
#include <string.h>

enum { MOST = 16 }; /* plugins at once */

typedef struct subject {
	const char *name; /* without folders */
	const mmi_plugin *plugin;
} subject;

typedef struct subjects {
	subject item[MOST];
	size_t n;
} subjects;

static const char *text_or(const char *text, const char *otherwise)
{
	return text && *text ? text : otherwise;
}

static const char *choice(const mm_setting *s)
{
	for (size_t i = 0; s->names && s->names[i]; i++)
		if ((double)i == s->fallback)
			return s->names[i];
	return "none";
}

static const char *default_of(const mm_setting *s, char number[MMI_VALUE_TEXT])
{
	switch (s->kind) {
	case MM_SETTING_INT:
	case MM_SETTING_REAL:
		return mmi_value_print(s->fallback, number);
	case MM_SETTING_SWITCH:
		return s->fallback != 0 ? "yes" : "no";
	case MM_SETTING_CHOICE:
		return choice(s);
	default:
		return text_or(s->text, "none");
	}
}

static bool same(const mm_setting *a, const mm_setting *b)
{
	char x[MMI_VALUE_TEXT], y[MMI_VALUE_TEXT];
	return a->kind == b->kind && !strcmp(a->key, b->key) && !strcmp(a->help, b->help) &&
	       !strcmp(default_of(a, x), default_of(b, y));
}

static bool has(const mmi_plugin *p, const mm_setting *wanted)
{
	const mm_setting *s;
	for (uint32_t m = 0; m < p->entry.n_modalities; m++)
		for (uint32_t i = 0; (s = mmi_plugin_setting(p, &p->modalities[m], i)); i++)
			if (same(s, wanted))
				return true;
	return false;
}

static bool all_have(const subjects *of, const mm_setting *s)
{
	for (size_t i = 0; i < of->n; i++)
		if (!has(of->item[i].plugin, s))
			return false;
	return of->n > 1;
}

/* ------------------------------------------------------------ for people and manuals */

static void print_modality(FILE *out, const mmi_help_style *style, const subjects *of, const mmi_plugin *p,
                           const mm_modality_desc *m, bool shared)
{
	const mm_setting *s;
	char number[MMI_VALUE_TEXT];
	for (uint32_t i = 0; (s = mmi_plugin_setting(p, m, i)); i++)
		if (all_have(of, s) == shared)
			style->key(out, s->key, default_of(s, number), s->help);
}

static void begin(FILE *out, const mmi_help_style *style, const char *title)
{
	fprintf(out, style->begin, title);
}

static void print_shared(FILE *out, const mmi_help_style *style, const subjects *of)
{
	char title[256] = "Keys of ";
	size_t used = strlen(title);
	for (size_t i = 0; i < of->n && used < sizeof title; i++)
		used += (size_t)snprintf(title + used, sizeof title - used, "%s%s",
		                         !i              ? ""
		                         : i + 1 < of->n ? ", "
		                                         : " and ",
		                         of->item[i].name);
	begin(out, style, title);
	print_modality(out, style, of, of->item[0].plugin, &of->item[0].plugin->modalities[0], true);
	fputs(style->end, out);
}

static void print_own(FILE *out, const mmi_help_style *style, const subjects *of, const subject *s)
{
	char title[256];
	const mmi_plugin *p = s->plugin;
	for (uint32_t m = 0; m < p->entry.n_modalities; m++) {
		snprintf(title, sizeof title, "Keys of %s%s%s", s->name, p->entry.n_modalities > 1 ? ", " : "",
		         p->entry.n_modalities > 1 ? p->modalities[m].id : "");
		begin(out, style, title);
		print_modality(out, style, of, p, &p->modalities[m], false);
		fputs(style->end, out);
	}
}

static int print(const mmi_cli *cli, const mmi_help_style *style, const subjects *of)
{
	FILE *out = cli->console->out;
	if (of->n > 1)
		print_shared(out, style, of);
	for (size_t i = 0; i < of->n; i++)
		print_own(out, style, of, &of->item[i]);
	return MMI_EXIT_OK;
}

/* ------------------------------------------------------------ for programs */

static int answer(const mmi_cli *cli, const subjects *of)
{
	mmi_answer a = mmi_answer_begin();
	const mm_setting *s;
	cJSON *list = mmi_answer_array(&a, a.root, "settings");
	for (size_t k = 0; k < of->n; k++) {
		const mmi_plugin *p = of->item[k].plugin;
		for (uint32_t m = 0; m < p->entry.n_modalities; m++)
			for (uint32_t i = 0; (s = mmi_plugin_setting(p, &p->modalities[m], i)); i++) {
				cJSON *one = mmi_answer_object(&a, list, NULL);
				mmi_answer_text(&a, one, "plugin", of->item[k].name);
				mmi_answer_text(&a, one, "modality", p->modalities[m].id);
				mmi_answer_setting(&a, one, s);
			}
	}
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

/* ------------------------------------------------------------ plugins */

static mm_status open_all(mmi_registry *registry, const char *const *names, subjects *of, size_t n, mm_error *e)
{
	for (size_t i = 0; i < n; i++) {
		const char *slash = strrchr(names[i], '/');
		subject *s = &of->item[i];
		MMI_TRY(mmi_registry_open(registry, names[i], &s->plugin, e));
		if (!mmi_plugin_setting(s->plugin, &s->plugin->modalities[0], 0))
			return mmi_fail(e, MM_EUNSUPPORTED, "%s has no table of its settings (%s in docs/ABI.md)", s->plugin->path,
			                MM_MODALITY_SETTINGS);
		s->name = slash ? slash + 1 : names[i];
		of->n++;
	}
	return MM_OK;
}

int mmi_help_plugins(const mmi_cli *cli, const mmi_usage *usage, const char *const *names, size_t n,
                     const mmi_help_style *style)
{
	mmi_registry *registry = NULL;
	mm_error e = MM_ERROR_INIT;
	subjects of = { .n = 0 };
	int code = MMI_EXIT_OK;
	if (n > MOST)
		return mmi_options_refuse(cli, usage, "more than %d plugins at once", MOST);
	mm_status status = mmi_registry_create(0, &cli->log, NULL, &registry, &e);
	if (status == MM_OK)
		status = open_all(registry, names, &of, n, &e);
	if (status == MM_OK)
		code = style ? print(cli, style, &of) : answer(cli, &of);
	mmi_registry_destroy(registry);
	return status == MM_OK ? code : mmi_cli_refuse(cli, &e);
}
