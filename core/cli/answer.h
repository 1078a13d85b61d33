/* answer.h - what a command found, for programs: one JSON document on standard output, instead of what people read.
 *
 * The document is built without asking after each step whether there was memory: what fails is remembered, and
 * mmi_answer_print says so. */
#ifndef MMI_ANSWER_H
#define MMI_ANSWER_H

#include "cli/cli.h"
#include "plugin/loader.h"
#include "store/json.h"

typedef struct mmi_answer {
	cJSON *root; /* an object */
	bool failed; /* memory ran out */
} mmi_answer;

mmi_answer mmi_answer_begin(void);
/* Prints it and frees it; the exit status is `status`, unless that is OK and memory ran out. */
int mmi_answer_print(const mmi_cli *cli, mmi_answer *a, int status);
void mmi_answer_drop(mmi_answer *a);

/* Members of an object, or with name NULL the next element of an array. `to` is NULL when memory ran out before. */
cJSON *mmi_answer_object(mmi_answer *a, cJSON *to, const char *name);
cJSON *mmi_answer_array(mmi_answer *a, cJSON *to, const char *name);
/* Text that others may have written: bytes that are no UTF-8 become U+FFFD. NULL becomes null. */
void mmi_answer_text(mmi_answer *a, cJSON *to, const char *name, const char *text);
/* null where it is not finite. */
void mmi_answer_number(mmi_answer *a, cJSON *to, const char *name, double value);
/* As short as reads back to the same float. */
void mmi_answer_float(mmi_answer *a, cJSON *to, const char *name, float value);
void mmi_answer_bool(mmi_answer *a, cJSON *to, const char *name, bool value);
/* An INI's text as an object of sections, each an object of texts. */
void mmi_answer_settings(mmi_answer *a, cJSON *to, const char *name, const char *ini);
/* A plugin that was checked: what `info` and `plugins` tell, and a row of its table of settings. */
void mmi_answer_plugin(mmi_answer *a, cJSON *to, const mmi_plugin *p);
void mmi_answer_setting(mmi_answer *a, cJSON *to, const mm_setting *s);
/* Takes value, which is NULL when memory ran out. */
void mmi_answer_take(mmi_answer *a, cJSON *to, const char *name, cJSON *value);

/* The whole answer of a command that made one file: "label      path" for people, {label: path} for programs. */
int mmi_answer_path(const mmi_cli *cli, bool json, const char *label, const char *path);

#define MMI_OPTION_JSON(to) MMI_OPTION_FLAG("json", to, "print the answer as JSON, for programs")

#endif
