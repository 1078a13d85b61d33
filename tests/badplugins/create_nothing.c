/* create_nothing.c - defect: create succeeds without an instance. */
#include "toy.h"

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	(void)self;
	(void)config;
	(void)out;
	(void)e;
	return MM_OK;
}

TOY_PLUGIN("org.example.create-nothing", desc.create = create)
