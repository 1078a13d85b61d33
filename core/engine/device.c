/* device.c - memory that is on the host and on a device. */
#include "mmi_build.h"

#include "engine/device.h"

/* Copies may be queued from staging memory; what lies elsewhere is copied when it is queued. */
static mm_status create(const mmi_device *d, size_t bytes, bool again, mmi_mirror *out, mm_error *e)
{
	mmi_mirror m = { .bytes = bytes, .device = d->ops->alloc(d, bytes), .again = again };
	m.host = d->ops->direct ? m.device : again ? mmi_alloc(bytes, 1) : d->ops->alloc_staging(d, bytes);
	*out = m;
	return m.host && m.device ? MM_OK : mmi_fail(e, MM_ENOMEM, "out of memory for %zu bytes", bytes);
}

mm_status mmi_mirror_create(const mmi_device *d, size_t bytes, mmi_mirror *out, mm_error *e)
{
	return create(d, bytes, false, out, e);
}

mm_status mmi_mirror_create_again(const mmi_device *d, size_t bytes, mmi_mirror *out, mm_error *e)
{
	return create(d, bytes, true, out, e);
}

void mmi_mirror_clear(const mmi_device *d, mmi_mirror *m)
{
	if (m->host != m->device && m->again)
		mmi_free(m->host);
	else if (m->host != m->device)
		d->ops->release_staging(d, m->host);
	if (m->device)
		d->ops->release(d, m->device);
	*m = (mmi_mirror){ .host = NULL };
}

void mmi_mirror_push(const mmi_device *d, const mmi_mirror *m)
{
	if (!d->ops->direct)
		d->ops->upload(d, m->device, m->host, m->bytes);
}

void mmi_mirror_pull(const mmi_device *d, const mmi_mirror *m, size_t bytes)
{
	if (d->ops->direct)
		return;
	d->ops->download(d, m->host, m->device, bytes);
	d->ops->wait(d, NULL); /* a failure sticks: whoever waits next is told */
}

mmi_floats mmi_floats_write(const mmi_device *d, const float *host, size_t n, mmi_floats room)
{
	if (d->ops->direct)
		return mmi_floats_direct(host);
	if (n)
		d->ops->upload(d, room.at, host, n * sizeof *host);
	return room;
}
