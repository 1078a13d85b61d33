/* load_fails.c - defect: load fails, with a text of more than one line. */
#include "toy.h"

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	(void)api;
	(void)self;
	return toy_fail(e, MM_EUNSUPPORTED, "no licence\nfor this machine");
}

TOY_PLUGIN("org.example.load-fails", entry.load = load)
