/* create_fails.c - defect: create always fails, after it has allocated and released. */
#include "toy.h"

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const toy_self *s = self;
	(void)config;
	(void)out;
	s->api->release(s->api->host, s->api->alloc(s->api->host, 100));
	return toy_fail(e, MM_EIO, "the word list is missing");
}

TOY_PLUGIN("org.example.create-fails", desc.create = create)
