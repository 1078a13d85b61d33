/* answers_all.c - defect: an extension for ids that nobody has; the setting "wrong" says for which. */
#include "toy.h"

static int wrong;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = { "every-id", "beginning", NULL };
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static const void *extension(const char *id)
{
	return !wrong || !strncmp(id, MM_MODALITY_PICTURE, strlen(MM_MODALITY_PICTURE)) ? &toy_picture : NULL;
}

TOY_PLUGIN("org.example.answers-all", desc.create = create; desc.get_extension = extension)
