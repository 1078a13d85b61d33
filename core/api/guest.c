/* guest.c - calls of a library that does not own its process. */
#include "mmi_build.h"

#include "api/api.h"
#include "plugin/call.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Global, since the code of plugins is: a plugin may count on one call of class [main] at a time, whoever makes it. */
static pthread_mutex_t inside_plugins = PTHREAD_MUTEX_INITIALIZER;

void mmi_guest_call(void *ctx, const struct mmi_call *call, bool inside)
{
	(void)ctx;
	if (call->any)
		return;
	if (inside)
		pthread_mutex_lock(&inside_plugins);
	else
		pthread_mutex_unlock(&inside_plugins);
}

mm_status mmi_visit_tell(mm_status status, const mm_error *from, mm_error *out)
{
	if (status == MM_OK || !out)
		return status;
	out->code = status;
	memcpy(out->message, from->message, sizeof out->message);
	return status;
}

static mm_status lock(mm_model *m, mm_error *e)
{
	if (m->process != getpid())
		return mmi_fail(
			e, MM_ESTATE,
			"the model was opened before a fork, and its threads are the parent's; open it again in the child");
	return pthread_mutex_lock(&m->lock) == 0
	           ? MM_OK
	           : mmi_fail(e, MM_ESTATE, "a callback of a call on this model must not call functions on it");
}

mm_status mmi_visit_begin(mmi_visit *v, mm_model *model, mm_error *out)
{
	*v = (mmi_visit){ .model = model, .error = MM_ERROR_INIT, .out = out };
	mm_status status = model ? lock(model, &v->error) : MM_OK;
	if (status != MM_OK)
		return mmi_visit_tell(status, &v->error, out);
	v->own = newlocale(LC_ALL_MASK, "C", (locale_t)0);
	v->before = v->own ? uselocale(v->own) : (locale_t)0;
	fegetenv(&v->mode);
	fesetenv(FE_DFL_ENV);
	return MM_OK;
}

mm_status mmi_visit_end(mmi_visit *v, mm_status status)
{
	fesetenv(&v->mode);
	if (v->own) {
		uselocale(v->before);
		freelocale(v->own);
	}
	if (v->model)
		pthread_mutex_unlock(&v->model->lock);
	return mmi_visit_tell(status, &v->error, v->out);
}

/* Members behind what either side knows keep their values. */
static mm_status common_size(uint32_t found, size_t known, const char *name, size_t *size, mm_error *e)
{
	enum { LEAST = 2 * sizeof(uint32_t), MOST = 1 << 16 };
	if (found < LEAST || found > MOST)
		return mmi_fail(e, MM_EARG, "%s: struct_size is %u; set it to sizeof the struct, or begin with its _INIT", name,
		                found);
	*size = found < known ? found : known;
	return MM_OK;
}

mm_status mmi_take_struct(const void *from, void *out, size_t known, const char *name, mm_error *e)
{
	uint32_t found;
	size_t size;
	if (!from)
		return MM_OK;
	memcpy(&found, from, sizeof found);
	MMI_TRY(common_size(found, known, name, &size, e));
	memcpy((char *)out + sizeof found, (const char *)from + sizeof found, size - sizeof found);
	return MM_OK;
}

mm_status mmi_give_struct(const void *from, size_t known, void *out, const char *name, mm_error *e)
{
	uint32_t found;
	size_t size;
	if (!out)
		return mmi_fail(e, MM_EARG, "%s is NULL", name);
	memcpy(&found, out, sizeof found);
	MMI_TRY(common_size(found, known, name, &size, e));
	memcpy((char *)out + sizeof found, (const char *)from + sizeof found, size - sizeof found);
	return MM_OK;
}
