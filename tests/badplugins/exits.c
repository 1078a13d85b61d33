/* exits.c - defect: a callback ends the program, or never comes back; the settings "how" and "where" say so. */
#include "toy.h"

#include <stdlib.h>
#include <unistd.h>

static int how, where;

static void act(int here)
{
	if (here != where)
		return;
	if (how == 0)
		exit(0);
	if (how == 1)
		quick_exit(0);
	for (;;)
		pause();
}

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "exit", "quick-exit", "hang", NULL }, *const places[] = { "create", "open",
		                                                                                          "read", NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "how", ways, 0, &how, e);
	if (status == MM_OK)
		status = s->config->get_choice(config, "where", places, 0, &where, e);
	act(0);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status open_data(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	act(1);
	return toy_open(i, split, out, e);
}

static mm_status read_sample(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	act(2);
	return toy_read(d, index, out, e);
}

TOY_PLUGIN("org.example.exits", desc.create = create; desc.open = open_data; desc.read = read_sample)
