/* img.h - pictures in folders: what the plugin's files share. */
#ifndef IMG_H
#define IMG_H

#include "pairs.h"

enum { IMG_BROKEN_REFUSE = 0, IMG_BROKEN_SKIP = 1 };
enum { IMG_OUTPUT_TANH = 0, IMG_OUTPUT_LINEAR = 1 };

/* How a picture of any size becomes a square (resize.h). */
typedef struct img_fit {
	int32_t size;  /* pixels a side */
	int lanczos;   /* 0: area */
	int crop;      /* the largest central square; 0: stretched */
	int as_stored; /* orientation = ignore */
} img_fit;

/* One modality. The strings belong to the host and live as long as the instance. */
struct mm_instance {
	const mma_host *host;
	pairs_source source;
	img_fit fit;
	int net; /* of img_net_table */
	int broken, output, energy_bias, mirror;
	int32_t width; /* base width of net = conv */
	int32_t energy_channels, energy_stride;
	int32_t cache_mb; /* of decoded pictures, for each data set */
	pairs_known known;
};

/* instance.c */
mm_status img_create(void *self, mm_config *config, mm_instance **out, mm_error *e);
void img_destroy(mm_instance *i);
mm_status img_describe(mm_instance *i, mm_modality_info *out, mm_error *e);
extern const mm_modality_state img_state;
extern const mm_modality_settings img_settings;

/* dataset.c */
mm_status img_open(mm_instance *i, int32_t split, mm_dataset **out, mm_error *e);
void img_close(mm_dataset *d);
uint64_t img_count(const mm_dataset *d);
mm_status img_key(const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e);
int32_t img_label(const mm_dataset *d, uint64_t index);
mm_status img_read(mm_dataset *d, uint64_t index, float *out, mm_error *e);
extern const mm_modality_group img_group;

/* given.c */
extern const mm_modality_file img_file;

/* render.c */
mm_status img_render(mm_instance *i, const float *x, const char *path, mm_error *e);
extern const mm_modality_picture img_picture;

#endif
