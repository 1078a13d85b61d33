/* state_wrong.c - defect: keeps its state wrongly; the setting "wrong" says how. */
#include "toy.h"

static int wrong;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "size", "function", "nothing", "empty", "status", "none", NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static mm_status save(mm_instance *i, void **bytes, size_t *size, mm_error *e)
{
	const mm_host_api *api = i->self->api;
	if (wrong == 4)
		return toy_fail(e, MM_EIO, "the words are gone");
	if (wrong != 2)
		*bytes = api->alloc(api->host, 5);
	*size = wrong == 3 ? 0 : 5;
	return MM_OK;
}

static mm_status load(mm_instance *i, const void *bytes, size_t size, mm_error *e)
{
	(void)i, (void)bytes;
	return size == 5 ? MM_OK : toy_fail(e, MM_EFORMAT, "these are not five bytes");
}

static const void *extension(const char *id)
{
	static const mm_modality_state sound = { MM_SIZE_THROUGH(mm_modality_state, load), save, load };
	static const mm_modality_state small = { MM_SIZE_THROUGH(mm_modality_state, save), save, load };
	static const mm_modality_state halved = { MM_SIZE_THROUGH(mm_modality_state, load), save, NULL };
	if (strcmp(id, MM_MODALITY_STATE))
		return toy_extension(id);
	return wrong == 0 ? &small : wrong == 1 ? &halved : &sound;
}

TOY_PLUGIN("org.example.state-wrong", desc.create = create; desc.get_extension = extension)
