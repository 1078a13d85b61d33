/* cmd_help.c - mmcore help: the commands, one command, or the settings, from the tables that they are read by. */
#include "mmi_build.h"

#include "cli/answer.h"
#include "cli/help_plugins.h"
#include "run/settings.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COLUMN 100 /* where lines of a sentence end */

/* ------------------------------------------------------------ commands */

int mmi_cli_overview(const mmi_cli *cli)
{
	FILE *out = cli->console->out;

	fprintf(out, "Usage: %s [command] [options]\n\n", cli->program);
	fprintf(out,
	        "Learns a joint generative model of several modalities: a latent generator, an inference model and an\n"
	        "energy model that teach each other.\n\nCommands:\n");
	for (const mmi_command *c = mmi_commands; c->name; c++)
		fprintf(out, "  %-12s %s\n", c->name, c->summary);
	fprintf(out,
	        "\n  --help     this text; after a command, its options\n  --version  the version\n\n"
	        "First steps: %s --ini configs/polymnist.ini --out runs/first\n",
	        cli->program);
	return MMI_EXIT_OK;
}

static int refuse_topic(const mmi_cli *cli, const mmi_usage *usage, const char *name)
{
	const char *names[64] = { "settings" };
	size_t n = 1;
	for (const mmi_command *c = mmi_commands; c->name && n < MMI_COUNT(names); c++)
		names[n++] = c->name;
	const char *near = mmi_nearest(name, names, n);
	if (near)
		return mmi_options_refuse(cli, usage, "no command is called '%s'; did you mean '%s'?", name, near);
	return mmi_options_refuse(cli, usage,
	                          "no command is called '%s'; '%s help' lists them, '%s help settings' the settings", name,
	                          cli->program, cli->program);
}

static int explain_command(const mmi_cli *cli, const mmi_usage *usage, const char *name)
{
	for (const mmi_command *c = mmi_commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c->run(cli, 2, (char *[]){ (char *)(uintptr_t)name, (char[]){ "--help" }, NULL });
	return refuse_topic(cli, usage, name);
}

/* ------------------------------------------------------------ settings */

/* Words of `text` in lines behind an indent. */
static void print_wrapped(FILE *out, const char *text)
{
	int column = COLUMN;
	for (const char *at = text; *at; at += strspn(at, " ")) {
		int length = (int)strcspn(at, " ");
		bool next = column + 1 + length > COLUMN;
		fprintf(out, "%s%.*s", next ? (at == text ? "      " : "\n      ") : " ", length, at);
		column = next ? 6 + length : column + 1 + length;
		at += length;
	}
	fputc('\n', out);
}

static void print_key(FILE *out, const char *name, const char *value, const char *about)
{
	fprintf(out, "  %s (%s)\n", name, value);
	print_wrapped(out, about);
}

/* Text for a manual page: no line begins with a control character, and a backslash is one. */
static void put_mdoc(FILE *out, const char *text)
{
	for (; *text; text++)
		fputs(*text == '\\' ? "\\e" : *text == '-' ? "\\-" : (char[]){ *text, 0 }, out);
	fputc('\n', out);
}

static void put_mdoc_key(FILE *out, const char *name, const char *value, const char *about)
{
	fprintf(out, ".It Li %s Pq %s\n", name, value);
	put_mdoc(out, about);
}

static const mmi_help_style plain = { "%s\n", "\n", print_key };
static const mmi_help_style mdoc = { ".Ss %s\n.Bl -tag -width Ds\n", ".El\n", put_mdoc_key };

/* No names: all. A name: a section or a key, with or without "SECTION.". */
static bool is_named(const mmi_key *k, const mmi_strings *names)
{
	char full[160];
	snprintf(full, sizeof full, "%s.%s", k->section, k->name);
	for (size_t i = 1; i < names->n; i++)
		if (!strcasecmp(names->item[i], k->section) || !strcasecmp(names->item[i], k->name) ||
		    !strcasecmp(names->item[i], full))
			return true;
	return names->n < 2;
}

static void print_settings(FILE *out, const mmi_help_style *style, const mmi_strings *names)
{
	const char *title = NULL;
	for (size_t t = 0; t < mmi_n_setting_tables; t++)
		for (size_t i = 0; i < mmi_setting_tables[t]->n; i++) {
			const mmi_key *k = &mmi_setting_tables[t]->keys[i];
			if (!is_named(k, names))
				continue;
			if (!title || strcmp(title, mmi_setting_tables[t]->title)) {
				fputs(title ? style->end : "", out);
				title = mmi_setting_tables[t]->title;
				fprintf(out, style->begin, title);
			}
			char value[MMI_KEY_DEFAULT_TEXT];
			style->key(out, k->name, mmi_key_default(k, value), k->about);
		}
	fputs(title ? style->end : "", out);
}

static int answer_settings(const mmi_cli *cli, const mmi_strings *names)
{
	mmi_answer a = mmi_answer_begin();
	cJSON *list = mmi_answer_array(&a, a.root, "settings");
	char value[MMI_KEY_DEFAULT_TEXT];
	for (size_t t = 0; t < mmi_n_setting_tables; t++)
		for (size_t i = 0; i < mmi_setting_tables[t]->n; i++) {
			const mmi_key *k = &mmi_setting_tables[t]->keys[i];
			if (!is_named(k, names))
				continue;
			cJSON *one = mmi_answer_object(&a, list, NULL);
			mmi_answer_text(&a, one, "section", k->section);
			mmi_answer_text(&a, one, "key", k->name);
			mmi_answer_text(&a, one, "default", mmi_key_default(k, value));
			mmi_answer_text(&a, one, "about", k->about);
		}
	return mmi_answer_print(cli, &a, MMI_EXIT_OK);
}

static bool is_plugin(const char *name)
{
	const char *dot = strrchr(name, '.');
	return dot && !strcmp(dot, ".so");
}

/* names.item[0] is "settings". */
static int explain_settings(const mmi_cli *cli, const mmi_usage *usage, const mmi_strings *names, bool manual,
                            bool json)
{
	const mmi_help_style *style = manual ? &mdoc : &plain;
	bool any = names->n < 2;
	if (!any && is_plugin(names->item[1]))
		return mmi_help_plugins(cli, usage, names->item + 1, names->n - 1, json ? NULL : style);
	for (size_t t = 0; !any && t < mmi_n_setting_tables; t++)
		for (size_t i = 0; i < mmi_setting_tables[t]->n; i++)
			any = any || is_named(&mmi_setting_tables[t]->keys[i], names);
	if (!any)
		return mmi_options_refuse(cli, usage, "no setting of the core is called '%s'; those of a plugin: FILE.so",
		                          names->item[1]);
	if (json)
		return answer_settings(cli, names);
	print_settings(cli->console->out, style, names);
	return MMI_EXIT_OK;
}

int mmi_cmd_help(const mmi_cli *cli, int argc, char **argv)
{
	bool manual = false, json = false;
	mmi_strings names = { 0 };
	const mmi_option options[] = { MMI_OPTION_FLAG("mdoc", &manual, "settings as mmcore-settings(5) has them"),
		                           MMI_OPTION_FLAG("json", &json, "settings as JSON, for programs"), MMI_OPTION_END };
	const mmi_usage usage = {
		"help", "[COMMAND | settings [NAME... | FILE.so...]]",
		"Explains a command, or the settings of the core (all, those of a section, or single keys) or of plugins, each "
		"with its default.",
		options
	};
	int code;
	if (mmi_options_parse(cli, &usage, argc, argv, &names, &code)) {
		code = MMI_EXIT_OK;
		if (names.n == 0)
			code = mmi_cli_overview(cli);
		else if (strcmp(names.item[0], "settings"))
			code = explain_command(cli, &usage, names.item[0]);
		else
			code = explain_settings(cli, &usage, &names, manual, json);
	}
	mmi_strings_clear(&names);
	return code;
}
