/* call.c - a call into a plugin: who is inside, and what is put back afterwards. */
#include "mmi_build.h"

#include "plugin/call.h"
#include "plugin/contract.h"
#include "plugin/loader.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

static void tell(const mmi_call *c, bool inside)
{
	const mmi_log *log = c->plugin ? c->plugin->log : NULL;
	if (log && log->call)
		log->call(log->ctx, c, inside);
}

/* Rounding, traps and, where there are such, flushing to zero: what fegetenv holds but for the flags of exceptions,
 * which any computation may raise. */
static unsigned control_now(void)
{
#if defined(__SSE__)
	return _mm_getcsr() & ~0x3Fu;
#else
	return (unsigned)fegetround();
#endif
}

static bool is_guest(const mmi_plugin *plugin)
{
	return plugin && plugin->log && plugin->log->guest;
}

static void begin(mmi_call *c, const char *section, const mmi_plugin *plugin, const char *callback, bool any)
{
	const char *locale = is_guest(plugin) ? NULL : setlocale(LC_ALL, NULL);
	c->section = section;
	c->plugin = plugin;
	c->callback = callback;
	c->error = (mm_error)MM_ERROR_INIT;
	c->folder = -1;
	c->any = any;
	snprintf(c->locale, sizeof c->locale, "%s", locale && strlen(locale) < sizeof c->locale ? locale : "");
	fegetenv(&c->mode);
	c->control = control_now();
	c->changed = 0;
	tell(c, true);
}

void mmi_call_begin_sample(mmi_call *c, const char *section, const mmi_plugin *plugin, const char *callback)
{
	begin(c, section, plugin, callback, true);
}

void mmi_call_begin(mmi_call *c, const char *section, const mmi_plugin *plugin, const char *callback)
{
	begin(c, section, plugin, callback, false);
	if (!is_guest(plugin))
		c->folder = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static bool has_left(int folder)
{
	struct stat was, is;
	return fstat(folder, &was) == 0 && (stat(".", &is) != 0 || was.st_dev != is.st_dev || was.st_ino != is.st_ino);
}

static void return_to_folder(mmi_call *c)
{
	if (!has_left(c->folder))
		return;
	c->changed |= MMI_CHANGED_FOLDER;
	if (fchdir(c->folder) != 0)
		return; /* nothing more can be done */
}

void mmi_call_leave(mmi_call *c)
{
	if (control_now() != c->control)
		c->changed |= MMI_CHANGED_MODE;
	fesetenv(&c->mode);
	const char *locale = c->locale[0] ? setlocale(LC_ALL, NULL) : NULL;
	if (locale && strcmp(locale, c->locale)) {
		c->changed |= MMI_CHANGED_LOCALE;
		setlocale(LC_ALL, c->locale);
	}
	if (c->folder >= 0) {
		return_to_folder(c);
		close(c->folder);
	}
	tell(c, false);
}

char *mmi_call_name(const char *section, const mmi_plugin *plugin, const char *callback, char *text)
{
	char who[MM_ERROR_TEXT] = "", where[48] = "";
	if (section)
		snprintf(where, sizeof where, "[%s] ", section);
	if (plugin && plugin->entry.id)
		snprintf(who, sizeof who, "plugin %s (%s): ", plugin->entry.id, plugin->path);
	else if (plugin)
		snprintf(who, sizeof who, "plugin %s: ", plugin->path);
	snprintf(text, MM_ERROR_TEXT, "%s%.400s%s", where, who, callback);
	return text;
}

mm_status mmi_call_end(mmi_call *c, mm_status status, mm_error *e)
{
	char name[MM_ERROR_TEXT];
	mmi_call_leave(c);
	if (status == MM_OK)
		return MM_OK;
	status = mmi_contract_status(status, &c->error, e);
	mmi_fail_prefix(e, "%s", mmi_call_name(c->section, c->plugin, c->callback, name));
	return status;
}
