/* tower.h - a network from a sample, or from features of it, to an embedding. Its layers follow from the shape alone.
 */
#ifndef MMI_TOWER_H
#define MMI_TOWER_H

#include "engine/graph.h"

typedef struct mmi_tower_size {
	int32_t channels,
		most_channels;         /* of the first layer of a map, which doubles to the most; of a sequence the most */
	int32_t hidden, embedding; /* of the two dense layers behind */
} mmi_tower_size;

/* x [h, w, c]: halved by 4x4 convolutions until a side is 4 or less; [length, features]: each place, then each with its
 * neighbours, then their mean; a vector: as it is. Then a dense layer, ReLU, and one without. In the parameters of the
 * graph's present scope; [embedding]. */
mm_tensor mmi_tower_record(const mmi_tower_size *size, mmi_graph *g, mm_tensor x);

#endif
