/* media_rig.h - pictures with captions made up for tests: coloured shapes in the layout of CUB_200_2011, and the host
 * as the plugins' own files see it. */
#ifndef MEDIA_RIG_H
#define MEDIA_RIG_H

#include "common.h"
#include "engine/params.h"
#include "run/setup.h"
#include "store_rig.h"

enum { MEDIA_CLASSES = 4, MEDIA_PER_CLASS = 10, MEDIA_TEST_PER_CLASS = 2 };

/* The program's own host with a log that counts. */
typedef struct media_host {
	mm_host *host;
	mma_host com;
	int warnings;
	char line[512]; /* the last warning */
} media_host;

void media_host_open(media_host *m);
/* Fails the test if blocks are left. */
void media_host_close(media_host *m);

/* One modality of a plugin as a run has it, with a log that counts. */
typedef struct media_setup {
	mmi_setup setup;
	const mmi_modality *m;
	mm_instance *i;
	int warnings;
	char first[512]; /* the first warning */
	char last[512];  /* the last line, warning or not */
} media_setup;

/* name: "img" or "txt". Settings: the data's root, then more lines of the modality's section. */
mm_status media_setup_open(rig *r, const char *name, const char *root, const char *keys, media_setup *out, mm_error *e);
void media_setup_close(media_setup *s);
/* Numbers in a model, as publications count them. */
size_t media_parameters(const mmi_params *p);

/* Writes a file below the rig's folder, making folders. */
void media_write(rig *r, const char *name, const void *data, size_t bytes);
void media_text(rig *r, const char *name, const char *text);
/* A shape of a class as PNG: width x height. */
void media_png(rig *r, const char *name, int width, int height, int class, int variant);
/* The same as JPEG; false without libjpeg. */
/* A grey picture whose last progressive scan comes so many times more. */
bool media_scans(rig *r, const char *name, int side, int scans);
bool media_jpeg(rig *r, const char *name, int width, int height, int class, int variant);
/* A whole data set below FOLDER: images.txt and its companions, images, text with two captions a picture. */
void media_cub(rig *r, const char *folder);
/* MMCORE_DATA/emoji, or NULL. */
const char *media_emoji(void);

#endif
