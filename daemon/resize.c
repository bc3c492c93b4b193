/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Another size for a volume that is being served.
 *
 * To grow: the image first, then the worker, which tells the driver.  To
 * shrink: only if nobody uses the device, the worker first, then the image.
 * The monitor changes the image, since the worker must not.  A worker that
 * dies in between is asked again when its successor is ready.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crypt/luks_image.h"
#include "crypt/xts.h"
#include "daemon/monitor_state.h"
#include "daemon/worker.h"
#include "lib/log.h"
#include "lib/why.h"

static void finish(struct monitor *m, int err, const char *text)
{
	m->resize.step = RESIZE_NONE;
	if (err)
		log_warn("cannot be resized: %s", text);
	control_answer(m, m->resize.client, err, text);
	m->resize.client = -1;
}

static int check_size(const struct volume *v, uint64_t image, struct why *why)
{
	uint64_t data = image - v->info.data_offset;

	if (image <= v->info.data_offset || data % v->info.sector_size)
		return why_set(why, -EINVAL,
			       "%s: %" PRIu64 " bytes are not the header's "
			       "%" PRIu64 " and then sectors of %u",
			       v->image, image, v->info.data_offset,
			       v->info.sector_size);
	if (data > INT64_MAX)
		return why_set(why, -EFBIG, "%s: %s", v->image,
			       strerror(EFBIG));
	if (data > XTS_PLAIN_MAX && !strcmp(v->info.cipher, "aes-xts-plain"))
		return why_set(why, -EINVAL,
			       "%s: aes-xts-plain is for up to 2 TiB",
			       v->image);
	return 0;
}

/* Whether the image may be given another size than it has. */
static int check_image(const struct volume *v, struct why *why)
{
	struct stat st;

	if (v->readonly)
		return why_set(why, -EROFS, "%s: is open read-only", v->image);
	if (fstat(v->image_fd, &st) || !S_ISREG(st.st_mode))
		return why_set(why, -EINVAL,
			       "%s: a block device has the size it has (leave "
			       "out --size)",
			       v->image);
	return 0;
}

/* @size: of the image, in the end; 0: the one it has. */
static int plan(struct monitor *m, uint64_t size, struct why *why)
{
	const struct volume *v = m->volume;
	uint64_t now;
	int err;

	if (m->given_up)
		return why_set(why, -EIO,
			       "%s: requests are answered with errors since "
			       "its workers died",
			       v->name);
	err = luks_image_size(v->image_fd, &now, why);
	if (err) {
		why_prefix(why, "%s", v->image);
		return err;
	}
	if (!size)
		size = now;
	/* Nobody here knows what the front end's driver does with it. */
	if (v->vhost_user && size < v->info.data_offset + v->info.data_size)
		return why_set(why, -EBUSY,
			       "%s: a disk of a virtual machine only grows",
			       v->name);
	err = check_size(v, size, why);
	if (!err && size != now)
		err = check_image(v, why);
	if (!err && size > now && ftruncate(v->image_fd, (off_t)size))
		err = why_set(why, -errno,
			      "%s: cannot have %" PRIu64 " bytes: %s", v->image,
			      size, strerror(errno));
	if (err)
		return err;
	m->resize.data_size = size - v->info.data_offset;
	m->resize.cut = size < now ? size : 0;
	return 0;
}

static void ask_worker(struct monitor *m)
{
	const char what = WORKER_RESIZE;

	vblk_stat_set(&m->shared.head->resize_to, m->resize.data_size);
	if (write(m->channel_fd, &what, 1) != 1)
		log_detail("the worker does not listen");
}

/* From here on, a new worker has the new size. */
static void begin_worker(struct monitor *m)
{
	m->resize.step = RESIZE_WORKER;
	m->volume->info.data_size = m->resize.data_size;
	monitor_save_state(m);
	if (m->worker_ready)
		ask_worker(m);
}

void resize_begin(struct monitor *m, int client, uint64_t size)
{
	struct why why = { "" };
	int err;

	m->resize.client = client;
	err = plan(m, size, &why);
	if (err) {
		finish(m, err, why.text);
		return;
	}
	if (m->resize.data_size >= m->volume->info.data_size) {
		begin_worker(m);
		return;
	}
	err = attach_start(&m->attach, CHECK_UNUSED, m->volume, m->rt);
	if (err)
		finish(m, err, strerror(-err));
	else
		m->resize.step = RESIZE_CHECK;
}

void resize_checked(struct monitor *m, const struct attach_result *res)
{
	if (res->err)
		finish(m, res->err, res->why.text);
	else
		begin_worker(m);
}

void resize_on_ready(struct monitor *m)
{
	if (m->resize.step == RESIZE_WORKER)
		ask_worker(m);
}

void resize_on_resized(struct monitor *m)
{
	const struct volume *v = m->volume;
	struct why why = { "" };
	int err;

	if (m->resize.step != RESIZE_WORKER)
		return;
	err = vblk_stat_get(&m->shared.head->resize_err) ? -EIO : 0;
	if (err)
		why_set(&why, err, "%s: the device does not take it", v->name);
	else if (m->resize.cut && ftruncate(v->image_fd, (off_t)m->resize.cut))
		err = why_set(&why, -errno, "%s: cannot be cut: %s", v->image,
			      strerror(errno));
	if (!err)
		log_note("the device has %" PRIu64 " bytes now",
			 v->info.data_size);
	finish(m, err, why.text);
}
