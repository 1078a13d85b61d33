/* faulty.c - a sound plugin with one fault of many, which the environment's MMCORE_FAULT names: what a plugin can do
 * wrong at run time. tests/validate/faults.txt has them with the test of `mmcore validate` that finds each. */
#define _GNU_SOURCE
#include "toy.h"

#include <fenv.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRAIN = 256, TEST = 32 };

/* What a fault keeps of a callback that is over. */
static mm_graph *kept_graph;
static mm_config *kept_config;
static char fault[32];

static int is(const char *name)
{
	return !strcmp(fault, name);
}

static void crash(void)
{
	raise(SIGSEGV);
}

static void hang(void)
{
	for (;;)
		pause();
}

/* ---------------------------------------------------------------- life */

static mm_status load(const mm_host_api *api, void **self, mm_error *e)
{
	if (is("no-message"))
		return MM_EUNSUPPORTED;
	if (is("traps"))
		feenableexcept(FE_INVALID | FE_DIVBYZERO);
	if (is("folder") && chdir("/"))
		return toy_fail(e, MM_EIO, "there is no /");
	return toy_load(api, self, e);
}

static void unload(void *self)
{
	if (!is("unload-leaks"))
		toy_unload(self);
}

static void surroundings(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	if (is("rounding"))
		fesetround(FE_UPWARD);
	if (is("locale"))
		setlocale(LC_ALL, "C.UTF-8");
	if (is("signals"))
		sigaction(SIGINT, &ignore, NULL);
	if (is("environment"))
		setenv("MMCORE_FAULT_WAS_HERE", "yes", 1);
	if (is("umask"))
		umask(0);
}

static mm_status create(void *self, mm_config *config, mm_instance **out, mm_error *e)
{
	const toy_self *s = self;
	int64_t n;
	surroundings();
	if (is("exit-create"))
		exit(0);
	if (is("abort-create"))
		abort();
	if (is("segv-create"))
		crash();
	if (is("hang-create"))
		hang();
	if (is("null-instance"))
		return MM_OK;
	if (is("stdout"))
		printf("hello from a plugin\n");
	if (is("create-leaks"))
		s->api->alloc(s->api->host, 1000);
	if (is("create-mallocs"))
		memset(malloc(1000), 1, 1000);
	if (is("two-defaults")) {
		mm_status status = s->config->get_int(config, "k", 1, 0, 9, &n, e);
		if (status == MM_OK)
			status = s->config->get_int(config, "k", 2, 0, 9, &n, e);
		if (status != MM_OK)
			return status;
	}
	if (is("setting-crashes") && s->config->get_int(config, "k", 1, INT64_MIN, INT64_MAX, &n, e) == MM_OK && n < 0)
		crash();
	kept_config = config;
	return toy_create(self, config, out, e);
}

static void destroy(mm_instance *i)
{
	if (is("destroy-null") && !i)
		crash();
	if (is("leak"))
		return;
	if (is("frees-host"))
		free(i);
	else
		toy_destroy(i);
}

static mm_status describe(mm_instance *i, mm_modality_info *out, mm_error *e)
{
	static int times;
	int64_t n;
	mm_status status = toy_describe(i, out, e);
	if (is("config-late"))
		return i->self->config->get_int(kept_config, "late", 1, 0, 2, &n, e);
	if (is("shape-negative"))
		out->shape.dim[0] = -8;
	if (is("shape-large"))
		out->shape.dim[0] = 1 << 30;
	if (is("box-reversed"))
		out->lo = 2;
	if (is("classes-many"))
		out->n_classes = 1000000;
	if (is("describe-varies") && times++)
		out->likelihood_scale = 0.5f;
	if (is("simplex-sum") || is("simplex-wild")) {
		out->support = MM_SUPPORT_SIMPLEX;
		out->likelihood = MM_LIKELIHOOD_CATEGORICAL;
	}
	if (is("real-large"))
		out->support = MM_SUPPORT_REAL;
	return status;
}

/* ---------------------------------------------------------------- networks */

static mm_status encoder(mm_instance *i, mm_graph *g, mm_encoder_io *io, mm_error *e)
{
	const mm_host_graph *ops = i->self->graph;
	kept_graph = g;
	if (is("build-varies"))
		i->hidden++;
	if (is("encoder-ignores-latents") && io->latent_dim != 8) {
		mm_encoder_io other = *io;
		other.latent_dim = 8;
		mm_status status = toy_encoder(i, g, &other, e);
		io->z_loc = other.z_loc;
		io->z_raw = other.z_raw;
		return status;
	}
	mm_status status = toy_encoder(i, g, io, e);
	if (is("encoder-unset"))
		io->z_raw = MM_NO_TENSOR;
	if (is("encoder-stale"))
		io->z_loc = io->z_raw = 4711;
	if (is("encoder-size"))
		io->z_loc = ops->linear(g, io->x, "wide", io->latent_dim + 1, 1, MM_INIT_DEFAULT);
	if (is("encoder-nan"))
		io->z_loc = ops->affine(g, io->z_loc, NAN, 0);
	if (is("build-ignores-failure") && io->z_loc == MM_NO_TENSOR)
		crash();
	return status;
}

static mm_status decoder(mm_instance *i, mm_graph *g, mm_decoder_io *io, mm_error *e)
{
	const mm_host_graph *ops = i->self->graph;
	mm_status status = toy_decoder(i, g, io, e);
	if (is("decoder-size"))
		io->out = ops->linear(g, io->z, "small", 3, 1, MM_INIT_DEFAULT);
	if (is("decoder-overflows")) /* exp of something large */
		io->out = ops->activation(g, ops->affine(g, io->out, 1e6f, 1e4f), MM_ACT_EXP, 0);
	return status;
}

static mm_status features(mm_instance *i, mm_graph *g, mm_features_io *io, mm_error *e)
{
	mm_status status = toy_features(i, g, io, e);
	const mm_shape square = { 2, { 2, 2 } };
	if (is("features-matrix"))
		io->features = i->self->graph->reshape(g, io->features, &square);
	return status;
}

static mm_status classify(mm_instance *i, mm_graph *g, mm_classifier_io *io, mm_error *e)
{
	mm_status status = toy_classifier_build(i, g, io, e);
	if (is("classifier-unset"))
		io->logits = MM_NO_TENSOR;
	return status;
}

/* ---------------------------------------------------------------- data */

static mm_status open_data(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e)
{
	if (split != MM_SPLIT_TRAIN && split != MM_SPLIT_TEST && !is("open-any-split"))
		return toy_fail(e, MM_EUNSUPPORTED, "there are the splits 0 and 1");
	if (is("no-data-set"))
		return MM_OK;
	if (is("null-data-set")) {
		*out = NULL;
		return MM_OK;
	}
	if (is("open-slow"))
		usleep(700000);
	if (is("graph-late") && kept_graph)
		i->self->graph->linear(kept_graph, 0, "late", 3, 1, MM_INIT_DEFAULT);
	mm_status status = toy_open(i, split, out, e);
	if (status != MM_OK)
		return status;
	(*out)->count = is("count-zero") ? 0 : is("count-huge") ? UINT64_MAX : split == MM_SPLIT_TRAIN ? TRAIN : TEST;
	(*out)->stream =
		i->self->random->stream(i->self->api->host, is("splits-same") || split == MM_SPLIT_TRAIN ? "train" : "test");
	if (is("open-leaks"))
		i->self->api->alloc(i->self->api->host, 100);
	return MM_OK;
}

static void close_data(mm_dataset *d)
{
	if (is("close-null") && !d)
		crash();
	toy_close(d);
}

static uint64_t count(const mm_dataset *d)
{
	static int calls;
	if (is("count-grows") || is("count-shrinks"))
		return calls++ ? is("count-grows") ? d->count * 1000000 : 1 : d->count;
	return d->count;
}

static mm_status key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e)
{
	const unsigned n = (unsigned)index;
	if (index >= d->count && !is("key-any-index"))
		return toy_fail(e, MM_EARG, "there is no such sample");
	if (is("key-nothing"))
		return MM_OK;
	if (is("key-empty")) {
		*out = 0;
		return MM_OK;
	}
	if (is("key-no-end")) {
		memset(out, 'a' + (int)(n % 26), size);
		return MM_OK;
	}
	if (is("key-overruns")) {
		memset(out + size, 'k', 100);
		return toy_key(d, index, out, size, e);
	}
	snprintf(out, size,
	         is("key-long")          ? "%0300u"
	         : is("key-same")        ? "same"
	         : is("key-unprintable") ? "../../escaped-%u\n\033[31m,\"%%n"
	                                 : "%u",
	         is("key-twice") ? n / 2 : n);
	return MM_OK;
}

static int32_t label(const mm_dataset *d, uint64_t index)
{
	if (index == 9 && is("label-range"))
		return 2;
	if (index == 9 && is("label-largest"))
		return INT_MAX;
	return is("classes-in-a-row") ? 0 : toy_label(d, index);
}

/* What other threads may do, and, late, what nobody may. */
static void *elsewhere(void *data)
{
	const toy_self *s = ((mm_dataset *)data)->instance->self;
	mm_error e = MM_ERROR_INIT;
	const char *text;
	for (int k = 0; k < 2000; k++)
		s->api->release(s->api->host, s->api->alloc(s->api->host, 100));
	if (is("thread-late")) {
		s->config->get_string(kept_config, "late", "x", &text, &e);
		if (kept_graph)
			s->graph->linear(kept_graph, 0, "late", 3, 1, MM_INIT_DEFAULT);
	}
	return NULL;
}

static mm_status read_wrong_status(uint64_t index, mm_error *e)
{
	if (is("read-fails"))
		return MM_EIO;
	if (is("read-status"))
		return 99;
	if (is("read-status-negative"))
		return -1;
	if (is("read-status-no-end") && index == 7) {
		memset(e->message, 'A', sizeof e->message);
		return 9999;
	}
	if (is("read-odd-message") && index == 7)
		return toy_fail(e, MM_EIO, "%n%s%s%s%99999d\033[2J\nmmcore: fake second line");
	return MM_OK;
}

static void read_acts(mm_dataset *d, uint64_t index)
{
	pthread_t thread;
	if (is("exit-read"))
		exit(0);
	if (is("segv-read"))
		crash();
	if (is("hang-read"))
		hang();
	if (is("read-slow"))
		usleep(20000);
	if (is("raise-fpe") && index == 3)
		raise(SIGFPE);
	if (is("raise-int") && index == 3)
		raise(SIGINT);
	if ((is("thread") || is("thread-late")) && index == 3 && !pthread_create(&thread, NULL, elsewhere, d))
		pthread_join(thread, NULL);
}

static void read_wrong_values(uint64_t index, float *out)
{
	static int calls;
	if (is("read-nan") && index == 20)
		out[3] = NAN;
	if (is("read-inf") && index == 20)
		out[3] = -INFINITY;
	if (is("read-range"))
		out[1] = 5;
	if (is("read-random"))
		out[0] = (float)rand() / (float)RAND_MAX;
	if (is("read-counts"))
		out[0] = (float)(++calls % 100) / 100;
	if (is("read-process"))
		out[0] = (float)(getpid() % 1000) / 1000;
	for (int k = is("real-large"); k < TOY_SIZE && (is("simplex-sum") || is("simplex-wild") || is("real-large")); k++)
		out[k] = is("simplex-sum") ? 0.5f : is("real-large") ? 3e38f : k ? 1e30f : -1e30f;
	for (int k = TOY_SIZE; k < 4096 && is("read-overruns"); k++)
		out[k] = 9;
	if (is("read-underruns"))
		out[-1] = 9;
}

static mm_status read_sample(mm_dataset *d, uint64_t index, float *out, mm_error *e)
{
	if (index >= d->count && !is("read-any-index"))
		return toy_fail(e, MM_EARG, "there is no such sample");
	mm_status status = read_wrong_status(index, e);
	if (status != MM_OK)
		return status;
	read_acts(d, index);
	if (is("read-nothing"))
		return MM_OK;
	if (is("read-half")) {
		memset(out, 0, TOY_SIZE / 2 * sizeof *out);
		return MM_OK;
	}
	status = toy_read(d, index, out, e);
	read_wrong_values(index, out);
	return status;
}

/* ---------------------------------------------------------------- samples to see */

static mm_status render(mm_instance *i, const float *x, const char *path, mm_error *e)
{
	if (is("render-nothing"))
		return MM_OK;
	if (is("render-fails"))
		return toy_fail(e, MM_EIO, "");
	if (is("render-changes"))
		((float *)(uintptr_t)x)[0] = 0.77f;
	if (is("render-more") && fclose(fopen("more", "w")))
		return toy_fail(e, MM_EIO, "no more");
	mm_status status = toy_render(i, x, path, e);
	return is("render-silent") ? MM_OK : status;
}

static mm_status picture_size(mm_instance *i, uint32_t *w, uint32_t *h, mm_error *e)
{
	static int calls;
	mm_status status = toy_picture_size(i, w, h, e);
	if (is("picture-huge"))
		*w = 4096;
	if (is("picture-size-varies") && calls++)
		*w = *h = 512;
	return status;
}

static mm_status draw(mm_instance *i, const float *x, uint8_t *rgb, size_t stride, mm_error *e)
{
	static int calls;
	if (is("picture-overruns"))
		memset(rgb, 1, 3 * TOY_SIZE + 1);
	mm_status status = toy_draw(i, x, rgb, stride, e);
	if (is("draw-varies"))
		rgb[0] = (uint8_t)calls++;
	return status;
}

static mm_status read_file(mm_instance *i, const char *path, float *out, mm_error *e)
{
	mm_status status = toy_read_file(i, path, out, e);
	if (is("file-crashes") && status == MM_EFORMAT)
		crash();
	if (is("file-range") && status == MM_OK)
		out[0] = 5;
	if (is("file-takes-all") && status != MM_OK)
		return MM_OK;
	for (int k = 0; k < TOY_SIZE && status == MM_OK && !is("file-range"); k++)
		if (is("real-large") ? !isfinite(out[k]) : !(out[k] >= -1 && out[k] <= 1))
			return toy_fail(e, MM_EFORMAT, "expected numbers from -1 to 1");
	return status;
}

static void vary(const mm_instance *i, uint64_t draw_number, float *x)
{
	static int calls;
	(void)i;
	if (is("vary-nan") && draw_number == 30)
		x[2] = NAN;
	if (is("vary-random"))
		x[0] = (float)(++calls % 100) / 100;
}

static void round_sample(const mm_instance *i, float *x)
{
	(void)i;
	if (is("round-goes-on"))
		x[0] *= 0.5f;
}

/* ---------------------------------------------------------------- state */

static mm_status save(mm_instance *i, void **bytes, size_t *size, mm_error *e)
{
	static int calls;
	const mm_host_api *api = i->self->api;
	char *made = api->alloc(api->host, 8);
	if (!made)
		return toy_fail(e, MM_ENOMEM, "no memory");
	snprintf(made, 8, "state %d", is("state-varies") ? calls++ % 10 : 1);
	*bytes = made;
	*size = 7;
	return MM_OK;
}

static mm_status load_state(mm_instance *i, const void *bytes, size_t size, mm_error *e)
{
	(void)i;
	if (is("state-refused"))
		return toy_fail(e, MM_EFORMAT, "no state");
	if (is("state-crashes") && size != 7)
		crash();
	if (size != 7 || memcmp(bytes, "state ", 6))
		return toy_fail(e, MM_EFORMAT, "expected a state of seven bytes");
	return MM_OK;
}

static uint64_t group(const mm_dataset *d, uint64_t index)
{
	static uint64_t calls;
	(void)d;
	return is("group-varies") ? calls++ : index / 4;
}

static const mm_setting *setting(uint32_t index)
{
	static const mm_setting list[] = {
		{ "gain", MM_SETTING_REAL, NULL, 1, 0, 10, NULL, "Told in the log." },
		{ "hidden", MM_SETTING_INT, NULL, 16, 1, 1024, NULL, "Size of the hidden layers." },
		{ "label", MM_SETTING_TEXT, "toy", 0, 0, 0, NULL, "A name." },
	};
	static const mm_setting narrow = { "hidden", MM_SETTING_INT, NULL, 16, 1, 100, NULL, "Less than create takes." };
	static const mm_setting unknown = { "depth", MM_SETTING_INT, NULL, 1, 1, 2, NULL, "Not asked for." };
	if (index == 1 && is("settings-narrow"))
		return &narrow;
	if (index == 2 && is("settings-unasked"))
		return &unknown;
	return index < 3 ? &list[index] : NULL;
}

static const void *extension(const char *id)
{
	static const mm_modality_picture picture = { MM_SIZE_THROUGH(mm_modality_picture, draw), picture_size, draw };
	static const mm_modality_classifier classifier = { MM_SIZE_THROUGH(mm_modality_classifier, build), "hidden5",
		                                               classify };
	static const mm_modality_file file = { MM_SIZE_THROUGH(mm_modality_file, read_text), read_file, NULL };
	static const mm_modality_variation variation = { MM_SIZE_THROUGH(mm_modality_variation, vary), vary };
	static const mm_modality_saved saved = { MM_SIZE_THROUGH(mm_modality_saved, round), round_sample };
	static const mm_modality_state state = { MM_SIZE_THROUGH(mm_modality_state, load), save, load_state };
	static const mm_modality_group grouped = { MM_SIZE_THROUGH(mm_modality_group, group), group };
	static const mm_modality_settings settings = { MM_SIZE_THROUGH(mm_modality_settings, at), setting };
	static const mm_modality_saved cut = { sizeof(uint32_t), NULL };
	const struct {
		const char *id;
		const void *table;
	} list[] = {
		{ MM_MODALITY_PICTURE, &picture },
		{ MM_MODALITY_CLASSIFIER, &classifier },
		{ MM_MODALITY_FILE, &file },
		{ MM_MODALITY_VARIATION, &variation },
		{ MM_MODALITY_SAVED, is("extension-cut") ? &cut : &saved },
		{ MM_MODALITY_STATE, &state },
		{ MM_MODALITY_GROUP, &grouped },
		{ MM_MODALITY_SETTINGS, &settings },
	};
	for (size_t k = 0; k < sizeof list / sizeof *list; k++)
		if (is("extension-prefix") ? !strncmp(id, list[k].id, strlen(list[k].id)) : !strcmp(id, list[k].id))
			return list[k].table;
	return is("extension-always") ? &picture : NULL;
}

/* ---------------------------------------------------------------- entry */

static void choose(void)
{
	const char *name = getenv("MMCORE_FAULT");
	snprintf(fault, sizeof fault, "%s", name ? name : "none");
}

static void change(mm_plugin_entry *entry, mm_modality_desc *desc)
{
	entry->load = load;
	entry->unload = unload;
	desc->create = create;
	desc->destroy = destroy;
	desc->describe = describe;
	desc->build_encoder = encoder;
	desc->build_decoder = decoder;
	desc->build_features = features;
	desc->open = open_data;
	desc->close = close_data;
	desc->count = count;
	desc->key = key;
	desc->label = label;
	desc->read = read_sample;
	desc->render = render;
	desc->get_extension = extension;
	if (is("wrong-major"))
		entry->abi_major = 2;
	if (is("newer-minor"))
		entry->abi_minor_built = entry->abi_minor_required = 99;
	if (is("wrong-tag"))
		entry->abi_tag = 0;
	if (is("suffix-folder"))
		desc->render_suffix = "/../../escaped";
	if (is("suffix-format"))
		desc->render_suffix = "%s%n";
	if (is("name-folder"))
		desc->default_name = "../x";
}

const mm_plugin_entry *mm_plugin_query_1(void)
{
	static mm_modality_desc descs[2];
	static const mm_modality_desc *const list[2] = { &descs[0], &descs[1] };
	static mm_plugin_entry entries[2];
	static int calls;
	const int which = calls++ % 2 > 0 && is("query-varies");
	choose();
	if (is("null-entry"))
		return NULL;
	toy_fill(&entries[which], &descs[which], &list[which], "org.example.faulty");
	change(&entries[which], &descs[which]);
	return &entries[which];
}
