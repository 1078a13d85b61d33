/* extension_wrong.c - defect: an extension with one function is cut short or lacks it; the setting "wrong" says which.
 */
#include "toy.h"

static int wrong;

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	static const char *const ways[] = {
		"saved-size", "saved-function", "variation-size", "variation-function", "group-size", "group-function", NULL
	};
	const toy_self *s = self;
	mm_status status = s->config->get_choice(config, "wrong", ways, 0, &wrong, e);
	return status == MM_OK ? toy_create(self, config, out, e) : status;
}

static const void *extension(const char *id)
{
	static const mm_modality_saved saved[] = { { .struct_size = sizeof(uint32_t) },
		                                       { .struct_size = sizeof(mm_modality_saved) } };
	static const mm_modality_variation variation[] = { { .struct_size = sizeof(uint32_t) },
		                                               { .struct_size = sizeof(mm_modality_variation) } };
	if (wrong < 2)
		return strcmp(id, MM_MODALITY_SAVED) ? NULL : &saved[wrong];
	static const mm_modality_group group[] = { { .struct_size = sizeof(uint32_t) },
		                                       { .struct_size = sizeof(mm_modality_group) } };
	if (wrong < 4)
		return strcmp(id, MM_MODALITY_VARIATION) ? NULL : &variation[wrong - 2];
	return strcmp(id, MM_MODALITY_GROUP) ? NULL : &group[wrong - 4];
}

TOY_PLUGIN("org.example.extension-wrong", desc.create = create; desc.get_extension = extension)
