/* tests.h - every test of the table, one function each; the files have those of one group. */
#ifndef MMI_VALIDATE_TESTS_H
#define MMI_VALIDATE_TESTS_H

#include "validate/subject.h"

typedef mm_status mmi_test_run(mmi_subject *s, mm_error *e);

/* test_load.c */
mmi_test_run mmi_test_symbols, mmi_test_links, mmi_test_entry, mmi_test_query, mmi_test_prompt, mmi_test_unload,
	mmi_test_bare_host;
/* test_instance.c */
mmi_test_run mmi_test_unknown_ids, mmi_test_create, mmi_test_describe, mmi_test_extensions, mmi_test_save,
	mmi_test_state, mmi_test_describe_pure, mmi_test_null_release, mmi_test_create_flat, mmi_test_bad_settings,
	mmi_test_settings, mmi_test_state_junk;
/* test_data.c */
mmi_test_run mmi_test_open, mmi_test_bad_split, mmi_test_missing_data, mmi_test_count, mmi_test_keys,
	mmi_test_keys_unique, mmi_test_key_room, mmi_test_labels, mmi_test_read_bounds, mmi_test_read_written,
	mmi_test_read_support, mmi_test_bad_index, mmi_test_splits, mmi_test_classes, mmi_test_speed, mmi_test_data_flat;
/* test_repeat.c */
mmi_test_run mmi_test_read_repeat, mmi_test_read_order, mmi_test_read_instances, mmi_test_read_process, mmi_test_seed,
	mmi_test_group, mmi_test_read_thread, mmi_test_threads;
/* test_networks.c */
mmi_test_run mmi_test_build, mmi_test_build_twice, mmi_test_build_only, mmi_test_latents, mmi_test_graph_fails,
	mmi_test_classifier, mmi_test_finite, mmi_test_gradient, mmi_test_learns;
/* test_use.c */
mmi_test_run mmi_test_draw, mmi_test_draw_repeat, mmi_test_round, mmi_test_vary, mmi_test_render, mmi_test_render_fails,
	mmi_test_read_file, mmi_test_read_junk;
/* test_life.c */
mmi_test_run mmi_test_ambient, mmi_test_quiet, mmi_test_no_memory, mmi_test_messages;

/* test_use.c: a call of the file extension, its result checked as the host does. */
mm_status mmi_use_file(mmi_subject *s, const char *path, mmi_guarded *to, mm_error *e);
/* Calls that checks of values do not stop. */
mm_status mmi_use_key(mmi_subject *s, const mm_dataset *d, uint64_t index, char *out, size_t size, mm_error *e);

#endif
