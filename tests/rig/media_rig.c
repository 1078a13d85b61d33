/* media_rig.c - pictures with captions made up for tests. */
#include "mmi_build.h"

#include "media_rig.h"

#include "plugin/host.h"
#include "store/files.h"
#include "draw/picture.h"

#ifdef HAVE_LIBJPEG
#include <jpeglib.h>
#endif

/* ---------------------------------------------------------------- host */

static void hear(void *ctx, int level, const char *text)
{
	media_host *m = ctx;
	if (level != MM_LOG_WARNING)
		return;
	m->warnings++;
	snprintf(m->line, sizeof m->line, "%s", text);
}

void media_host_open(media_host *m)
{
	mm_error e = MM_ERROR_INIT;
	*m = (media_host){ .host = NULL };
	const mmi_log log = { .line = hear, .ctx = m };
	assert_ok(mmi_host_create(7, &log, &m->host, &e), e);
	assert_ok(mma_tables(mmi_host_api(m->host), &m->com, &e), e);
}

void media_host_close(media_host *m)
{
	assert_int_equal(mmi_host_blocks(m->host), 0);
	mmi_host_destroy(m->host);
}

static void hear_first(void *ctx, int level, const char *text)
{
	media_setup *s = ctx;
	snprintf(s->last, sizeof s->last, "%s", text);
	if (level == MM_LOG_WARNING && !s->warnings++)
		snprintf(s->first, sizeof s->first, "%s", text);
}

mm_status media_setup_open(rig *r, const char *name, const char *root, const char *keys, media_setup *out, mm_error *e)
{
	char text[2048];
	const mmi_log log = { .line = hear_first, .ctx = out };
	*out = (media_setup){ .warnings = 0 };
	snprintf(text, sizeof text,
	         "[data]\nroot = %s\n[run]\nthreads = 1\n[learner]\nlatent_dim = 64\n[%s]\nplugin = %s.so\n%s\n", root,
	         name, name, keys);
	media_text(r, "run.ini", text);
	const mmi_setup_request request = { .ini = rig_path(r, "run.ini"), .log = &log };
	MMI_TRY(mmi_setup_open(&request, &out->setup, e));
	out->m = &out->setup.modalities[0];
	out->i = out->m->instance;
	return MM_OK;
}

void media_setup_close(media_setup *s)
{
	mmi_setup_close(&s->setup);
}

size_t media_parameters(const mmi_params *p)
{
	size_t sum = 0;
	for (size_t i = 0; i < p->n; i++)
		sum += p->info[i].count;
	return sum;
}

/* ---------------------------------------------------------------- files */

void media_write(rig *r, const char *name, const void *data, size_t bytes)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s", r->folder, name);
	char *slash = strrchr(path, '/');
	*slash = 0;
	assert_int_equal(mmi_make_folders(path, NULL), MM_OK);
	*slash = '/';
	rig_write(path, data, bytes);
}

void media_text(rig *r, const char *name, const char *text)
{
	media_write(r, name, text, strlen(text));
}

/* A square, cross, disc or stripes in the class's colour on white, a little elsewhere in each variant. */
static uint8_t *draw(int width, int height, int class, int variant)
{
	static const uint8_t colours[MEDIA_CLASSES][3] = {
		{ 220, 30, 30 }, { 30, 160, 40 }, { 40, 60, 210 }, { 230, 170, 20 }
	};
	uint8_t *rgb = malloc((size_t)width * (size_t)height * 3);
	assert_non_null(rgb);
	for (int y = 0; y < height; y++)
		for (int x = 0; x < width; x++) {
			int u = (x - width / 2 - variant % 3 + 1) * 16 / width,
				v = (y - height / 2 - variant / 3 + 1) * 16 / height;
			bool in = class == 0   ? abs(u) < 5 && abs(v) < 5
			          : class == 1 ? (abs(u) < 2 || abs(v) < 2) && abs(u) + abs(v) < 7
			          : class == 2 ? u * u + v * v < 30
			                       : abs(v) < 6 && (u + 32) % 4 < 2;
			for (int c = 0; c < 3; c++)
				rgb[(y * width + x) * 3 + c] = in ? colours[class][c] : 255;
		}
	return rgb;
}

static const char *full_path(rig *r, const char *name, char path[400])
{
	media_text(r, name, "");
	snprintf(path, 400, "%s/%s", r->folder, name);
	return path;
}

void media_png(rig *r, const char *name, int width, int height, int class, int variant)
{
	mm_error e = MM_ERROR_INIT;
	char path[400];
	uint8_t *rgb = draw(width, height, class, variant);
	assert_ok(mmi_png_write(full_path(r, name, path), rgb, (uint32_t)width, (uint32_t)height, 3 * (size_t)width, &e),
	          e);
	free(rgb);
}

bool media_scans(rig *r, const char *name, int side, int scans)
{
#ifdef HAVE_LIBJPEG
	char path[400];
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	size_t bytes, last = 0;
	FILE *file = fopen(full_path(r, name, path), "wb");
	assert_non_null(file);
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, file);
	jpeg.image_width = jpeg.image_height = (JDIMENSION)side;
	jpeg.input_components = 1;
	jpeg.in_color_space = JCS_GRAYSCALE;
	jpeg_set_defaults(&jpeg);
	jpeg_simple_progression(&jpeg);
	jpeg_start_compress(&jpeg, TRUE);
	JSAMPROW row = calloc((size_t)side, 1);
	while (jpeg.next_scanline < jpeg.image_height)
		jpeg_write_scanlines(&jpeg, &row, 1);
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	free(row);
	assert_int_equal(fclose(file), 0);
	char *text = rig_read(path, &bytes);
	for (size_t i = 0; i + 1 < bytes; i++)
		last = !memcmp(text + i, "\xFF\xDA", 2) ? i : last;
	file = fopen(path, "wb");
	assert_non_null(file);
	fwrite(text, 1, bytes - 2, file);
	for (int i = 0; i < scans; i++)
		fwrite(text + last, 1, bytes - 2 - last, file);
	fwrite(text + bytes - 2, 1, 2, file);
	assert_int_equal(fclose(file), 0);
	free(text);
	return true;
#else
	(void)r, (void)name, (void)side, (void)scans;
	return false;
#endif
}

bool media_jpeg(rig *r, const char *name, int width, int height, int class, int variant)
{
#ifdef HAVE_LIBJPEG
	char path[400];
	struct jpeg_compress_struct jpeg;
	struct jpeg_error_mgr errors;
	uint8_t *rgb = draw(width, height, class, variant);
	FILE *file = fopen(full_path(r, name, path), "wb");
	assert_non_null(file);
	jpeg.err = jpeg_std_error(&errors);
	jpeg_create_compress(&jpeg);
	jpeg_stdio_dest(&jpeg, file);
	jpeg.image_width = (JDIMENSION)width;
	jpeg.image_height = (JDIMENSION)height;
	jpeg.input_components = 3;
	jpeg.in_color_space = JCS_RGB;
	jpeg_set_defaults(&jpeg);
	jpeg_set_quality(&jpeg, 92, TRUE);
	if (variant % 2)
		jpeg_simple_progression(&jpeg);
	jpeg_start_compress(&jpeg, TRUE);
	while (jpeg.next_scanline < jpeg.image_height) {
		JSAMPROW row = rgb + (size_t)jpeg.next_scanline * (size_t)width * 3;
		jpeg_write_scanlines(&jpeg, &row, 1);
	}
	jpeg_finish_compress(&jpeg);
	jpeg_destroy_compress(&jpeg);
	assert_int_equal(fclose(file), 0);
	free(rgb);
	return true;
#else
	(void)r, (void)name, (void)width, (void)height, (void)class, (void)variant;
	return false;
#endif
}

/* ---------------------------------------------------------------- a data set */

static const char *const colour_names[MEDIA_CLASSES] = { "red", "green", "blue", "yellow" };
static const char *const shape_names[MEDIA_CLASSES] = { "square", "cross", "disc", "stripes" };

void media_cub(rig *r, const char *folder)
{
	char images[8192] = "", split[2048] = "", labels[2048] = "", classes[256] = "", name[200], line[200];
	int id = 0;
	for (int c = 0; c < MEDIA_CLASSES; c++) {
		snprintf(line, sizeof line, "%d 00%d.%s & co\n", c + 1, c + 1, colour_names[c]);
		strcat(classes, line);
		for (int k = 0; k < MEDIA_PER_CLASS; k++) {
			char stem[80];
			snprintf(stem, sizeof stem, "00%d.%s & co/%s_%d", c + 1, colour_names[c], shape_names[c], k);
			snprintf(name, sizeof name, "%s/images/%s.jpg", folder, stem);
			bool jpeg = k % 4 == 1 && media_jpeg(r, name, 50, 40, c, k);
			if (!jpeg) {
				snprintf(name, sizeof name, "%s/images/%s.png", folder, stem);
				media_png(r, name, 40 + k, 44, c, k);
			}
			id++;
			snprintf(line, sizeof line, "%d %s.%s\n", id, stem, jpeg ? "jpg" : "png");
			strcat(images, line);
			snprintf(line, sizeof line, "%d %d\n", id, k >= MEDIA_TEST_PER_CLASS);
			strcat(split, line);
			snprintf(line, sizeof line, "%d %d\n", id, c + 1);
			strcat(labels, line);
			snprintf(name, sizeof name, "%s/text/%s.txt", folder, stem);
			snprintf(line, sizeof line, "A %s %s, number %d.\nthe %s is %s\n", colour_names[c], shape_names[c], k,
			         shape_names[c], colour_names[c]);
			media_text(r, name, line);
		}
	}
	const struct {
		const char *name, *text;
	} lists[] = { { "images.txt", images },
		          { "train_test_split.txt", split },
		          { "image_class_labels.txt", labels },
		          { "classes.txt", classes } };
	for (size_t i = 0; i < MMI_COUNT(lists); i++) {
		snprintf(name, sizeof name, "%s/%s", folder, lists[i].name);
		media_text(r, name, lists[i].text);
	}
}

const char *media_emoji(void)
{
	static char path[512];
	char list[600];
	const char *data = getenv("MMCORE_DATA");
	snprintf(path, sizeof path, "%s/emoji", data ? data : "");
	snprintf(list, sizeof list, "%s/images.txt", path);
	return data && !access(list, R_OK) ? path : NULL;
}
