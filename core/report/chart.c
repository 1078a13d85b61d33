/* chart.c - one chart: which points are shown, its axes, its lines. */
#include "mmi_build.h"

#include "report/chart.h"
#include "report/html.h"

#include <math.h>

enum { WIDTH = 440, HEIGHT = 220, LEFT = 70, RIGHT = 12, TOP = 10, BOTTOM = 26 };
#define WIDE 50.0 /* largest over smallest value from which an axis is logarithmic */
#define TICKS 4

typedef struct axes {
	double x0, x1, y0, y1; /* y in logarithms where logarithmic */
	bool logarithmic;
} axes;

/* A count that never left zero, as of rollbacks, has nothing to show. */
static bool has_values(const mmi_chart_line *l, size_t n)
{
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < l[k].n; i++)
			if (isfinite(l[k].y[i]) && l[k].y[i] != 0)
				return true;
	return false;
}

static axes range_of(const mmi_chart_line *l, size_t n)
{
	axes a = { INFINITY, -INFINITY, INFINITY, -INFINITY, false };
	for (size_t k = 0; k < n; k++)
		for (size_t i = 0; i < l[k].n; i++)
			if (isfinite(l[k].y[i])) {
				a.x0 = fmin(a.x0, l[k].x[i]);
				a.x1 = fmax(a.x1, l[k].x[i]);
				a.y0 = fmin(a.y0, l[k].y[i]);
				a.y1 = fmax(a.y1, l[k].y[i]);
			}
	a.logarithmic = a.y0 > 0 && a.y1 / a.y0 > WIDE;
	if (a.logarithmic) {
		a.y0 = log10(a.y0);
		a.y1 = log10(a.y1);
	}
	return a;
}

/* A line in the middle where all values are the same. */
static axes widen(axes a)
{
	if (!(a.x1 > a.x0))
		a.x1 = a.x0 + 1;
	if (!(a.y1 > a.y0)) {
		const double margin = fmax(fabs(a.y0) * 0.1, 1e-12);
		a.y0 -= margin;
		a.y1 += margin;
	}
	return a;
}

static double at_x(const axes *a, double x)
{
	return LEFT + (x - a->x0) / (a->x1 - a->x0) * (WIDTH - LEFT - RIGHT);
}

static double at_y(const axes *a, double y)
{
	const double v = a->logarithmic ? log10(y) : y;
	return HEIGHT - BOTTOM - (v - a->y0) / (a->y1 - a->y0) * (HEIGHT - TOP - BOTTOM);
}

static void label(FILE *out, double x, double y, const char *anchor, double value)
{
	fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.4g</text>", x, y, anchor, value);
}

static void draw_axes(FILE *out, const axes *a)
{
	for (int i = 0; i <= TICKS; i++) {
		const double share = (double)i / TICKS, v = a->y0 + share * (a->y1 - a->y0);
		const double y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
		fprintf(out, "<line x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" class=\"grid\"/>", LEFT, WIDTH - RIGHT, y, y);
		label(out, LEFT - 5, y + 3.5, "end", a->logarithmic ? pow(10, v) : v);
	}
	label(out, LEFT, HEIGHT - 8, "start", a->x0);
	label(out, WIDTH - RIGHT, HEIGHT - 8, "end", a->x1);
}

/* The points of a line that are shown, ascending, into `shown`. */
static size_t choose(const mmi_chart_line *l, size_t shown[MMI_CHART_POINTS])
{
	const size_t stretches = MMI_CHART_POINTS / 2;
	size_t n = 0;
	for (size_t s = 0; s < stretches; s++) {
		const size_t from = l->n * s / stretches, to = l->n * (s + 1) / stretches;
		size_t low = SIZE_MAX, high = SIZE_MAX;
		for (size_t i = from; i < to; i++) {
			if (!isfinite(l->y[i]))
				continue;
			low = low == SIZE_MAX || l->y[i] < l->y[low] ? i : low;
			high = high == SIZE_MAX || l->y[i] > l->y[high] ? i : high;
		}
		if (low == SIZE_MAX)
			continue;
		shown[n++] = low < high ? low : high;
		if (low != high)
			shown[n++] = low < high ? high : low;
	}
	return n;
}

static void draw_line(FILE *out, const axes *a, const mmi_chart_line *l)
{
	size_t shown[MMI_CHART_POINTS];
	const size_t n = choose(l, shown);
	if (!n)
		return;
	fprintf(out, "<polyline class=\"c%d d%d\" data-name=\"", l->colour, l->dash);
	mmi_html_text(out, l->name);
	fputs("\" data-x=\"", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%.7g", i ? " " : "", l->x[shown[i]]);
	fputs("\" data-y=\"", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%.5g", i ? " " : "", l->y[shown[i]]);
	fputs("\" points=\"", out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s%.1f,%.1f", i ? " " : "", at_x(a, l->x[shown[i]]), at_y(a, l->y[shown[i]]));
	if (n == 1) /* a line of one point would not be seen */
		fprintf(out, " %.1f,%.1f", at_x(a, l->x[shown[0]]) + 2, at_y(a, l->y[shown[0]]));
	fputs("\"/>", out);
}

static void legend(FILE *out, const mmi_chart_line *l, size_t n)
{
	if (n < 2)
		return;
	fputs("<div class=\"legend\">", out);
	for (size_t k = 0; k < n; k++) {
		fprintf(out,
		        "<span><svg width=\"22\" height=\"8\"><line x1=\"0\" x2=\"22\" y1=\"4\" y2=\"4\" class=\"c%d "
		        "d%d\"/></svg> ",
		        l[k].colour, l[k].dash);
		mmi_html_text(out, l[k].name);
		fputs("</span> ", out);
	}
	fputs("</div>", out);
}

void mmi_chart_write(FILE *out, const char *title, const mmi_chart_line *lines, size_t n)
{
	if (!has_values(lines, n))
		return;
	const axes a = widen(range_of(lines, n));
	fputs("<figure class=\"chart\"><figcaption>", out);
	mmi_html_text(out, title);
	fputs(a.logarithmic ? " <small>(logarithmic)</small></figcaption>" : "</figcaption>", out);
	fprintf(out, "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH, HEIGHT);
	mmi_html_text(out, title);
	fputs("\">", out);
	draw_axes(out, &a);
	for (size_t k = 0; k < n; k++)
		draw_line(out, &a, &lines[k]);
	fprintf(out, "<line class=\"cursor\" y1=\"%d\" y2=\"%d\"/></svg>", TOP, HEIGHT - BOTTOM);
	legend(out, lines, n);
	fputs("<output></output></figure>\n", out);
}
