/* subject.c - the plugin that is put to the test. */
#include "mmi_build.h"

#include "engine/opcodes.h"
#include "plugin/host.h"
#include "validate/subject.h"

#include <ctype.h>
#ifdef HAVE_MALLINFO2
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

double mmi_subject_clock(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---------------------------------------------------------------- verdicts */

static mm_status verdict(mmi_subject *s, mmi_verdict v, mm_error *e, const char *format, va_list ap)
{
	char text[MM_ERROR_TEXT];
	vsnprintf(text, sizeof text, format, ap);
	s->verdict = v;
	return mmi_fail(e, MM_EUNSUPPORTED, "%s", text);
}

mm_status mmi_subject_skip(mmi_subject *s, mm_error *e, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	verdict(s, MMI_SKIPPED, e, format, ap);
	va_end(ap);
	return MM_EUNSUPPORTED;
}

mm_status mmi_subject_warn(mmi_subject *s, mm_error *e, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	verdict(s, MMI_WARNED, e, format, ap);
	va_end(ap);
	return MM_EUNSUPPORTED;
}

mm_status mmi_subject_since(mmi_subject *s, unsigned minor, mm_error *e, const char *format, ...)
{
	va_list ap;
	va_start(ap, format);
	verdict(s, s->plugin->entry.abi_minor_built < minor ? MMI_WARNED : MMI_FAILED, e, format, ap);
	va_end(ap);
	return MM_EUNSUPPORTED;
}

mm_status mmi_subject_blame(mm_error *e, const char *format, ...)
{
	char text[MM_ERROR_TEXT];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	return mmi_fail(e, MM_EABI, "%s", text);
}

/* ---------------------------------------------------------------- surroundings */

static uint64_t hash(uint64_t h, const void *bytes, size_t n)
{
	const unsigned char *p = bytes;
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001B3u;
	return h;
}

static uint64_t signals_now(void)
{
	uint64_t h = 1;
	sigset_t mask;
	for (int i = 1; i < SIGRTMIN; i++) {
		struct sigaction a;
		if (sigaction(i, NULL, &a) == 0)
			h = hash(h, &a.sa_handler, sizeof a.sa_handler);
	}
	sigemptyset(&mask);
	pthread_sigmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < SIGRTMIN; i++) {
		const int blocked = sigismember(&mask, i);
		h = hash(h, &blocked, sizeof blocked);
	}
	return h;
}

static mmi_surroundings surroundings_now(void)
{
	struct stat st;
	mmi_surroundings x = { .signals = signals_now(), .environment = 1 };
	for (char **p = environ; p && *p; p++)
		x.environment = hash(x.environment, *p, strlen(*p) + 1);
	if (stat(".", &st) == 0) {
		x.folder = hash(1, &st.st_dev, sizeof st.st_dev);
		x.folder = hash(x.folder, &st.st_ino, sizeof st.st_ino);
	}
	x.umask = (unsigned)umask(022);
	umask((mode_t)x.umask);
	return x;
}

static const char *what_changed(const mmi_surroundings *a, const mmi_surroundings *b, unsigned changed)
{
	return changed & MMI_CHANGED_MODE                               ? "the floating point mode"
	       : changed & MMI_CHANGED_LOCALE                           ? "the locale"
	       : changed & MMI_CHANGED_FOLDER || a->folder != b->folder ? "the current folder"
	       : a->signals != b->signals                               ? "the handlers or the mask of signals"
	       : a->environment != b->environment                       ? "the environment"
	       : a->umask != b->umask                                   ? "the umask"
	                                                                : NULL;
}

static void compare_surroundings(mmi_subject *s, const mmi_call *call)
{
	const mmi_surroundings after = surroundings_now();
	const char *what = what_changed(&s->before, &after, call->changed);
	if (what && !s->changed[0])
		snprintf(s->changed, sizeof s->changed, "%s changes %s", call->callback, what);
}

/* ---------------------------------------------------------------- between plugin and host */

/* Only the main thread is watched: threads of tests that call several at once share all that is looked at. */
static void on_call(void *ctx, const mmi_call *call, bool inside)
{
	mmi_subject *s = ctx;
	pthread_mutex_lock(&s->lock);
	if (inside) {
		snprintf(s->trial->callback, sizeof s->trial->callback, "%s", call->callback);
		if (strcmp(call->callback, "destroy") != 0)
			snprintf(s->entered, sizeof s->entered, "%s", call->callback);
		atomic_fetch_add(&s->trial->inside, 1);
		if (s->watch)
			s->before = surroundings_now();
	} else {
		atomic_fetch_sub(&s->trial->inside, 1);
		if (s->watch)
			compare_surroundings(s, call);
	}
	pthread_mutex_unlock(&s->lock);
}

static void on_line(void *ctx, int level, const char *text)
{
	(void)ctx, (void)level;
	fprintf(stderr, "%s\n", text);
}

static bool on_alloc(void *ctx, size_t bytes)
{
	mmi_subject *s = ctx;
	(void)bytes;
	pthread_mutex_lock(&s->lock);
	const size_t number = ++s->asked;
	const bool refused = s->refuse_from && number >= s->refuse_from && number <= s->refuse_to;
	pthread_mutex_unlock(&s->lock);
	return refused;
}

static const void *on_service(void *ctx, const char *id, const void *table)
{
	const mmi_subject *s = ctx;
	return s->bare || (s->hidden && !strcmp(s->hidden, id)) ? NULL : table;
}

static void on_end(void *ctx, size_t blocks)
{
	((mmi_subject *)ctx)->left = blocks;
}

/* ---------------------------------------------------------------- life */

void mmi_subject_init(mmi_subject *s, const mmi_validation *v, mmi_trial *trial)
{
	*s = (mmi_subject){ .request = v, .trial = trial, .seed = v->seed, .data = v->data, .verdict = MMI_FAILED };
	pthread_mutex_init(&s->lock, NULL);
	s->log = (mmi_log){ .line = on_line, .ctx = s, .call = on_call };
	s->hooks = (mmi_host_hooks){ .ctx = s, .refuse = on_alloc, .service = on_service, .end = on_end };
}

mm_status mmi_subject_open(mmi_subject *s, mm_error *e)
{
	const mm_modality_desc *desc;

	if (s->plugin)
		return MM_OK;
	MMI_TRY(mmi_registry_create(s->seed, &s->log, NULL, &s->registry, e));
	mmi_registry_hook(s->registry, &s->hooks);
	MMI_TRY(mmi_registry_open(s->registry, s->request->file, &s->plugin, e));
	MMI_TRY(mmi_plugin_modality(s->plugin, s->request->modality, &desc, e));
	for (size_t i = 0; i + 1 < sizeof s->section && desc->default_name[i]; i++)
		s->section[i] = (char)tolower((unsigned char)desc->default_name[i]);
	return MM_OK;
}

static mm_status set(mmi_subject *s, const char *section, const char *assignment, mm_error *e)
{
	const size_t key = strcspn(assignment, "=");
	const bool whole = memchr(assignment, '.', key) != NULL; /* "section.key=value" */
	char *text = whole ? mmi_strdup(assignment) : mmi_format("%s.%s", section, assignment);
	if (!text)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status = mmi_config_set(s->config, text, e);
	mmi_free(text);
	return status;
}

static mm_status set_root(mmi_subject *s, mm_error *e)
{
	char *text = mmi_format("root=%s", s->data);
	if (!text)
		return mmi_fail(e, MM_ENOMEM, "out of memory");
	mm_status status = set(s, "data", text, e);
	mmi_free(text);
	return status;
}

static mm_status settle(mmi_subject *s, mm_error *e)
{
	MMI_TRY(mmi_config_create(&s->config, e));
	if (s->data)
		MMI_TRY(set_root(s, e));
	for (size_t i = 0; i < s->request->n_sets; i++)
		MMI_TRY(set(s, s->section, s->request->sets[i], e));
	for (size_t i = 0; i < MMI_SUBJECT_SETS && s->sets[i]; i++)
		MMI_TRY(set(s, s->section, s->sets[i], e));
	return MM_OK;
}

mm_status mmi_subject_make(mmi_subject *s, mm_error *e)
{
	if (s->m.instance)
		return MM_OK;
	MMI_TRY(mmi_subject_open(s, e));
	if (!s->config)
		MMI_TRY(settle(s, e));
	return mmi_modality_create(s->registry, s->config, s->section, s->plugin, s->request->modality, &s->m, e);
}

mm_status mmi_subject_data(mmi_subject *s, mm_error *e)
{
	if (s->train)
		return MM_OK;
	MMI_TRY(mmi_subject_make(s, e));
	MMI_TRY(mmi_modality_open(&s->m, MM_SPLIT_TRAIN, &s->train, e));
	s->n_train = mmi_modality_count(&s->m, s->train);
	return MM_OK;
}

mm_status mmi_subject_reach(mmi_subject *s, mmi_test_level level, mm_error *e)
{
	switch (level) {
	case MMI_LEVEL_FILE:
		return MM_OK;
	case MMI_LEVEL_PLUGIN:
		return mmi_subject_open(s, e);
	case MMI_LEVEL_INSTANCE:
		return mmi_subject_make(s, e);
	default:
		return mmi_subject_data(s, e);
	}
}

void mmi_subject_unmake(mmi_subject *s)
{
	if (s->train)
		mmi_modality_close(&s->m, s->train);
	s->train = NULL;
	s->n_train = 0;
	mmi_modality_destroy(&s->m);
	mmi_config_destroy(s->config);
	s->config = NULL;
}

void mmi_subject_close(mmi_subject *s)
{
	mmi_subject_unmake(s);
	mmi_registry_destroy(s->registry);
	s->registry = NULL;
	s->plugin = NULL;
	for (size_t i = 0; i < s->n_blocks; i++)
		mmi_guarded_free(&s->blocks[i]);
	s->n_blocks = 0;
	pthread_mutex_destroy(&s->lock);
}

/* ---------------------------------------------------------------- blocks and samples */

mm_status mmi_subject_block(mmi_subject *s, const char *name, size_t bytes, mmi_guarded **out, mm_error *e)
{
	if (s->n_blocks == MMI_SUBJECT_BLOCKS)
		return mmi_fail(e, MM_EINTERNAL, "a test takes more than %d blocks", MMI_SUBJECT_BLOCKS);
	MMI_TRY(mmi_guarded_create(name, bytes, &s->blocks[s->n_blocks], e));
	*out = &s->blocks[s->n_blocks++];
	return MM_OK;
}

mm_status mmi_subject_sample_block(mmi_subject *s, const char *name, mmi_guarded **out, mm_error *e)
{
	const size_t most = (size_t)256 << 20, bytes = (size_t)s->m.count * sizeof(float);
	if (bytes > most)
		return mmi_subject_skip(s, e, "a sample of %zu MiB is too large to be tried", bytes >> 20);
	return mmi_subject_block(s, name, bytes, out, e);
}

mm_status mmi_subject_read(mmi_subject *s, mm_dataset *d, uint64_t index, mmi_guarded *to, mm_error *e)
{
	mmi_call call;
	mmi_call_begin_sample(&call, s->m.name, s->m.plugin, "read");
	MMI_TRY(mmi_call_end(&call, s->m.desc->read(d, index, (float *)(void *)to->at, &call.error), e));
	return mmi_guarded_check(to, e);
}

uint32_t mmi_subject_word(mmi_subject *s)
{
	uint64_t z = (s->seed + 1) * 0x9E3779B97F4A7C15u + ++s->draws * 0xD1B54A32D192ED03u; /* splitmix64 */
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
	return (uint32_t)(z >> 32);
}

static float uniform(mmi_subject *s)
{
	return (float)(mmi_subject_word(s) >> 8) * 0x1p-24f;
}

static void invent_simplex(mmi_subject *s, int which, float *x)
{
	const int64_t n = s->m.info.shape.dim[s->m.info.shape.rank - 1];
	for (int64_t i = 0; i < s->m.count; i += n) {
		float sum = 0;
		for (int64_t k = 0; k < n; k++)
			sum += x[i + k] = which == 1 ? k == 0 : which == 2 ? k == n - 1 : 0.01f + uniform(s);
		for (int64_t k = 0; k < n; k++)
			x[i + k] /= sum;
	}
}

void mmi_subject_invent(mmi_subject *s, int which, float *x)
{
	const mm_modality_info *info = &s->m.info;
	const bool real = info->support == MM_SUPPORT_REAL;
	const float lo = real ? -3 : info->lo, hi = real ? 3 : info->hi;

	if (info->support == MM_SUPPORT_SIMPLEX) {
		invent_simplex(s, which, x);
		return;
	}
	for (int64_t i = 0; i < s->m.count; i++)
		x[i] = which == 1 ? lo : which == 2 ? hi : lo + (hi - lo) * uniform(s);
}

mm_status mmi_subject_sample(mmi_subject *s, uint64_t index, mmi_guarded *to, mm_error *e)
{
	if (s->train && s->n_train)
		return mmi_subject_read(s, s->train, index % s->n_train, to, e);
	mmi_subject_invent(s, 0, (float *)(void *)to->at);
	return MM_OK;
}

/* ---------------------------------------------------------------- memory */

/* Bytes of malloc, the host's blocks among them; 0 where it cannot be told. */
static size_t bytes_in_use(void)
{
#ifdef HAVE_MALLINFO2
	return mallinfo2().uordblks;
#else
	return 0;
#endif
}

typedef struct usage {
	size_t blocks, bytes;
} usage;

enum { FEW = 3, ENOUGH = 12 }; /* rounds at least, and rounds that tell a loss of bytes from what malloc keeps */

static mm_status repeat(mmi_subject *s, int rounds, double until, mm_status (*work)(mmi_subject *, void *, mm_error *),
                        void *ctx, int *done, usage *after, mm_error *e)
{
	const double patience = until + s->request->limit / 8;
	for (*done = 0; *done < rounds; ++*done) {
		if (*done >= FEW && mmi_subject_clock() > (*done < ENOUGH ? patience : until))
			break;
		MMI_TRY(work(s, ctx, e));
	}
	*after = (usage){ mmi_host_blocks(s->plugin->host), bytes_in_use() };
	return MM_OK;
}

/* malloc keeps freed pieces at hand and counts them, so memory may grow once; what is lost grows in both halves. */
mm_status mmi_subject_flat(mmi_subject *s, const char *what, int rounds,
                           mm_status (*work)(mmi_subject *s, void *ctx, mm_error *e), void *ctx, mm_error *e)
{
	enum { LEAST = 16 }; /* bytes that malloc gives */
	const double start = mmi_subject_clock(), half = s->request->limit / 16;
	usage before, middle, after;
	int n;
	MMI_TRY(repeat(s, FEW, start, work, ctx, &n, &before, e));
	MMI_TRY(repeat(s, rounds / 2, start + half, work, ctx, &n, &middle, e));
	const bool grew = n >= ENOUGH && middle.bytes >= before.bytes + (size_t)(LEAST * n);
	MMI_TRY(repeat(s, rounds / 2, start + 2 * half, work, ctx, &n, &after, e));
	if (after.blocks > middle.blocks)
		return mmi_subject_blame(e, "%d times %s leave %zu blocks of the host", n, what, after.blocks - middle.blocks);
	if (grew && n >= ENOUGH && after.bytes >= middle.bytes + (size_t)(LEAST * n))
		return mmi_subject_blame(e, "%d times %s leave %zu bytes of memory", n, what, after.bytes - middle.bytes);
	return MM_OK;
}

uint64_t mmi_subject_some(const mmi_subject *s, uint64_t most)
{
	return s->n_train < most ? s->n_train : most;
}
