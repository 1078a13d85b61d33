/* cmd_info.c - mmcore info: what a checkpoint or a plugin holds. */
#include "mmi_build.h"

#include "cli/cli.h"
#include "plugin/loader.h"
#include "store/checkpoint.h"
#include "store/strip.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void print_model(FILE *out, const mmi_safetensors *s, const char *model)
{
	uint64_t tensors = 0, parameters = 0;
	char prefix[32];
	snprintf(prefix, sizeof prefix, "%s.", model);
	for (size_t i = 0; i < mmi_safetensors_count(s); i++) {
		const mmi_tensor_info *t = mmi_safetensors_at(s, i);
		if (!starts(t->name, prefix))
			continue;
		tensors++;
		parameters += (t->end - t->begin) / mmi_dtype_size(t->dtype);
	}
	if (tensors)
		fprintf(out, "%-11s %" PRIu64 " parameters in %" PRIu64 " tensors\n", model, parameters, tensors);
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
	static const char *const models[] = { "generator", "inference", "energy", "judge", "matcher" };
	static const char *const texts[] = { "format", "version", "modalities", "build" };
	const mmi_safetensors *s = mmi_checkpoint_tensors(ck);

	print_field(out, "checkpoint", mmi_checkpoint_path(ck));
	for (size_t i = 0; i < MMI_COUNT(texts); i++)
		if (mmi_checkpoint_meta(ck, texts[i]))
			print_field(out, texts[i], mmi_checkpoint_meta(ck, texts[i]));
	MMI_TRY(print_iteration(out, ck, e));
	for (size_t i = 0; i < MMI_COUNT(models); i++)
		print_model(out, s, models[i]);
	print_model(out, s, "fitted");
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

static mm_status show_plugin(const mmi_cli *cli, const char *name, mm_error *e)
{
	mmi_registry *registry;
	const mmi_plugin *plugin;
	MMI_TRY(mmi_registry_create(0, &cli->log, NULL, &registry, e));
	mm_status status = mmi_registry_open(registry, name, &plugin, e);
	if (status == MM_OK)
		print_plugin(cli->console->out, plugin);
	mmi_registry_destroy(registry);
	return status;
}

static mm_status show_checkpoint(const mmi_cli *cli, const char *path, bool tensors, bool settings, mm_error *e)
{
	mmi_checkpoint *ck;
	char *file;
	MMI_TRY(mmi_checkpoint_resolve(path, &file, e));
	mm_status opened = mmi_checkpoint_open(file, &ck, e);
	mmi_free(file);
	MMI_TRY(opened);
	mm_status status = print_checkpoint(cli->console->out, ck, tensors, settings, e);
	mmi_checkpoint_close(ck);
	return status;
}

static bool is_plugin_name(const char *name)
{
	const char *dot = strrchr(name, '.');
	return (dot && !strcmp(dot, ".so")) || (!strchr(name, '/') && !dot);
}

static int strip(const mmi_cli *cli, const mmi_usage *usage, const mmi_strings *files, const char *to)
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
	fprintf(cli->console->out, "stripped    %s\n", to);
	return MMI_EXIT_OK;
}

static int show_all(const mmi_cli *cli, const mmi_strings *files, bool tensors, bool settings)
{
	mm_error e = MM_ERROR_INIT;
	for (size_t i = 0; i < files->n; i++) {
		mm_status status = is_plugin_name(files->item[i]) ? show_plugin(cli, files->item[i], &e)
		                                                  : show_checkpoint(cli, files->item[i], tensors, settings, &e);
		if (status != MM_OK)
			return mmi_cli_refuse(cli, &e);
	}
	return MMI_EXIT_OK;
}

int mmi_cmd_info(const mmi_cli *cli, int argc, char **argv)
{
	bool tensors = false, settings = false;
	const char *to = NULL;
	mmi_strings files = { 0 };
	const mmi_option options[] = {
		MMI_OPTION_FLAG("tensors", &tensors, "list every tensor of a checkpoint"),
		MMI_OPTION_FLAG("settings", &settings, "print the settings a checkpoint was trained with"),
		MMI_OPTION_STRING("strip", "FILE", &to,
		                  "write the checkpoint without what only training needs: a third of its size, for use alone"),
		MMI_OPTION_END
	};
	const mmi_usage usage = { "info", "FILE... [options]",
		                      "Tells what a checkpoint (*.safetensors) or a plugin (*.so, or a name on the "
		                      "plugin search path) holds.",
		                      options };
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, &files, &code)) {
		code = !files.n ? mmi_options_refuse(cli, &usage, "no file given")
		       : to     ? strip(cli, &usage, &files, to)
		                : show_all(cli, &files, tensors, settings);
	}
	mmi_strings_clear(&files);
	return code;
}
