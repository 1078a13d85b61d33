/* instance.c - the settings of one modality and what it is. */
#include "mmi_build.h"

#include "mnist.h"
#include "nets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The number at the end of a name ("m3": 3); 0 when there is none or it is out of range. */
static double trailing_number(const void *into)
{
	const mm_instance *i = into;
	const char *digits = i->name + strlen(i->name);
	while (digits > i->name && isdigit((unsigned char)digits[-1]))
		digits--;
	long long n = strlen(digits) <= 6 ? strtoll(digits, NULL, 10) : 0;
	return n <= MNIST_MAX_VIEW ? (double)n : 0;
}

static double usual_output(const void *into)
{
	const mm_instance *i = into;
	return mnist_net_table[i->net]->default_output;
}

static const char *const sources[] = { "auto", "idx", "folder", NULL };
static const char *const outputs[] = { "tanh", "linear", NULL };
static const mma_setting settings[] = {
	MMA_CHOICE("source", mm_instance, source, sources, MNIST_SOURCE_AUTO,
	           "idx: MNIST's four files, in root, raw or MNIST/raw; folder: the published PolyMNIST's pictures; auto: "
	           "whichever is there."),
	MMA_INT_BY(
		"view", mm_instance, view, 0, trailing_number, 0, MNIST_MAX_VIEW,
		"Style number: background, pairing and crops follow from it. The default is the number at the end of the "
		"section's name."),
	MMA_PATH("background", mm_instance, background, NULL,
	         "PNG picture whose crops lie behind the digits; without one a texture is drawn."),
	MMA_INT("limit", mm_instance, limit, 0, 0, INT32_MAX, "Only the first so many tuples; 0: all."),
	MMA_INT(
		"classes", mm_instance, classes, MNIST_CLASSES, 2, MNIST_LABELS,
		"Labels are below it, of IDX files up to 256: 47 or 62 for EMNIST's classes, 27 for its letters, which begin "
		"at 1. Files of other data that have MNIST's names are read, too."),
	MMA_CHOICE("net", mm_instance, net, mnist_net_names, 0, "conv: small, for a CPU; resnet: the networks of MMVAE+."),
	MMA_CHOICE_BY("output", mm_instance, output, outputs, MNIST_OUTPUT_TANH, usual_output,
	              "The decoder's last step: tanh, or linear, which is the default of net = resnet."),
	MMA_INT("width", mm_instance, width, 32, 1, 1024, "Channels of net = conv."),
	MMA_INT("energy_channels", mm_instance, energy_channels, 16, 1, 1024,
	        "Channels of the convolution that feeds the energy's trunk."),
	MMA_INT("energy_stride", mm_instance, energy_stride, 1, 1, 2,
	        "2: the trunk sees maps of half the size, a quarter of the work."),
	MMA_SWITCH("energy_bias", mm_instance, energy_bias, 0, "That convolution has a bias."),
};

static const mm_setting *setting_at(uint32_t index)
{
	static const mma_part part = { settings, MMA_COUNT(settings) };
	return mma_setting_at(&part, 1, index);
}
const mm_modality_settings mnist_settings = { MM_SIZE_THROUGH(mm_modality_settings, at), setting_at };

/* Two instances with one view number see the same digits at the same crops: rarely meant, so worth a line. */
static void enlist(mnist_plugin *p, mm_instance *i)
{
	pthread_mutex_lock(&p->lock);
	const mm_instance *twin = p->instances;
	while (twin && twin->view != i->view)
		twin = twin->next;
	if (twin)
		mma_log(&p->host, MM_LOG_WARNING,
		        "[%s] and [%s] both have view = %d, so they pair the same digits at the same crops; "
		        "set another view in [%s] unless that is meant",
		        twin->name, i->name, (int)i->view, i->name);
	i->next = p->instances;
	p->instances = i;
	pthread_mutex_unlock(&p->lock);
}

static void delist(mnist_plugin *p, mm_instance *i)
{
	pthread_mutex_lock(&p->lock);
	mm_instance **link = &p->instances;
	while (*link && *link != i)
		link = &(*link)->next;
	if (*link)
		*link = i->next;
	pthread_mutex_unlock(&p->lock);
}

mm_status mnist_create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	mnist_plugin *p = self;
	mm_instance *i = mma_new(&p->host, 1, sizeof(*i));
	if (!i)
		return mma_no_memory(e, "an instance");
	i->plugin = p;
	i->name = p->host.config->instance_name(config);
	i->root = p->host.config->data_root(config);
	mm_status status = mma_settings(&p->host, config, settings, MMA_COUNT(settings), i, e);
	if (status != MM_OK) {
		mma_free(&p->host, i);
		return status;
	}
	enlist(p, i);
	*out = i;
	return MM_OK;
}

void mnist_destroy(mm_instance *i)
{
	if (!i)
		return;
	delist(i->plugin, i);
	mma_free(&i->plugin->host, i);
}

mm_status mnist_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	const mm_shape shape = { 3, { MNIST_SIDE, MNIST_SIDE, 3, 0 } };
	(void)e;
	mma_describe(out, &shape, -1, 1, 0.7f, (uint32_t)i->classes);
	return MM_OK;
}
