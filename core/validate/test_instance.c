/* test_instance.c - what an instance is: its creation, description, extensions, settings and state. */
#include "mmi_build.h"

#include "validate/tests.h"

#include <stdio.h>
#include <string.h>

/* ---------------------------------------------------------------- making one */

static mm_status answers(mmi_subject *s, const char *id, const void *(*get_extension)(const char *), mm_error *e)
{
	mmi_call call;
	mmi_call_begin(&call, s->section, s->plugin, "get_extension");
	const void *answer = get_extension(id);
	mmi_call_leave(&call);
	return answer ? mmi_subject_blame(
						e, "get_extension has an answer for \"%s\", an id that nobody has; compare whole ids", id)
	              : MM_OK;
}

static mm_status ask_unknown(mmi_subject *s, const void *(*get_extension)(const char *), mm_error *e)
{
	static const char *const known[] = { MM_MODALITY_PICTURE, MM_MODALITY_FILE,      MM_MODALITY_CLASSIFIER,
		                                 MM_MODALITY_SAVED,   MM_MODALITY_VARIATION, MM_MODALITY_STATE,
		                                 MM_MODALITY_GROUP,   MM_MODALITY_SETTINGS };
	char tailed[64];
	MMI_TRY(answers(s, "mm.none/0", get_extension, e));
	MMI_TRY(answers(s, "", get_extension, e));
	for (size_t i = 0; i < MMI_COUNT(known); i++) {
		snprintf(tailed, sizeof tailed, "%sx", known[i]);
		MMI_TRY(answers(s, tailed, get_extension, e));
		snprintf(tailed, sizeof tailed, "%.*s", (int)strlen(known[i]) - 1, known[i]);
		MMI_TRY(answers(s, tailed, get_extension, e));
	}
	return MM_OK;
}

mm_status mmi_test_unknown_ids(mmi_subject *s, mm_error *e)
{
	const mm_modality_desc *desc;
	MMI_TRY(mmi_plugin_modality(s->plugin, s->request->modality, &desc, e));
	if (MM_HAS(desc, get_extension))
		MMI_TRY(ask_unknown(s, desc->get_extension, e));
	return s->plugin->entry.get_extension ? ask_unknown(s, s->plugin->entry.get_extension, e) : MM_OK;
}

/* Makes an instance; what failed in another callback is another test's. */
static mm_status make(mmi_subject *s, const char *const *callbacks, size_t n, mm_error *e)
{
	mm_error found = MM_ERROR_INIT;
	mm_status status = mmi_subject_make(s, &found);
	if (status == MM_OK)
		return MM_OK;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s->entered, callbacks[i])) {
			if (!s->data && (status == MM_ECONFIG || status == MM_EIO))
				return mmi_subject_skip(s, e, "it needs settings or data (--set, --data): %.400s", found.message);
			return mmi_fail(e, status, "%s", found.message);
		}
	return MM_OK;
}

mm_status mmi_test_create(mmi_subject *s, mm_error *e)
{
	static const char *const callbacks[] = { "create" };
	return make(s, callbacks, 1, e);
}

mm_status mmi_test_describe(mmi_subject *s, mm_error *e)
{
	static const char *const callbacks[] = { "describe" };
	return make(s, callbacks, 1, e);
}

mm_status mmi_test_extensions(mmi_subject *s, mm_error *e)
{
	static const char *const callbacks[] = { "get_extension" };
	return make(s, callbacks, 1, e);
}

mm_status mmi_test_describe_pure(mmi_subject *s, mm_error *e)
{
	mm_modality_info info[2];
	for (int i = 0; i < 2; i++) {
		mmi_call call;
		memset(&info[i], 0, sizeof info[i]);
		info[i].struct_size = MM_SIZE_THROUGH(mm_modality_info, n_classes);
		mmi_call_begin(&call, s->m.name, s->m.plugin, "describe");
		MMI_TRY(mmi_call_end(&call, s->m.desc->describe(s->m.instance, &info[i], &call.error), e));
	}
	const mm_modality_info *first = &s->m.info; /* settings may have changed its likelihood */
	if (memcmp(&info[0], &info[1], sizeof info[0]) || !mmi_shape_equal(&info[0].shape, &first->shape) ||
	    info[0].n_classes != first->n_classes || info[0].support != first->support ||
	    (!s->request->n_sets && mmi_contract_has_scale(first->likelihood) &&
	     (info[0].likelihood != first->likelihood ||
	      memcmp(&info[0].likelihood_scale, &first->likelihood_scale, sizeof(float)))))
		return mmi_subject_blame(e, "describe says something else the second time");
	return MM_OK;
}

mm_status mmi_test_null_release(mmi_subject *s, mm_error *e)
{
	mmi_call call;
	(void)e;
	mmi_call_begin(&call, s->m.name, s->m.plugin, "destroy of NULL");
	s->m.desc->destroy(NULL);
	mmi_call_leave(&call);
	mmi_call_begin(&call, s->m.name, s->m.plugin, "close of NULL");
	s->m.desc->close(NULL);
	mmi_call_leave(&call);
	return MM_OK;
}

/* ---------------------------------------------------------------- memory */

static mm_status make_anew(mmi_subject *s, void *unused, mm_error *e)
{
	(void)unused;
	mmi_subject_unmake(s);
	return mmi_subject_make(s, e);
}

mm_status mmi_test_create_flat(mmi_subject *s, mm_error *e)
{
	return mmi_subject_flat(s, "create and destroy", 1000, make_anew, NULL, e);
}

/* ---------------------------------------------------------------- settings */

/* The next "key = value" of the modality's own section in a resolved INI. */
static bool next_key(const char **at, const char *section, bool *inside, char *key, size_t size)
{
	while (**at) {
		const char *line = *at;
		const size_t length = strcspn(line, "\n");
		*at += length + (line[length] == '\n');
		if (*line == '[') {
			*inside = strlen(section) + 2 == length && !strncmp(line + 1, section, strlen(section));
			continue;
		}
		const size_t name = strcspn(line, " =\n");
		if (*inside && name && name < size && *line != ';') {
			snprintf(key, size, "%.*s", (int)name, line);
			return true;
		}
	}
	return false;
}

static bool of_the_core(const char *key)
{
	static const char *const keys[] = { "plugin", "modality", "likelihood", "likelihood_weight", "x_scale" };
	for (size_t i = 0; i < MMI_COUNT(keys); i++)
		if (!strcmp(keys[i], key))
			return true;
	return false;
}

static mm_status try_value(mmi_subject *s, const char *key, const char *value, mm_error *e)
{
	mm_error answer = MM_ERROR_INIT;
	char *assignment = mmi_format("%s=%s", key, value);
	if (!assignment)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mmi_subject_unmake(s);
	const size_t blocks = mmi_host_blocks(s->plugin->host);
	s->sets[0] = assignment;
	mm_status status = mmi_subject_make(s, &answer);
	mmi_subject_unmake(s);
	s->sets[0] = NULL;
	const size_t left = mmi_host_blocks(s->plugin->host);
	mmi_free(assignment);
	if (status != MM_OK && strstr(answer.message, "the plugin gave no text"))
		return mmi_subject_blame(e, "%s = %s is refused without a text", key, value);
	if (left > blocks)
		return mmi_subject_blame(e, "%s = %s leaves %zu blocks of the host", key, value, left - blocks);
	return MM_OK;
}

static mm_status try_values(mmi_subject *s, const char *resolved, mm_error *e)
{
	static const char *const values[] = {
		"", "x", "-1", "0", "1e9", "2147483648", "-9223372036854775808", "nan", "/nowhere/x", "%n%s", "gaussian()"
	};
	const char *at = resolved;
	bool inside = false;
	char key[64];
	const double until = mmi_subject_clock() + s->request->limit / 8;
	while (next_key(&at, s->section, &inside, key, sizeof key))
		for (size_t i = 0; i < MMI_COUNT(values) && !of_the_core(key) && mmi_subject_clock() < until; i++)
			MMI_TRY(try_value(s, key, values[i], e));
	return MM_OK;
}

mm_status mmi_test_bad_settings(mmi_subject *s, mm_error *e)
{
	char *resolved;
	MMI_TRY(mmi_config_resolved(s->config, &resolved, e));
	mm_status status = try_values(s, resolved, e);
	mmi_free(resolved);
	return status;
}

/* Makes an instance with a value: whether the setting was refused, as the host refuses it. */
static bool refuses(mmi_subject *s, const char *key, const char *value, bool *made, mm_error *answer)
{
	char *assignment = mmi_format("%s=%s", key, value);
	mmi_subject_unmake(s);
	s->sets[0] = assignment;
	mm_status status = assignment ? mmi_subject_make(s, answer) : MM_ENOMEM;
	*made = status == MM_OK;
	return status == MM_ECONFIG;
}

static mm_status must_refuse(mmi_subject *s, const mm_setting *x, const char *value, mm_error *e)
{
	mm_error answer = MM_ERROR_INIT;
	bool made;
	const bool refused = refuses(s, x->key, value, &made, &answer);
	mmi_free((void *)(uintptr_t)s->sets[0]);
	s->sets[0] = NULL;
	return refused || !made
	           ? MM_OK
	           : mmi_subject_blame(e, "create takes %s = %s, which its table of settings excludes", x->key, value);
}

/* Makes an instance with "key=name" of a choice and looks whether it asked for `wanted`. */
static bool asks_with(mmi_subject *s, const char *choice, const char *wanted)
{
	mm_error answer = MM_ERROR_INIT;
	mmi_subject_unmake(s);
	s->sets[0] = choice;
	const bool asked = mmi_subject_make(s, &answer) == MM_OK && mmi_config_asked(s->config, s->section, wanted);
	s->sets[0] = NULL;
	return asked;
}

/* A key that is asked for only with some value of a choice: *with becomes that choice as "key=name", which the caller
 * frees; NULL where none is. */
static mm_status find_condition(mmi_subject *s, const mm_modality_desc *desc, const char *wanted, char **with,
                                mm_error *e)
{
	const mm_setting *x;
	*with = NULL;
	for (uint32_t i = 0; (x = mmi_plugin_setting(s->plugin, desc, i)); i++)
		for (size_t k = 0; x->kind == MM_SETTING_CHOICE && x->names && x->names[k]; k++) {
			char *choice = mmi_format("%s=%s", x->key, x->names[k]);
			if (!choice)
				return mmi_fail(e, MM_ENOMEM, "out of memory");
			if (asks_with(s, choice, wanted)) {
				*with = choice;
				return MM_OK;
			}
			mmi_free(choice);
		}
	return MM_OK;
}

static mm_status judge_values(mmi_subject *s, const mm_setting *x, mm_error *e)
{
	char value[64];
	const bool number = x->kind == MM_SETTING_INT || x->kind == MM_SETTING_REAL;
	if (number && !(x->min <= x->fallback && x->fallback <= x->max))
		return mmi_subject_blame(e, "the default of %.50s is %g, its range %g to %g", x->key, x->fallback, x->min,
		                         x->max);
	if (x->kind != MM_SETTING_TEXT && x->kind != MM_SETTING_PATH)
		MMI_TRY(must_refuse(s, x, "nonsense", e));
	for (int k = 0; k < 2 && number; k++) {
		snprintf(value, sizeof value, x->kind == MM_SETTING_INT ? "%.0f" : "%.17g",
		         k ? x->max + (x->max < 1e15 ? 1 : 0) : x->min - (x->min > -1e15 ? 1 : 0));
		MMI_TRY(must_refuse(s, x, value, e));
	}
	return MM_OK;
}

static mm_status judge_setting(mmi_subject *s, const mm_modality_desc *desc, const mm_setting *x, bool asked,
                               mm_error *e)
{
	char *with = NULL;
	if (x->kind < MM_SETTING_INT || x->kind > MM_SETTING_PATH)
		return mmi_subject_blame(e, "the setting %.50s is of kind %d, which is none", x->key, (int)x->kind);
	if (!asked) {
		MMI_TRY(find_condition(s, desc, x->key, &with, e));
		if (!with)
			return mmi_subject_blame(
				e, "create does not ask for %.50s, which its table of settings has, whatever its choices are", x->key);
	}
	s->sets[1] = with;
	mm_status status = judge_values(s, x, e);
	s->sets[1] = NULL;
	mmi_free(with);
	return status;
}

mm_status mmi_test_settings(mmi_subject *s, mm_error *e)
{
	enum { MOST = 1000 };
	const mm_modality_desc *desc = s->m.desc;
	bool asked[MOST] = { false };
	const mm_setting *x;
	uint32_t n = 0;
	if (!mmi_plugin_setting(s->plugin, desc, 0))
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_SETTINGS);
	for (; n < MOST && (x = mmi_plugin_setting(s->plugin, desc, n)); n++)
		asked[n] = mmi_config_asked(s->config, s->section, x->key);
	mm_status status = MM_OK;
	for (uint32_t i = 0; status == MM_OK && i < n; i++)
		status = judge_setting(s, desc, mmi_plugin_setting(s->plugin, desc, i), asked[i], e);
	return status;
}

/* ---------------------------------------------------------------- state */

static const mm_modality_state *find_state(mmi_subject *s)
{
	const mm_modality_desc *desc;
	mmi_call call;
	mm_error e = MM_ERROR_INIT;
	if (mmi_plugin_modality(s->plugin, s->request->modality, &desc, &e) != MM_OK || !MM_HAS(desc, get_extension))
		return NULL;
	mmi_call_begin(&call, s->section, s->plugin, "get_extension");
	const mm_modality_state *x = desc->get_extension(MM_MODALITY_STATE);
	mmi_call_leave(&call);
	return x;
}

/* Another instance with these bytes as its state, unless what made them fails. */
static mm_status restore(mmi_subject *s, const void *bytes, size_t size, mmi_modality *out, mm_error *e)
{
	const mmi_modality_state state = { .bytes = bytes, .size = size };
	return mmi_modality_restore(s->registry, s->config, s->section, s->plugin, s->request->modality, &state, out, e);
}

mm_status mmi_test_save(mmi_subject *s, mm_error *e)
{
	static const char *const callbacks[] = { "save" };
	if (!find_state(s))
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_STATE);
	return make(s, callbacks, 1, e);
}

mm_status mmi_test_state(mmi_subject *s, mm_error *e)
{
	mmi_modality again = { 0 };
	if (!s->m.state)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_STATE);
	mm_error found = MM_ERROR_INIT;
	if (restore(s, s->m.state, s->m.state_bytes, &again, &found) != MM_OK)
		return mmi_subject_blame(e, "what save gave is refused by load: %.400s", found.message);
	if (again.state_bytes != s->m.state_bytes || memcmp(again.state, s->m.state, again.state_bytes))
		return mmi_subject_blame(e, "save after load gives other bytes (%zu) than those that were loaded (%zu)",
		                         again.state_bytes, s->m.state_bytes);
	mmi_modality_destroy(&again);
	return MM_OK;
}

static mm_status load_junk(mmi_subject *s, const void *bytes, size_t size, mm_error *e)
{
	mmi_modality again = { 0 };
	mmi_guarded *block;
	mm_error answer = MM_ERROR_INIT;
	const size_t blocks = mmi_host_blocks(s->plugin->host);
	MMI_TRY(mmi_subject_block(s, "the state's bytes", size, &block, e));
	memcpy(block->at, bytes, size);
	if (restore(s, block->at, size, &again, &answer) == MM_OK)
		mmi_modality_destroy(&again);
	if (memcmp(block->at, bytes, size))
		return mmi_subject_blame(e, "load changes the bytes it is given");
	mmi_guarded_free(block);
	s->n_blocks--;
	const size_t left = mmi_host_blocks(s->plugin->host);
	if (left > blocks)
		return mmi_subject_blame(e, "load of a damaged state leaves %zu blocks of the host", left - blocks);
	return MM_OK;
}

mm_status mmi_test_state_junk(mmi_subject *s, mm_error *e)
{
	const double until = mmi_subject_clock() + s->request->limit / 8;
	const size_t size = s->m.state_bytes;
	if (!s->m.state)
		return mmi_subject_skip(s, e, "it has no " MM_MODALITY_STATE);
	unsigned char *bytes = mmi_alloc(size ? size : 1, 1);
	mm_status status = bytes ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory");
	for (unsigned k = 0; status == MM_OK && k < 64 && mmi_subject_clock() < until; k++) {
		size_t part = k < 8 ? size * k / 8 : size;
		memcpy(bytes, s->m.state, size);
		for (unsigned n = k < 8 ? 0 : k < 56 ? 1 : (unsigned)(size < 4096 ? size : 4096); n > 0; n--)
			bytes[mmi_subject_word(s) % size] ^= (unsigned char)(1u << mmi_subject_word(s) % 8);
		status = load_junk(s, bytes, part, e);
	}
	mmi_free(bytes);
	return status;
}
