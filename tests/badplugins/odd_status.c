/* odd_status.c - defect: create returns a code that does not exist, and no text. */
#include "toy.h"

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	(void)self;
	(void)config;
	(void)out;
	(void)e;
	return 77;
}

TOY_PLUGIN("org.example.odd-status", desc.create = create)
