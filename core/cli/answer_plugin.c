/* answer_plugin.c - plugins in answers of commands. */
#include "mmi_build.h"

#include "cli/answer.h"

static void add_range(mmi_answer *a, cJSON *to, const mm_setting *s)
{
	mmi_answer_number(a, to, "default", s->fallback);
	mmi_answer_number(a, to, "min", s->min);
	mmi_answer_number(a, to, "max", s->max);
}

static void add_choice(mmi_answer *a, cJSON *to, const mm_setting *s)
{
	size_t i = 0;
	cJSON *names = mmi_answer_array(a, to, "choices");
	for (; s->names && s->names[i]; i++)
		mmi_answer_text(a, names, NULL, s->names[i]);
	const bool there = s->fallback >= 0 && s->fallback < (double)i;
	mmi_answer_text(a, to, "default", there ? s->names[(size_t)s->fallback] : NULL);
}

void mmi_answer_setting(mmi_answer *a, cJSON *to, const mm_setting *s)
{
	static const char *const kinds[] = {
		[MM_SETTING_INT] = "int",       [MM_SETTING_REAL] = "real", [MM_SETTING_SWITCH] = "switch",
		[MM_SETTING_CHOICE] = "choice", [MM_SETTING_TEXT] = "text", [MM_SETTING_PATH] = "path"
	};
	const bool known = s->kind >= MM_SETTING_INT && s->kind <= MM_SETTING_PATH;
	mmi_answer_text(a, to, "key", s->key);
	mmi_answer_text(a, to, "kind", known ? kinds[s->kind] : NULL);
	if (s->kind == MM_SETTING_INT || s->kind == MM_SETTING_REAL)
		add_range(a, to, s);
	else if (s->kind == MM_SETTING_CHOICE)
		add_choice(a, to, s);
	else if (s->kind == MM_SETTING_SWITCH)
		mmi_answer_bool(a, to, "default", s->fallback != 0);
	else
		mmi_answer_text(a, to, "default", s->text);
	mmi_answer_text(a, to, "help", s->help);
}

static void add_modality(mmi_answer *a, cJSON *to, const mmi_plugin *p, const mm_modality_desc *m)
{
	const mm_setting *s;
	mmi_answer_text(a, to, "id", m->id);
	mmi_answer_text(a, to, "name", m->default_name);
	mmi_answer_text(a, to, "summary", m->summary);
	mmi_answer_text(a, to, "files", m->render_suffix);
	cJSON *list = mmi_answer_array(a, to, "settings");
	for (uint32_t i = 0; (s = mmi_plugin_setting(p, m, i)); i++)
		mmi_answer_setting(a, mmi_answer_object(a, list, NULL), s);
}

void mmi_answer_plugin(mmi_answer *a, cJSON *to, const mmi_plugin *p)
{
	const mm_plugin_entry *e = &p->entry;
	mmi_answer_text(a, to, "path", p->path);
	mmi_answer_text(a, to, "id", e->id);
	mmi_answer_text(a, to, "name", e->name);
	mmi_answer_text(a, to, "version", e->version);
	mmi_answer_text(a, to, "vendor", e->vendor);
	mmi_answer_text(a, to, "licence", e->license);
	mmi_answer_number(a, to, "abi_major", e->abi_major);
	mmi_answer_number(a, to, "abi_minor_built", e->abi_minor_built);
	mmi_answer_number(a, to, "abi_minor_required", e->abi_minor_required);
	cJSON *list = mmi_answer_array(a, to, "modalities");
	for (uint32_t i = 0; i < e->n_modalities; i++)
		add_modality(a, mmi_answer_object(a, list, NULL), p, &p->modalities[i]);
}
