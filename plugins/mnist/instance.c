/* instance.c - the settings of one modality and what it is. */
#include "mmi_build.h"

#include "mnist.h"
#include "nets.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The number at the end of a name ("m3": 3); 0 when there is none or it is out of range. */
static int64_t trailing_number(const char *name)
{
	const char *digits = name + strlen(name);
	while (digits > name && isdigit((unsigned char)digits[-1]))
		digits--;
	long long n = strlen(digits) <= 6 ? strtoll(digits, NULL, 10) : 0;
	return n <= MNIST_MAX_VIEW ? (int64_t)n : 0;
}

static mm_status read_data_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	static const char *const sources[] = { "auto", "idx", "folder", NULL };
	int64_t limit;
	i->root = h->config->data_root(c);
	COM_TRY(h->config->get_choice(c, "source", sources, MNIST_SOURCE_AUTO, &i->source, e));
	COM_TRY(com_get_int32(h, c, "view", trailing_number(i->name), 0, MNIST_MAX_VIEW, &i->view, e));
	COM_TRY(h->config->get_path(c, "background", NULL, &i->background, e));
	COM_TRY(h->config->get_int(c, "limit", 0, 0, INT32_MAX, &limit, e));
	i->limit = (uint64_t)limit;
	return com_get_int32(h, c, "classes", MNIST_CLASSES, 2, MNIST_LABELS, &i->classes, e);
}

static mm_status read_net_settings(const com_host *h, mm_config *c, mm_instance *i, mm_error *e)
{
	static const char *const outputs[] = { "tanh", "linear", NULL };
	int net;
	COM_TRY(h->config->get_choice(c, "net", mnist_net_names, 0, &net, e));
	i->net = mnist_net_table[net];
	COM_TRY(h->config->get_choice(c, "output", outputs, i->net->default_output, &i->output, e));
	COM_TRY(com_get_int32(h, c, "width", 32, 1, 1024, &i->width, e));
	COM_TRY(com_get_int32(h, c, "energy_channels", 16, 1, 1024, &i->energy_channels, e));
	COM_TRY(com_get_int32(h, c, "energy_stride", 1, 1, 2, &i->energy_stride, e));
	return h->config->get_bool(c, "energy_bias", 0, &i->energy_bias, e);
}

/* Two instances with one view number see the same digits at the same crops: rarely meant, so worth a line. */
static void enlist(mnist_plugin *p, mm_instance *i)
{
	pthread_mutex_lock(&p->lock);
	const mm_instance *twin = p->instances;
	while (twin && twin->view != i->view)
		twin = twin->next;
	if (twin)
		com_log(&p->host, MM_LOG_WARNING,
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
	mm_instance *i = com_alloc(&p->host, 1, sizeof(*i));
	if (!i)
		return com_no_memory(e, "an instance");
	i->plugin = p;
	i->name = p->host.config->instance_name(config);
	mm_status status = read_data_settings(&p->host, config, i, e);
	if (status == MM_OK)
		status = read_net_settings(&p->host, config, i, e);
	if (status != MM_OK) {
		com_release(&p->host, i);
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
	com_release(&i->plugin->host, i);
}

mm_status mnist_describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	(void)e;
	out->shape = (mm_shape){ 3, { MNIST_SIDE, MNIST_SIDE, 3, 0 } };
	out->support = MM_SUPPORT_BOX;
	out->lo = -1.0f;
	out->hi = 1.0f;
	out->likelihood = MM_LIKELIHOOD_GAUSSIAN;
	out->likelihood_scale = 0.7f;
	out->likelihood_weight = 1.0f;
	out->n_classes = (uint32_t)i->classes;
	return MM_OK;
}
