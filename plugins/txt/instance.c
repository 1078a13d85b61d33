/* instance.c - the settings of one modality and what it is. */
#include "mmi_build.h"

#include "learn.h"
#include "nets.h"

static mm_status read_caption_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	static const char *const representations[] = { "embedding", "onehot", NULL };
	COM_TRY(pairs_settings(h, c, PAIRS_TEXT, &i->source, e));
	COM_TRY(h->config->get_choice(c, "representation", representations, TXT_EMBEDDING, &i->representation, e));
	COM_TRY(com_get_int32(h, c, "length", 16, 8, TXT_LENGTH_MAX, &i->length, e));
	if (i->length % 8)
		return h->config->refuse(c, "length", "a multiple of 8 from 8 to 256", e);
	COM_TRY(h->config->get_bool(c, "punctuation", 1, &i->punctuation, e));
	COM_TRY(h->config->get_float(c, "drop", 0, 0, 0.9, &i->drop, e));
	i->drop_stream = h->random->stream(h->api->host, i->source.instance);
	COM_TRY(com_get_int32(h, c, "min_count", 3, 1, INT32_MAX, &i->min_count, e));
	return com_get_int32(h, c, "max_words", 10000, 1, 200000, &i->max_words, e);
}

/* Of a representation that has vectors only: for the other they would be keys that do nothing. */
static mm_status read_vector_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	if (i->representation != TXT_EMBEDDING)
		return MM_OK;
	COM_TRY(h->config->get_path(c, "vectors", NULL, &i->vectors, e));
	COM_TRY(com_get_int32(h, c, "dim", 0, 0, 1002, &i->dim, e));
	if (i->dim && i->dim < 4)
		return h->config->refuse(c, "dim", "4 to 1002, or 0: 32, or as the file of vectors has it", e);
	return i->vectors ? MM_OK : com_get_int32(h, c, "window", 5, 1, 100, &i->window, e);
}

static mm_status read_net_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	int net;
	COM_TRY(h->config->get_choice(c, "net", txt_net_names, 0, &net, e));
	i->net = txt_net_table[net];
	COM_TRY(com_get_int32(h, c, "width", 32, 1, 1024, &i->width, e));
	return com_get_int32(h, c, "energy_width", 128, 1, 4096, &i->energy_width, e);
}

mm_status txt_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const txt_plugin *p = self;
	mm_instance *i = com_alloc(&p->host, 1, sizeof(*i));
	if (!i)
		return com_no_memory(e, "an instance");
	i->plugin = p;
	i->host = &p->host;
	mm_status status = read_caption_settings(i->host, config, i, e);
	if (status == MM_OK)
		status = read_vector_settings(i->host, config, i, e);
	if (status == MM_OK)
		status = read_net_settings(i->host, config, i, e);
	if (status != MM_OK) {
		com_release(i->host, i);
		return status;
	}
	*out = i;
	return MM_OK;
}

void txt_destroy(mm_instance *i)
{
	if (!i)
		return;
	txt_vocabulary_clear(&i->vocabulary);
	com_release(i->host, i->vector);
	com_release(i->host, i);
}

int32_t txt_features(const mm_instance *i)
{
	return i->representation == TXT_EMBEDDING ? i->dim : (int32_t)i->vocabulary.n;
}

mm_status txt_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	const bool vectors = i->representation == TXT_EMBEDDING;
	if (!i->ready)
		COM_TRY(txt_learn(i, e));
	out->shape = (mm_shape){ 2, { i->length, txt_features(i), 0, 0 } };
	out->support = vectors ? MM_SUPPORT_REAL : MM_SUPPORT_SIMPLEX;
	out->likelihood = vectors ? MM_LIKELIHOOD_GAUSSIAN : MM_LIKELIHOOD_CATEGORICAL;
	out->likelihood_scale = 0.5f;
	out->likelihood_weight = 1.0f;
	out->n_classes = i->n_classes;
	return MM_OK;
}
