/* cmd_plugins.c - mmcore plugins: what was found on the search path, what was refused, and why. */
#include "mmi_build.h"

#include "cli/answer.h"

#include <string.h>

static bool usable(const mmi_plugin *p)
{
	return p->state == MMI_PLUGIN_CHECKED || p->state == MMI_PLUGIN_STARTED;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

static void print_details(FILE *out, const mmi_plugin *p)
{
	const mm_plugin_entry *e = &p->entry;

	fputs("  file     ", out);
	mmi_console_text(out, p->path);
	fputc('\n', out);
	fprintf(out, "  id       %s %s\n", or_dash(e->id), or_dash(e->version));
	fprintf(out, "  vendor   %s\n", or_dash(e->vendor));
	fprintf(out, "  licence  %s\n", or_dash(e->license));
	fprintf(out, "  ABI      %d, built with minor %d, runs from minor %d\n", e->abi_major, e->abi_minor_built,
	        e->abi_minor_required);
}

static void print_plugin(FILE *out, const mmi_plugin *p, bool verbose)
{
	mmi_console_text(out, base_name(p->path));
	fprintf(out, "  %s %s\n", or_dash(p->entry.name), or_dash(p->entry.version));
	if (verbose)
		print_details(out, p);
	for (uint32_t i = 0; i < p->entry.n_modalities; i++)
		fprintf(out, "  %-12s %s\n", p->modalities[i].id, or_dash(p->modalities[i].summary));
}

static size_t print_usable(FILE *out, const mmi_registry *r, bool verbose)
{
	size_t found = 0;

	for (size_t i = 0; i < mmi_registry_count(r); i++) {
		const mmi_plugin *p = mmi_registry_plugin(r, i);
		if (!usable(p))
			continue;
		print_plugin(out, p, verbose);
		found++;
	}
	return found;
}

static void print_refused(FILE *out, const mmi_registry *r)
{
	bool heading = false;

	for (size_t i = 0; i < mmi_registry_count(r); i++) {
		const mmi_plugin *p = mmi_registry_plugin(r, i);
		if (usable(p))
			continue;
		if (!heading)
			fprintf(out, "\nNot used:\n");
		heading = true;
		fprintf(out, "  %s: ", mmi_plugin_state_name(p->state));
		mmi_console_text(out, p->why.message);
		fputc('\n', out);
	}
}

static void print_folders(FILE *out, const mmi_registry *r)
{
	fprintf(out, "\nSearched, in this order:\n");
	for (size_t i = 0; i < mmi_registry_folders(r); i++)
		fprintf(out, "  %s\n", mmi_registry_folder(r, i));
}

static void print_registry(const mmi_cli *cli, const mmi_registry *r, bool verbose)
{
	FILE *out = cli->console->out;
	size_t found = print_usable(out, r, verbose);

	if (!found)
		fprintf(out, "No plugins found.\n");
	print_refused(out, r);
	if (verbose || !found)
		print_folders(out, r);
}

/* What could not be looked at for want of memory may be there after all: the list is not whole. */
static mm_status check_whole(const mmi_registry *r, mm_error *e)
{
	for (size_t i = 0; i < mmi_registry_count(r); i++)
		if (mmi_registry_plugin(r, i)->why.code == MM_ENOMEM)
			return mmi_fail(e, MM_ENOMEM, "%s", mmi_registry_plugin(r, i)->why.message);
	return MM_OK;
}

static int answer(const mmi_cli *cli, const mmi_registry *r)
{
	mmi_answer a = mmi_answer_begin();
	cJSON *plugins = mmi_answer_array(&a, a.root, "plugins"), *refused = mmi_answer_array(&a, a.root, "refused");
	cJSON *folders = mmi_answer_array(&a, a.root, "folders");
	for (size_t i = 0; i < mmi_registry_count(r); i++) {
		const mmi_plugin *p = mmi_registry_plugin(r, i);
		cJSON *one = mmi_answer_object(&a, usable(p) ? plugins : refused, NULL);
		if (usable(p)) {
			mmi_answer_plugin(&a, one, p);
			continue;
		}
		mmi_answer_text(&a, one, "path", p->path);
		mmi_answer_text(&a, one, "state", mmi_plugin_state_name(p->state));
		mmi_answer_text(&a, one, "reason", p->why.message);
	}
	for (size_t i = 0; i < mmi_registry_folders(r); i++)
		mmi_answer_text(&a, folders, NULL, mmi_registry_folder(r, i));
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

int mmi_cmd_plugins(const mmi_cli *cli, int argc, char **argv)
{
	bool verbose = false, json = false;
	const char *path = NULL;
	const mmi_option options[] = {
		MMI_OPTION_STRING("path", "FOLDER[:FOLDER]...", &path, "look in these folders first"),
		MMI_OPTION_FLAG("verbose", &verbose, "files, versions, licences and the folders searched as well"),
		MMI_OPTION_JSON(&json), MMI_OPTION_END
	};
	const mmi_usage usage = {
		"plugins", "[options]",
		"Lists the plugins on the search path with the modalities they bring, and the files that were refused with the "
		"reason. No plugin is started.",
		options
	};
	mmi_registry *registry = NULL;
	mm_error e = MM_ERROR_INIT;
	int code;

	if (!mmi_options_parse(cli, &usage, argc, argv, NULL, &code))
		return code;
	mm_status status = mmi_registry_create(0, &cli->log, path, &registry, &e);
	if (status == MM_OK)
		status = mmi_registry_scan(registry, &e);
	if (status == MM_OK) {
		code = json ? answer(cli, registry) : MMI_EXIT_OK;
		if (!json)
			print_registry(cli, registry, verbose);
		status = check_whole(registry, &e);
	}
	mmi_registry_destroy(registry);
	return status == MM_OK ? code : mmi_cli_fail(cli, &e);
}
