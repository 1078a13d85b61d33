/* whole_file.c - whether a file is as long as its header says: WAV, AIFF and Ogg, whose readers do not tell. */
#include "mmi_build.h"

#include "sound_file.h"

#include <string.h>
#include <unistd.h>

/* A chunk's size as written by programs that could not know it. */
static const uint32_t UNKNOWN = 0xFFFFFFFFu;

static bool read_at(int fd, uint64_t at, void *out, size_t size)
{
	return pread(fd, out, size, (off_t)at) == (ssize_t)size;
}

static uint32_t number(const unsigned char b[4], bool big)
{
	return big ? (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3]
	           : (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* RIFF and its like: chunks of a name, a size and that many bytes, even; `data` holds the samples. */
static mm_status check_chunks(int fd, uint64_t size, const char *data, bool big, const char *path, mm_error *e)
{
	enum { MOST_CHUNKS = 4096 };
	unsigned char head[8];
	uint64_t at = 12;
	for (int k = 0; k < MOST_CHUNKS && read_at(fd, at, head, sizeof(head)); k++) {
		const uint32_t bytes = number(head + 4, big);
		const uint64_t begin = at + sizeof(head), left = size - begin;
		if (!memcmp(head, data, 4))
			return bytes == UNKNOWN || bytes <= left
			           ? MM_OK
			           : mma_fail(
							 e, MM_EFORMAT,
							 "%s: cut short: its header promises %lu bytes of sound, %llu are there; copy the file "
							 "again",
							 path, (unsigned long)bytes, (unsigned long long)left);
		at = begin + bytes + (bytes & 1);
	}
	return MM_OK; /* no such chunk: libsndfile says so */
}

/* The last page of an Ogg stream says that it is. */
static mm_status check_ogg(int fd, uint64_t size, const char *path, mm_error *e)
{
	enum { PAGE = 65536 /* and some: no page is longer */ };
	unsigned char page[PAGE];
	const size_t n = size < PAGE ? (size_t)size : PAGE;
	if (!read_at(fd, size - n, page, n))
		return MM_OK;
	for (size_t at = n - 5; at + 5 > 5; at--)
		if (!memcmp(page + at, "OggS", 4))
			return at + 5 < n && page[at + 5] & 4
			           ? MM_OK
			           : mma_fail(e, MM_EFORMAT,
			                      "%s: cut short: its last page is not the stream's last; copy the file again", path);
	return mma_fail(e, MM_EFORMAT, "%s: cut short or damaged: no page near its end; copy the file again", path);
}

mm_status audio_check_whole(int fd, uint64_t size, const char *path, mm_error *e)
{
	unsigned char head[12];
	if (size < sizeof(head) || !read_at(fd, 0, head, sizeof(head)))
		return MM_OK;
	if (!memcmp(head, "RIFF", 4) && !memcmp(head + 8, "WAVE", 4))
		return check_chunks(fd, size, "data", false, path, e);
	if (!memcmp(head, "RIFX", 4) && !memcmp(head + 8, "WAVE", 4))
		return check_chunks(fd, size, "data", true, path, e);
	if (!memcmp(head, "FORM", 4) && !memcmp(head + 8, "AIF", 3))
		return check_chunks(fd, size, "SSND", true, path, e);
	return !memcmp(head, "OggS", 4) && size > 27 ? check_ogg(fd, size, path, e) : MM_OK;
}
