/* ambient.c - defect: each callback changes the rounding mode, the locale or the current folder; the setting "changes"
 * says which. */
#include "toy.h"

#include <fenv.h>
#include <locale.h>
#include <unistd.h>

static int changes;

/* The current folder only where the host looks after it: not once a sample. */
static void change(int once)
{
	if (changes == 0)
		fesetround(FE_UPWARD);
	else if (changes == 1)
		setlocale(LC_ALL, "C.UTF-8");
	else if (once && chdir("/"))
		return;
}

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "rounding", "locale", "folder", NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "changes", ways, 0, &changes, e);
	change(1);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	change(1);
	return toy_describe(i, out, e);
}

static mm_status open_data(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	change(1);
	return toy_open(i, split, out, e);
}

static mm_status read_sample(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	change(0);
	return toy_read(d, index, out, e);
}

TOY_PLUGIN("org.example.ambient", desc.create = create; desc.describe = describe; desc.open = open_data;
           desc.read = read_sample)
