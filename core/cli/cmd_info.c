/* cmd_info.c - mmcore info: what a checkpoint or a plugin holds. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "store/checkpoint.h"
#include "store/strip.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const char *const models[] = { "generator", "inference", "energy", "judge", "matcher", "fitted" };
static const char *const texts[] = { "format", "version", "modalities", "build" };

typedef struct model_size {
	uint64_t tensors, parameters;
} model_size;

static model_size size_of(const mmi_safetensors *s, const char *model)
{
	model_size size = { 0, 0 };
	char prefix[32];
	snprintf(prefix, sizeof prefix, "%s.", model);
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		if (!starts(t->name, prefix))
			continue;
		size.tensors++;
		size.parameters += (t->end - t->begin) / mmi_dtype_size(t->dtype);
	}
	return size;
}

static void print_model(FILE *out, const mmi_safetensors *s, const char *model)
{
	const model_size size = size_of(s, model);
	if (size.tensors)
		fprintf(out, "%-11s %" PRIu64 " parameters in %" PRIu64 " tensors\n", model, size.parameters, size.tensors);
}

static void print_tensors(FILE *out, const mmi_safetensors *s)
{
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		char shape[128];
		fprintf(out, "%-4s %-20s ", mmi_dtype_name(t->dtype),
		        mmi_tensor_shape_text(t->rank, t->dim, shape, sizeof shape));
		mmi_console_text(out, t->name);
		fputc('\n', out);
	}
}

static void print_field(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%-11s ", name);
	mmi_console_text(out, text);
	fputc('\n', out);
}

static void print_lines(FILE *out, const char *text)
{
	for (size_t length; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		char *line = mmi_format("%.*s", (int)length, text);
		fputc('\n', out);
		mmi_console_text(out, line ? line : "(out of memory)");
		mmi_free(line);
	}
	fputc('\n', out);
}

static mm_status print_iteration(FILE *out, const mmi_checkpoint *ck, mm_error *e)
{
	int64_t iteration;
	if (!mmi_safetensors_find(mmi_checkpoint_tensors(ck), "state.iteration"))
		return MM_OK;
	MMI_TRY(mmi_checkpoint_counter(ck, "state.iteration", &iteration, e));
	fprintf(out, "%-11s %" PRId64 "\n", "iteration", iteration);
	return MM_OK;
}

static mm_status print_checkpoint(FILE *out, const mmi_checkpoint *ck, bool tensors, bool settings, mm_error *e)
{
	const mmi_safetensors *s = mmi_checkpoint_tensors(ck);

	print_field(out, "checkpoint", mmi_checkpoint_path(ck));
	for (size_t i = 0; i < MMI_COUNT(texts); i++)
		if (mmi_checkpoint_meta(ck, texts[i]))
			print_field(out, texts[i], mmi_checkpoint_meta(ck, texts[i]));
	MMI_TRY(print_iteration(out, ck, e));
	for (size_t i = 0; i < MMI_COUNT(models); i++)
		print_model(out, s, models[i]);
	if (tensors)
		print_tensors(out, s);
	if (settings && mmi_checkpoint_meta(ck, "settings"))
		print_lines(out, mmi_checkpoint_meta(ck, "settings"));
	return MM_OK;
}

static void print_range(FILE *out, const mm_setting *s)
{
	switch (s->kind) {
	case MM_SETTING_INT:
	case MM_SETTING_REAL:
		fprintf(out, "%.6g (%.6g to %.6g)", s->fallback, s->min, s->max);
		break;
	case MM_SETTING_SWITCH:
		fprintf(out, "%s (yes, no)", s->fallback != 0 ? "yes" : "no");
		break;
	case MM_SETTING_CHOICE:
		for (size_t i = 0; s->names && s->names[i]; i++) {
			fputs(i ? ", " : "", out);
			mmi_console_text(out, s->names[i]);
			fputs((double)i == s->fallback ? " (default)" : "", out);
		}
		break;
	default:
		mmi_console_text(out, s->text ? s->text : "none");
	}
}

static void print_settings(FILE *out, const mmi_plugin *p, const mm_modality_desc *desc)
{
	const mm_setting *s;
	for (uint32_t i = 0; (s = mmi_plugin_setting(p, desc, i)); i++) {
		fputs("  ", out);
		mmi_console_text(out, s->key);
		fputs(" = ", out);
		print_range(out, s);
		fputs(": ", out);
		mmi_console_text(out, s->help);
		fputc('\n', out);
	}
}

static void print_plugin(FILE *out, const mmi_plugin *p)
{
	fprintf(out,
	        "plugin      %s\nid          %s %s\nvendor      %s\nlicence     %s\nABI         %d, built with minor %d, "
	        "runs from minor %d\n",
	        p->path, p->entry.id, p->entry.version, p->entry.vendor, p->entry.license, p->entry.abi_major,
	        p->entry.abi_minor_built, p->entry.abi_minor_required);
	for (uint32_t i = 0; i < p->entry.n_modalities; i++) {
		fprintf(out, "modality    %s (default name \"%s\", files %s): %s\n", p->modalities[i].id,
		        p->modalities[i].default_name, p->modalities[i].render_suffix, p->modalities[i].summary);
		print_settings(out, p, &p->modalities[i]);
	}
}

/* ---------------------------------------------------------------- for programs */

static void answer_tensors(mmi_answer *a, cJSON *to, const mmi_safetensors *s)
{
	cJSON *list = mmi_answer_array(a, to, "tensors");
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		cJSON *one = mmi_answer_object(a, list, NULL);
		mmi_answer_text(a, one, "name", t->name);
		mmi_answer_text(a, one, "dtype", mmi_dtype_name(t->dtype));
		cJSON *shape = mmi_answer_array(a, one, "shape");
		for (uint32_t d = 0; d < t->rank; d++)
			mmi_answer_number(a, shape, NULL, (double)t->dim[d]);
	}
}

static void answer_models(mmi_answer *a, cJSON *to, const mmi_safetensors *s)
{
	cJSON *all = mmi_answer_object(a, to, "models");
	for (size_t i = 0; i < MMI_COUNT(models); i++) {
		const model_size size = size_of(s, models[i]);
		if (!size.tensors)
			continue;
		cJSON *one = mmi_answer_object(a, all, models[i]);
		mmi_answer_number(a, one, "parameters", (double)size.parameters);
		mmi_answer_number(a, one, "tensors", (double)size.tensors);
	}
}

/* What is shown of files, and how. */
typedef struct wishes {
	bool tensors, settings, json;
	mmi_answer *answer;
	cJSON *files;
} wishes;

static mm_status answer_checkpoint(const wishes *w, const mmi_checkpoint *ck, mm_error *e)
{
	mmi_answer *a = w->answer;
	cJSON *to = mmi_answer_object(a, w->files, NULL);
	const char *ini = mmi_checkpoint_meta(ck, "settings");
	int64_t iteration = -1;
	if (mmi_safetensors_find(mmi_checkpoint_tensors(ck), "state.iteration"))
		MMI_TRY(mmi_checkpoint_counter(ck, "state.iteration", &iteration, e));
	mmi_answer_text(a, to, "checkpoint", mmi_checkpoint_path(ck));
	for (size_t i = 0; i < MMI_COUNT(texts); i++)
		mmi_answer_text(a, to, texts[i], mmi_checkpoint_meta(ck, texts[i]));
	mmi_answer_number(a, to, "iteration", iteration >= 0 ? (double)iteration : (double)NAN);
	answer_models(a, to, mmi_checkpoint_tensors(ck));
	if (w->tensors)
		answer_tensors(a, to, mmi_checkpoint_tensors(ck));
	if (w->settings && ini)
		mmi_answer_settings(a, to, "settings", ini);
	return MM_OK;
}

/* ---------------------------------------------------------------- files */

static mm_status show_plugin(const mmi_cli *cli, const char *name, const wishes *w, mm_error *e)
{
	mmi_registry *registry;
	const mmi_plugin *plugin;
	MMI_TRY(mmi_registry_create(0, &cli->log, NULL, &registry, e));
	mm_status status = mmi_registry_open(registry, name, &plugin, e);
	if (status == MM_OK && w->json)
		mmi_answer_plugin(w->answer, mmi_answer_object(w->answer, w->files, NULL), plugin);
	else if (status == MM_OK)
		print_plugin(cli->console->out, plugin);
	mmi_registry_destroy(registry);
	return status;
}

static mm_status show_checkpoint(const mmi_cli *cli, const char *path, const wishes *w, mm_error *e)
{
	mmi_checkpoint *ck;
	char *file;
	MMI_TRY(mmi_checkpoint_resolve(path, &file, e));
	mm_status opened = mmi_checkpoint_open(file, &ck, e);
	mmi_free(file);
	MMI_TRY(opened);
	mm_status status =
		w->json ? answer_checkpoint(w, ck, e) : print_checkpoint(cli->console->out, ck, w->tensors, w->settings, e);
	mmi_checkpoint_close(ck);
	return status;
}

static bool is_plugin_name(const char *name)
{
	const char *dot = strrchr(name, '.');
	return (dot && !strcmp(dot, ".so")) || (!strchr(name, '/') && !dot);
}

static int strip(const mmi_cli *cli, const mmi_usage *usage, const mmi_strings *files, const char *to, bool json)
{
	mm_error e = MM_ERROR_INIT;
	char *from;
	if (files->n != 1)
		return mmi_options_refuse(cli, usage, "--strip is for one checkpoint");
	mm_status status = mmi_checkpoint_resolve(files->item[0], &from, &e);
	if (status == MM_OK) {
		status = mmi_checkpoint_strip(from, to, &e);
		mmi_free(from);
	}
	if (status != MM_OK)
		return mmi_cli_refuse(cli, &e);
	return mmi_answer_path(cli, json, json ? "stripped" : "stripped   ", to);
}

static int show_all(const mmi_cli *cli, const mmi_strings *files, wishes *w)
{
	mm_error e = MM_ERROR_INIT;
	mmi_answer a = w->json ? mmi_answer_begin() : (mmi_answer){ .root = NULL };
	mm_status status = MM_OK;
	w->answer = &a;
	w->files = w->json ? mmi_answer_array(&a, a.root, "files") : NULL;
	for (size_t i = 0; i < files->n && status == MM_OK; i++)
		status = is_plugin_name(files->item[i]) ? show_plugin(cli, files->item[i], w, &e)
		                                        : show_checkpoint(cli, files->item[i], w, &e);
	if (status == MM_OK && w->json)
		return mmi_answer_print(cli, &a, MMI_EXIT_OK);
	mmi_answer_drop(&a);
	return status == MM_OK ? MMI_EXIT_OK : mmi_cli_refuse(cli, &e);
}

int mmi_cmd_info(const mmi_cli *cli, int argc, char **argv)
{
	wishes w = { .tensors = false };
	const char *to = NULL;
	mmi_strings files = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_FLAG("tensors", &w.tensors, "list every tensor of a checkpoint"),
		MMI_OPTION_FLAG("settings", &w.settings, "print the settings a checkpoint was trained with"),
		MMI_OPTION_STRING("strip", "FILE", &to,
		                  "write the checkpoint without what only training needs: a third of its size, for use alone"),
		MMI_OPTION_JSON(&w.json), MMI_OPTION_END
	};
	const mmi_usage usage = { "info", "FILE... [options]",
		                      "Tells what a checkpoint (*.safetensors) or a plugin (*.so, or a name on the "
		                      "plugin search path) holds.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, &files, &code)) {
		code = !files.n ? mmi_options_refuse(cli, &usage, "no file given")
		       : to     ? strip(cli, &usage, &files, to, w.json)
		                : show_all(cli, &files, &w);
	}
	mmi_strings_clear(&files);
	return code;
}
