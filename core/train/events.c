/* events.c - records and messages of TensorBoard's files. */
#include "mmi_build.h"

#include "train/events.h"

#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { VARINT = 0, BYTES_8 = 1, STRING = 2, BYTES_4 = 5 }; /* kinds of fields */

struct mmi_events {
	int fd;
	char *path;
	uint32_t table[256]; /* of the checksum */
};

/* ---------------------------------------------------------------- messages */

/* Grows; without memory it stays as it was, and `failed` is set. */
typedef struct message {
	unsigned char *at;
	size_t n, capacity;
	bool failed;
} message;

static void put(message *m, const void *data, size_t bytes)
{
	if (m->n + bytes > m->capacity) {
		const size_t capacity = 2 * (m->n + bytes) + 256;
		unsigned char *grown = mmi_grow(m->at, m->n, capacity, 1);
		if (!grown) {
			m->failed = true;
			return;
		}
		m->at = grown;
		m->capacity = capacity;
	}
	if (bytes)
		memcpy(m->at + m->n, data, bytes);
	m->n += bytes;
}

static void put_varint(message *m, uint64_t value)
{
	unsigned char byte;
	for (; value > 127; value >>= 7) {
		byte = (unsigned char)(value | 128);
		put(m, &byte, 1);
	}
	byte = (unsigned char)value;
	put(m, &byte, 1);
}

static void put_integer(message *m, uint32_t field, uint64_t value)
{
	put_varint(m, field << 3 | VARINT);
	put_varint(m, value);
}

/* The machine is little-endian, as the format is. */
static void put_double(message *m, uint32_t field, double value)
{
	put_varint(m, field << 3 | BYTES_8);
	put(m, &value, sizeof value);
}

static void put_float(message *m, uint32_t field, float value)
{
	put_varint(m, field << 3 | BYTES_4);
	put(m, &value, sizeof value);
}

static void put_bytes(message *m, uint32_t field, const void *data, size_t bytes)
{
	put_varint(m, field << 3 | STRING);
	put_varint(m, bytes);
	put(m, data, bytes);
}

static void put_text(message *m, uint32_t field, const char *text)
{
	put_bytes(m, field, text, strlen(text));
}

/* Takes the part. */
static void put_part(message *m, uint32_t field, message *part)
{
	m->failed = m->failed || part->failed;
	put_bytes(m, field, part->at, part->n);
	mmi_free(part->at);
}

/* ---------------------------------------------------------------- records */

/* CRC-32C (Castagnoli), reflected. */
static void make_table(uint32_t table[256])
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t crc = i;
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
		table[i] = crc;
	}
}

/* "Masked": turned and shifted, since checksums of data that hold their own checksums are no good. */
static uint32_t checksum(const mmi_events *f, const unsigned char *data, size_t bytes)
{
	uint32_t crc = ~0u;
	for (size_t i = 0; i < bytes; i++)
		crc = crc >> 8 ^ f->table[(crc ^ data[i]) & 255];
	crc = ~crc;
	return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

/* Takes the event. */
static mm_status write_record(const mmi_events *f, message *event, mm_error *e)
{
	const uint64_t length = event->n;
	message record = { .failed = event->failed };
	put(&record, &length, sizeof length);
	put(&record, &(uint32_t){ checksum(f, record.at, record.failed ? 0 : sizeof length) }, sizeof(uint32_t));
	put(&record, event->at, event->n);
	put(&record, &(uint32_t){ checksum(f, event->at, event->n) }, sizeof(uint32_t));
	mm_status status = MM_OK;
	if (record.failed)
		status = mmi_fail(e, MM_ENOMEM, "%s: out of memory", f->path);
	else if (mmi_write_all(f->fd, record.at, record.n))
		status = mmi_fail(e, MM_EIO, "cannot write to %s: %s", f->path, strerror(errno));
	mmi_free(event->at);
	mmi_free(record.at);
	return status;
}

static message begin_event(double now, uint64_t step)
{
	message m = { .at = NULL };
	put_double(&m, 1, now);
	if (step)
		put_integer(&m, 2, step);
	return m;
}

/* ---------------------------------------------------------------- files */

static char *name_file(const char *folder, double now, int n)
{
	char host[64] = "";
	if (gethostname(host, sizeof host - 1) || !host[0])
		snprintf(host, sizeof host, "host");
	return mmi_format("%s/events.out.tfevents.%010lld.%s.%ld.%d", folder, (long long)now, host, (long)getpid(), n);
}

/* Files of one process and second have numbers. */
static mm_status create_file(mmi_events *f, const char *folder, double now, mm_error *e)
{
	for (int n = 0;; n++) {
		mmi_free(f->path);
		f->path = name_file(folder, now, n);
		if (!f->path)
			return mmi_fail(e, MM_ENOMEM, "out of memory for a file of events");
		f->fd = open(f->path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (f->fd >= 0)
			return MM_OK;
		if (errno != EEXIST)
			return mmi_fail(e, MM_EIO, "cannot create %s: %s", f->path, strerror(errno));
	}
}

static mm_status begin_file(mmi_events *f, const char *folder, double now, uint64_t step, mm_error *e)
{
	MMI_TRY(mmi_make_folders(folder, e));
	MMI_TRY(create_file(f, folder, now, e));
	message version = begin_event(now, 0);
	put_text(&version, 3, "brain.Event:2");
	MMI_TRY(write_record(f, &version, e));
	return step ? mmi_events_restart(f, now, step, e) : MM_OK;
}

mm_status mmi_events_open(const char *folder, double now, uint64_t step, mmi_events **out, mm_error *e)
{
	mmi_events *f = mmi_alloc(1, sizeof *f);
	if (!f)
		return mmi_fail(e, MM_ENOMEM, "out of memory for a file of events");
	f->fd = -1;
	make_table(f->table);
	mm_status status = begin_file(f, folder, now, step, e);
	if (status == MM_OK)
		*out = f;
	else
		mmi_events_close(f);
	return status;
}

void mmi_events_close(mmi_events *f)
{
	if (!f)
		return;
	if (f->fd >= 0)
		close(f->fd);
	mmi_free(f->path);
	mmi_free(f);
}

const char *mmi_events_path(const mmi_events *f)
{
	return f->path;
}

/* ---------------------------------------------------------------- events */

mm_status mmi_events_restart(mmi_events *f, double now, uint64_t step, mm_error *e)
{
	message event = begin_event(now, step), session = { .at = NULL };
	put_integer(&session, 1, 1);
	put_part(&event, 7, &session);
	return write_record(f, &event, e);
}

mm_status mmi_events_scalars(mmi_events *f, double now, uint64_t step, const mmi_scalar *s, size_t n, mm_error *e)
{
	message event = begin_event(now, step), summary = { .at = NULL };
	for (size_t i = 0; i < n; i++) {
		message value = { .at = NULL };
		if (!isfinite(s[i].value))
			continue;
		put_text(&value, 1, s[i].tag);
		put_float(&value, 2, (float)s[i].value);
		put_part(&summary, 1, &value);
	}
	put_part(&event, 5, &summary);
	return write_record(f, &event, e);
}

static uint32_t big_endian(const unsigned char *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

mm_status mmi_events_picture(mmi_events *f, double now, uint64_t step, const char *tag, const void *png, size_t bytes,
                             mm_error *e)
{
	enum { WIDTH = 16, HEIGHT = 20, HEADER = 24 }; /* where a PNG has them */
	const unsigned char *start = png;
	message event = begin_event(now, step), summary = { .at = NULL }, value = { .at = NULL }, image = { .at = NULL };
	if (bytes >= HEADER) {
		put_integer(&image, 1, big_endian(start + HEIGHT));
		put_integer(&image, 2, big_endian(start + WIDTH));
	}
	put_integer(&image, 3, 3);
	put_bytes(&image, 4, png, bytes);
	put_text(&value, 1, tag);
	put_part(&value, 4, &image);
	put_part(&summary, 1, &value);
	put_part(&event, 5, &summary);
	return write_record(f, &event, e);
}
