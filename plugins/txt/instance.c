/* instance.c - the settings of one modality and what it is. */
#include "mmi_build.h"

#include "learn.h"
#include "nets.h"

static const char *const representations[] = { "embedding", "onehot", NULL };
static const mma_setting caption_settings[] = {
	MMA_CHOICE("representation", mm_instance, representation, representations, TXT_EMBEDDING,
	           "embedding: a vector for each word, all of one length; onehot: probabilities of words."),
	MMA_INT(
		"length", mm_instance, length, 16, 8, TXT_LENGTH_MAX,
		"Words of a caption, its end included: a multiple of 8. Longer captions are cut; how many, the longest and the "
		"length that holds 99 % are told when data is opened."),
	MMA_SWITCH("punctuation", mm_instance, punctuation, 1,
	           "Punctuation marks are words of their own; otherwise they are left out."),
	MMA_REAL(
		"drop", mm_instance, drop, 0, 0, 0.9,
		"Chance of each word to be left out of what the encoder sees of a caption in training, anew each time it is "
		"taken; a word remains of every caption, and what is decoded is compared with all of them. Against learning "
		"few captions by heart."),
	MMA_INT("min_count", mm_instance, min_count, 3, 1, INT32_MAX,
	        "Words that are rarer in the training captions become <unk>."),
	MMA_INT("max_words", mm_instance, max_words, 10000, 1, 200000, "Size of the vocabulary at most."),
};

/* Of a representation that has vectors only: for the other they would be keys that do nothing. */
static const mma_setting vector_settings[] = {
	MMA_PATH(
		"vectors", mm_instance, vectors, NULL,
		"With representation = embedding, as the next two: a file of word2vec, fastText or GloVe in its text form, or "
		"of word2vec in its binary one, as it is or in gzip. Words of the captions that it lacks get random "
		"directions, which is told; a file that has none of them is refused. Without one, vectors are learned from "
		"the training captions."),
	MMA_INT(
		"dim", mm_instance, dim, 0, 0, 1002,
		"Of a word's vector, two coordinates for the end and padding included; 0: 32, or as the file of vectors has "
		"it."),
};
static const mma_setting learned_settings[] = {
	MMA_INT("window", mm_instance, window, 5, 1, 100,
	        "Words so near to each other count as neighbours when vectors are learned; not with vectors."),
};
static const mma_setting net_settings[] = {
	MMA_CHOICE("net", mm_instance, net, txt_net_names, 0,
	           "conv: small, for a CPU; paper: the networks of MMVAE+ and CMVAE for CUB without batch normalisation."),
	MMA_INT("width", mm_instance, width, 32, 1, 1024, "Channels of net = conv."),
	MMA_INT("energy_width", mm_instance, energy_width, 128, 1, 4096, "Of the vector that the energy's head sees."),
};

static const mm_setting *setting_at(uint32_t index)
{
	static const mma_part parts[] = { { caption_settings, MMA_COUNT(caption_settings) },
		                              { vector_settings, MMA_COUNT(vector_settings) },
		                              { learned_settings, MMA_COUNT(learned_settings) },
		                              { net_settings, MMA_COUNT(net_settings) } };
	return pairs_setting_at(PAIRS_TEXT, parts, MMA_COUNT(parts), index);
}
const mm_modality_settings txt_settings = { MM_SIZE_THROUGH(mm_modality_settings, at), setting_at };

static mm_status read_vector_settings(const mma_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	if (i->representation != TXT_EMBEDDING)
		return MM_OK;
	MMA_TRY(mma_settings(h, c, vector_settings, MMA_COUNT(vector_settings), i, e));
	if (i->dim && i->dim < 4)
		return h->config->refuse(c, "dim", "4 to 1002, or 0: 32, or as the file of vectors has it", e);
	return i->vectors ? MM_OK : mma_settings(h, c, learned_settings, MMA_COUNT(learned_settings), i, e);
}

static mm_status read_settings(const mma_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	MMA_TRY(pairs_settings(h, c, PAIRS_TEXT, &i->source, e));
	MMA_TRY(mma_settings(h, c, caption_settings, MMA_COUNT(caption_settings), i, e));
	if (i->length % 8)
		return h->config->refuse(c, "length", "a multiple of 8 from 8 to 256", e);
	i->drop_stream = h->random->stream(h->api->host, i->source.instance);
	MMA_TRY(read_vector_settings(h, c, i, e));
	return mma_settings(h, c, net_settings, MMA_COUNT(net_settings), i, e);
}

mm_status txt_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const txt_plugin *p = self;
	mm_instance *i = mma_new(&p->host, 1, sizeof(*i));
	if (!i)
		return mma_no_memory(e, "an instance");
	i->plugin = p;
	i->host = &p->host;
	mm_status status = read_settings(i->host, config, i, e);
	if (status == MM_OK)
		*out = i;
	else
		txt_destroy(i);
	return status;
}

void txt_destroy(mm_instance *i)
{
	if (!i)
		return;
	txt_vocabulary_clear(&i->vocabulary);
	mma_free(i->host, i->vector);
	mma_free(i->host, i);
}

int32_t txt_features(const mm_instance *i)
{
	return i->representation == TXT_EMBEDDING ? i->dim : (int32_t)i->vocabulary.n;
}

mm_status txt_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	const bool vectors = i->representation == TXT_EMBEDDING;
	if (!i->ready)
		MMA_TRY(txt_learn(i, e));
	out->shape = (mm_shape){ 2, { i->length, txt_features(i), 0, 0 } };
	out->support = vectors ? MM_SUPPORT_REAL : MM_SUPPORT_SIMPLEX;
	out->likelihood = vectors ? MM_LIKELIHOOD_GAUSSIAN : MM_LIKELIHOOD_CATEGORICAL;
	out->likelihood_scale = 0.5f;
	out->likelihood_weight = 1.0f;
	out->n_classes = i->n_classes;
	return MM_OK;
}
