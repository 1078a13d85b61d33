/* prune.c - clusters are left out one after the other; the best set stays. */
#include "mmi_build.h"

#include "fit/prune.h"

#include <math.h>
#include <string.h>

typedef struct pruning {
	const mmi_prune_request *r;
	bool *in;      /* [clusters] */
	size_t n;      /* how many are */
	double *mass;  /* [clusters]: tuples whose answer each is */
	size_t *votes; /* [clusters] */
	double score;
} pruning;

static const double *joint_at(const mmi_prune_request *r, size_t tuple, size_t expert)
{
	return r->log_joint + (tuple * r->experts + expert) * r->clusters;
}

/* log of the weights that are left, in sum. */
static double log_left(const pruning *p)
{
	double left = 0;
	for (size_t c = 0; c < p->r->clusters; c++)
		left += p->in[c] ? p->r->weight[c] : 0;
	return log(left);
}

/* Of one draw: log p(z) but for the weights that are left, the entropy of p(c | z), and its largest. */
static size_t look(const pruning *p, const double *joint, double *log_sum, double *entropy)
{
	size_t best = p->r->clusters;
	double total = 0;
	for (size_t c = 0; c < p->r->clusters; c++)
		if (p->in[c] && (best == p->r->clusters || joint[c] > joint[best]))
			best = c;
	for (size_t c = 0; c < p->r->clusters; c++)
		total += p->in[c] ? exp(joint[c] - joint[best]) : 0;
	*log_sum = joint[best] + log(total);
	*entropy = 0;
	for (size_t c = 0; c < p->r->clusters; c++) {
		const double q = p->in[c] ? exp(joint[c] - *log_sum) : 0;
		*entropy -= q > 0 ? q * log(q) : 0;
	}
	return best;
}

static size_t most_votes(const pruning *p)
{
	size_t best = 0;
	for (size_t c = 1; c < p->r->clusters; c++)
		if (p->votes[c] > p->votes[best])
			best = c;
	return best;
}

/* Score and masses of the set that is left. */
static void measure(pruning *p)
{
	const mmi_prune_request *r = p->r;
	double entropies = 0, logs = 0, draws = 0, log_sum, entropy;
	memset(p->mass, 0, r->clusters * sizeof *p->mass);
	for (size_t i = 0; i < r->tuples; i++) {
		memset(p->votes, 0, r->clusters * sizeof *p->votes);
		for (size_t m = 0; m < r->experts; m++) {
			if (!(r->there[i * r->experts + m] > 0))
				continue;
			p->votes[look(p, joint_at(r, i, m), &log_sum, &entropy)]++;
			entropies += entropy;
			logs += log_sum;
			draws++;
		}
		p->mass[most_votes(p)]++;
	}
	p->score = r->beta * entropies / draws / log((double)p->n) - (logs / draws - log_left(p)) / (double)r->dim;
}

static void drop_lightest(pruning *p)
{
	const mmi_prune_request *r = p->r;
	size_t least = r->clusters;
	for (size_t c = 0; c < r->clusters; c++) {
		if (!p->in[c])
			continue;
		const bool lighter = least == r->clusters || p->mass[c] < p->mass[least] ||
		                     (p->mass[c] <= p->mass[least] && r->weight[c] < r->weight[least]);
		least = lighter ? c : least;
	}
	p->in[least] = false;
	p->n--;
}

mm_status mmi_prune(const mmi_prune_request *r, bool *keep, size_t *kept, mm_error *e)
{
	pruning p = { .r = r,
		          .n = r->clusters,
		          .in = mmi_alloc(r->clusters, sizeof *p.in),
		          .mass = mmi_alloc(r->clusters, sizeof *p.mass),
		          .votes = mmi_alloc(r->clusters, sizeof *p.votes) };
	double best = INFINITY;
	const bool ok = p.in && p.mass && p.votes;
	for (size_t c = 0; ok && c < r->clusters; c++)
		p.in[c] = true;
	for (; ok && p.n > 1; drop_lightest(&p)) {
		measure(&p);
		if (!(p.score < best))
			continue;
		best = p.score;
		*kept = p.n;
		memcpy(keep, p.in, r->clusters * sizeof *keep);
	}
	mmi_free(p.in);
	mmi_free(p.mass);
	mmi_free(p.votes);
	if (!ok)
		return mmi_fail(e, MM_ENOMEM, "out of memory for the choice of clusters");
	return isfinite(best) ? MM_OK : mmi_fail(e, MM_ENUMERIC, "the clusters' densities are not finite numbers");
}
