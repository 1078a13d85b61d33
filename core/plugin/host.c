/* host.c - the base table of host services and the counter-based randomness of plugins. */
#include "mmi_build.h"

#include "engine/graph.h"
#include "engine/streams.h"
#include "engine/vec.h"
#include "plugin/host.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

struct mm_host {
	mm_host_api api;
	char id[64];
	uint64_t seed;
	mmi_log log;
	mmi_host_hooks hooks;
	atomic_size_t blocks; /* alloc and release may come from any thread */
};

/* ---------------------------------------------------------------- base table */

static void *host_alloc(mm_host *host, size_t bytes)
{
	if (host->hooks.refuse && host->hooks.refuse(host->hooks.ctx, bytes))
		return NULL;
	void *block = mmi_alloc(bytes, 1);
	if (block)
		atomic_fetch_add(&host->blocks, 1);
	return block;
}

static void host_release(mm_host *host, void *block)
{
	if (!block)
		return;
	atomic_fetch_sub(&host->blocks, 1);
	mmi_free(block);
}

static void host_log(mm_host *host, int level, const char *message)
{
	char line[512];

	if (level < MM_LOG_DEBUG || level > MM_LOG_PLUGIN_MISBEHAVING)
		level = MM_LOG_WARNING;
	snprintf(line, sizeof line, "%s", message ? message : "(no text)");
	mmi_logf(&host->log, level, "%s: %s", host->id, mmi_clean(line));
}

static const void *host_extension(mm_host *host, const char *id)
{
	static const struct {
		const char *id;
		const void *table;
	} services[] = {
		{ MM_HOST_CONFIG, &mmi_host_config_table }, { MM_HOST_RANDOM, &mmi_host_random_table },
		{ MM_HOST_GRAPH, &mmi_graph_ops },          { MM_HOST_LINALG, &mmi_host_linalg_table },
		{ MM_HOST_TEXT, &mmi_host_text_table },
	};

	const void *table = NULL;
	for (size_t i = 0; id && i < MMI_COUNT(services); i++)
		if (!strcmp(services[i].id, id))
			table = services[i].table;
	return id && host->hooks.service ? host->hooks.service(host->hooks.ctx, id, table) : table;
}

mm_status mmi_host_create(uint64_t seed, const mmi_log *log, mm_host **out, mm_error *e)
{
	mm_host *host = mmi_alloc(1, sizeof *host);
	if (!host)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a plugin's host table");
	host->seed = seed;
	if (log)
		host->log = *log;
	host->api = (mm_host_api){
		.struct_size = MM_SIZE_THROUGH(mm_host_api, get_extension),
		.abi_major = MM_ABI_MAJOR,
		.abi_minor = MM_ABI_MINOR,
		.host = host,
		.alloc = host_alloc,
		.release = host_release,
		.log = host_log,
		.get_extension = host_extension,
	};
	mmi_host_name(host, "plugin");
	*out = host;
	return MM_OK;
}

void mmi_host_destroy(mm_host *host)
{
	if (host && host->hooks.end)
		host->hooks.end(host->hooks.ctx, mmi_host_blocks(host));
	mmi_free(host);
}

void mmi_host_hook(mm_host *host, const mmi_host_hooks *hooks)
{
	host->hooks = *hooks;
}

void mmi_host_name(mm_host *host, const char *id)
{
	snprintf(host->id, sizeof host->id, "%s", id);
}

const mm_host_api *mmi_host_api(const mm_host *host)
{
	return &host->api;
}

size_t mmi_host_blocks(const mm_host *host)
{
	return atomic_load(&host->blocks);
}

/* ---------------------------------------------------------------- randomness */

/* The plugin's id is part of the name: no plugin can meet the core's streams or another plugin's by accident. */
static uint64_t random_stream(mm_host *host, const char *name)
{
	char full[256];
	snprintf(full, sizeof full, MMI_STREAM_PLUGIN, host->id, name ? name : "");
	return mmi_rng_key(host->seed, full);
}

static void random_words(mm_host *host, uint64_t stream, uint64_t index, uint32_t block, uint32_t out[4])
{
	(void)host;
	const uint32_t counter[4] = { block, (uint32_t)index, MMI_PLUGIN_WORDS, (uint32_t)(index >> 32) };
	mmi_philox(stream, counter, out);
}

static void random_permutation(mm_host *host, uint64_t stream, uint64_t index, uint32_t n, uint32_t *out)
{
	(void)host;
	mmi_rng r = {
		.key = stream, .sample = (uint32_t)index, .step = MMI_PLUGIN_PERMUTATION, .iteration = (uint32_t)(index >> 32)
	};
	if (n)
		mmi_rng_permutation(r, n, out);
}

const mm_host_random mmi_host_random_table = {
	.struct_size = MM_SIZE_THROUGH(mm_host_random, permutation),
	.stream = random_stream,
	.words = random_words,
	.permutation = random_permutation,
};
