/* instance.c - the settings of one modality, what it is, and what a checkpoint keeps of it. */
#include "mmi_build.h"

#include "img.h"
#include "nets.h"

static double usual_output(const void *into)
{
	const mm_instance *i = into;
	return img_net_table[i->net]->default_output;
}

static double usual_stride(const void *into)
{
	const mm_instance *i = into;
	return i->fit.size > 64 ? i->fit.size / 64 : 1;
}

static const char *const filters[] = { "area", "lanczos", NULL }, *const fits[] = { "stretch", "crop", NULL };
static const char *const broken[] = { "refuse", "skip", NULL }, *const orientations[] = { "exif", "ignore", NULL };
static const char *const outputs[] = { "tanh", "linear", NULL };
static const mma_setting settings[] = {
	MMA_INT("size", mm_instance, fit.size, 64, 32, 256, "Pixels a side: 32, 64, 128 or 256."),
	MMA_CHOICE("resize", mm_instance, fit.lanczos, filters, 0, "How pictures are scaled: area or lanczos."),
	MMA_CHOICE("fit", mm_instance, fit.crop, fits, 0,
	           "stretch: the whole picture, its proportions lost; crop: its largest central square."),
	MMA_CHOICE(
		"orientation", mm_instance, fit.as_stored, orientations, 0,
		"exif: a picture is turned as its EXIF data say and viewers show it, in JPEG and PNG; ignore: it is read as "
		"its rows are stored."),
	MMA_CHOICE(
		"broken", mm_instance, broken, broken, IMG_BROKEN_REFUSE,
		"A file that is no picture, damaged, cut or too large (64 million pixels). refuse: the run ends when it is "
		"read; skip: all pictures are read when the data is opened, and those are counted, the first ten named, "
		"and left out. Listed files that do not exist are always left out."),
	MMA_SWITCH(
		"mirror", mm_instance, mirror, 0,
		"Training pictures are turned left to right by a coin for each sample, a function of the seed: with several "
		"captions a picture comes both ways. Validation tuples are of the training data and are turned too; test "
		"pictures are not."),
	MMA_INT("cache_mb", mm_instance, cache_mb, 256, 0, 1 << 20, "Memory for decoded pictures of each data set."),
	MMA_CHOICE(
		"net", mm_instance, net, img_net_names, 0,
		"conv: small, for a CPU; resnet: the networks of MMVAE+ and CMVAE for CUB; the depth of both follows the "
		"size."),
	MMA_CHOICE_BY("output", mm_instance, output, outputs, IMG_OUTPUT_TANH, usual_output,
	              "The decoder's last step: tanh, or linear, which is the default of net = resnet."),
	MMA_INT("width", mm_instance, width, 32, 1, 1024, "Channels of net = conv."),
	MMA_INT("energy_channels", mm_instance, energy_channels, 16, 1, 1024,
	        "Channels of the convolution that feeds the energy's trunk."),
	MMA_INT_BY("energy_stride", mm_instance, energy_stride, 1, usual_stride, 1, 8,
	           "Of that convolution, 1, 2, 4 or 8: the trunk sees maps so many times smaller. The default is size / 64 "
	           "above 64 pixels."),
	MMA_SWITCH("energy_bias", mm_instance, energy_bias, 0, "That convolution has a bias."),
};

static const mm_setting *setting_at(uint32_t index)
{
	static const mma_part part = { settings, MMA_COUNT(settings) };
	return pairs_setting_at(PAIRS_PICTURE, &part, 1, index);
}
const mm_modality_settings img_settings = { MM_SIZE_THROUGH(mm_modality_settings, at), setting_at };

static mm_status read_settings(const mma_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	MMA_TRY(pairs_settings(h, c, PAIRS_PICTURE, &i->source, e));
	MMA_TRY(mma_settings(h, c, settings, MMA_COUNT(settings), i, e));
	MMA_TRY(pairs_check_power(h, c, "size", i->fit.size, "32, 64, 128 or 256", e));
	return pairs_check_power(h, c, "energy_stride", i->energy_stride, "1, 2, 4 or 8", e);
}

mm_status img_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const mma_host *h = self;
	mm_instance *i = mma_new(h, 1, sizeof(*i));
	if (!i)
		return mma_no_memory(e, "an instance");
	i->host = h;
	mm_status status = read_settings(h, config, i, e);
	if (status == MM_OK)
		*out = i;
	else
		img_destroy(i);
	return status;
}

void img_destroy(mm_instance *i)
{
	if (i)
		mma_free(i->host, i);
}

mm_status img_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	const mm_shape shape = { 3, { i->fit.size, i->fit.size, 3, 0 } };
	MMA_TRY(pairs_know(i->host, &i->source, &i->known, e));
	mma_describe(out, &shape, -1, 1, 0.5f, i->known.classes);
	return MM_OK;
}

/* ---------------------------------------------------------------- state */

static mm_status save(mm_instance *i, void **bytes, size_t *size, mm_error *e)
{
	return pairs_save(i->host, "img", &i->known, bytes, size, e);
}

static mm_status load(mm_instance *i, const void *bytes, size_t size, mm_error *e)
{
	return pairs_load("img", bytes, size, &i->known, e);
}

const mm_modality_state img_state = { MM_SIZE_THROUGH(mm_modality_state, load), save, load };
