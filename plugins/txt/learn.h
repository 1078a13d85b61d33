/* learn.h - what an instance takes from the training captions: classes, vocabulary, vectors. */
#ifndef TXT_LEARN_H
#define TXT_LEARN_H

#include "txt.h"

/* Reads the training split and sets vocabulary, vector, dim, n_classes and ready. */
mm_status txt_learn(mm_instance *i, mm_error *e);

#endif
