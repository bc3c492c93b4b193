/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * A running volume as JSON: what `status` shows, and what is left in
 * NAME.json for those who come when the monitor is gone.
 */
#include <json-c/json.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "daemon/monitor_state.h"
#include "daemon/process.h"
#include "daemon/report.h"

static void add_text(struct json_object *obj, const char *key, const char *text)
{
	json_object_object_add(obj, key, json_object_new_string(text));
}

static void add_number(struct json_object *obj, const char *key, uint64_t n)
{
	json_object_object_add(obj, key, json_object_new_uint64(n));
}

static void add_flag(struct json_object *obj, const char *key, bool flag)
{
	json_object_object_add(obj, key, json_object_new_boolean(flag));
}

static const char *state_name(const struct monitor *m)
{
	switch (m->phase) {
	case PHASE_STARTING:
	case PHASE_ATTACHING:
		return "opening";
	case PHASE_DETACHING:
	case PHASE_ENDING:
		return "closing";
	case PHASE_SERVING:
		break;
	}
	if (m->given_up)
		return "failed";
	return m->worker_ready ? "active" : "restarting";
}

void report_binding(const char *name, struct json_object *obj)
{
	struct vdpa_binding at;
	char path[VDPA_NODE_MAX + 8];

	vdpa_find(name, &at);
	json_object_object_add(obj, "driver", NULL);
	json_object_object_add(obj, "device", NULL);
	if (at.driver != VDPA_NO_DRIVER)
		add_text(obj, "driver", vdpa_driver_text(at.driver));
	snprintf(path, sizeof(path), "/dev/%s", at.node);
	if (at.node[0])
		add_text(obj, "device", path);
}

static void add_volume(const struct volume *v, struct json_object *obj)
{
	add_text(obj, "image", v->image);
	if (v->header[0])
		add_text(obj, "header", v->header);
	add_text(obj, "type", v->info.type);
	add_text(obj, "uuid", v->info.uuid);
	add_text(obj, "label", v->info.label);
	add_text(obj, "cipher", v->info.cipher);
	add_number(obj, "key_bits", v->info.key_bytes * 8);
	add_number(obj, "sector_size", v->info.sector_size);
	add_number(obj, "data_offset", v->info.data_offset);
	add_number(obj, "size", v->info.data_size);
	add_flag(obj, "readonly", v->readonly);
	add_flag(obj, "discards", v->allow_discards && v->backing.discard);
	add_text(obj, "cache", v->direct ? "direct" : "buffered");
	add_number(obj, "queues", v->nr_queues);
	add_number(obj, "queue_size", v->queue_size);
	add_number(obj, "poll_us", v->poll_us);
	add_flag(obj, "packed", v->packed);
	if (v->info.note[0])
		add_text(obj, "note", v->info.note);
}

static const struct {
	unsigned bit;
	const char *name;
} feature_names[] = {
	{ VIRTIO_BLK_F_SIZE_MAX, "SIZE_MAX" },
	{ VIRTIO_BLK_F_SEG_MAX, "SEG_MAX" },
	{ VIRTIO_BLK_F_RO, "RO" },
	{ VIRTIO_BLK_F_BLK_SIZE, "BLK_SIZE" },
	{ VIRTIO_BLK_F_FLUSH, "FLUSH" },
	{ VIRTIO_BLK_F_TOPOLOGY, "TOPOLOGY" },
	{ VIRTIO_BLK_F_CONFIG_WCE, "CONFIG_WCE" },
	{ VIRTIO_BLK_F_MQ, "MQ" },
	{ VIRTIO_BLK_F_DISCARD, "DISCARD" },
	{ VIRTIO_BLK_F_WRITE_ZEROES, "WRITE_ZEROES" },
	{ VIRTIO_RING_F_INDIRECT_DESC, "INDIRECT_DESC" },
	{ VIRTIO_RING_F_EVENT_IDX, "EVENT_IDX" },
	{ VIRTIO_F_VERSION_1, "VERSION_1" },
	{ VIRTIO_F_ACCESS_PLATFORM, "ACCESS_PLATFORM" },
	{ VIRTIO_F_RING_PACKED, "RING_PACKED" },
};

static void add_features(uint64_t features, struct json_object *obj)
{
	struct json_object *list = json_object_new_array();
	size_t i;

	for (i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++)
		if (features & (1ULL << feature_names[i].bit))
			json_object_array_add(
				list,
				json_object_new_string(feature_names[i].name));
	json_object_object_add(obj, "features", list);
	add_text(obj, "ring",
		 features & (1ULL << VIRTIO_F_RING_PACKED) ? "packed"
							   : "split");
}

static void add_kernel(const struct monitor *m, struct json_object *obj)
{
	struct json_object *list = json_object_new_array();
	struct vduse_extras extras;
	struct utsname kernel;
	uint64_t version;

	if (!uname(&kernel))
		add_text(obj, "kernel", kernel.release);
	if (!vduse_api_version(m->volume->control_fd, &version))
		add_number(obj, "vduse_api", version);
	vduse_find_extras(m->volume->name, &extras);
	if (extras.bounce_size)
		json_object_array_add(list,
				      json_object_new_string("bounce_size"));
	if (extras.irq_affinity)
		json_object_array_add(
			list, json_object_new_string("irq_cb_affinity"));
	json_object_object_add(obj, "vduse_features", list);
	add_flag(obj, "kernel_gave_up", vblk_stat_get(&m->shared.head->broken));
}

static void add_counters(const struct monitor *m, struct json_object *obj)
{
	static const char *const names[VBLK_NR_OPS] = {
		[VBLK_READ] = "read",
		[VBLK_WRITE] = "write",
		[VBLK_FLUSH] = "flush",
		[VBLK_DISCARD] = "discard",
		[VBLK_WRITE_ZEROES] = "write_zeroes",
		[VBLK_GET_ID] = "get_id",
		[VBLK_OTHER] = "other",
	};
	struct json_object *all = json_object_new_object(), *one;
	unsigned op, q;

	for (op = 0; op < VBLK_NR_OPS; op++) {
		struct vblk_op_stats sum = { 0 };

		for (q = 0; q < m->volume->nr_queues; q++) {
			const struct vblk_op_stats *s =
				&m->shared.stats[q].op[op];

			sum.requests += vblk_stat_get(&s->requests);
			sum.bytes += vblk_stat_get(&s->bytes);
			sum.errors += vblk_stat_get(&s->errors);
		}
		one = json_object_new_object();
		add_number(one, "requests", sum.requests);
		add_number(one, "bytes", sum.bytes);
		add_number(one, "errors", sum.errors);
		json_object_object_add(all, names[op], one);
	}
	json_object_object_add(obj, "requests", all);
}

static void add_queue(const struct vblk_stats *s, struct json_object *list)
{
	struct json_object *obj = json_object_new_object();
	char reason[VBLK_REASON_MAX + 1] = { 0 };

	add_number(obj, "kicks", vblk_stat_get(&s->kicks));
	add_number(obj, "polls", vblk_stat_get(&s->polls));
	add_number(obj, "interrupts", vblk_stat_get(&s->interrupts));
	add_number(obj, "in_flight", vblk_stat_get(&s->in_flight));
	add_number(obj, "replayed", vblk_stat_get(&s->replayed));
	add_flag(obj, "registered", vblk_stat_get(&s->registered));
	if (vblk_stat_get(&s->broken)) {
		memcpy(reason, s->reason, VBLK_REASON_MAX);
		add_text(obj, "broken", reason);
	}
	json_object_array_add(list, obj);
}

static void add_queues(const struct monitor *m, struct json_object *obj)
{
	struct json_object *list = json_object_new_array();
	unsigned i;

	for (i = 0; i < m->volume->nr_queues; i++)
		add_queue(&m->shared.stats[i], list);
	json_object_object_add(obj, "per_queue", list);
}

static void add_processes(const struct monitor *m, struct json_object *obj)
{
	const struct passwd *pw = getpwuid(m->volume->uid);
	char number[16];
	pid_t self = getpid();

	snprintf(number, sizeof(number), "%u", (unsigned)m->volume->uid);
	add_number(obj, "monitor_pid", (uint64_t)self);
	add_number(obj, "worker_pid", (uint64_t)m->worker);
	add_number(obj, "worker_start", process_start(m->worker));
	add_text(obj, "worker_user", pw ? pw->pw_name : number);
	add_number(obj, "worker_restarts", m->restarts);
	add_number(obj, "death_limit", m->volume->death_limit);
}

static void add_log(const struct monitor *m, struct json_object *obj)
{
	struct json_object *list = json_object_new_array();
	const char *line;
	unsigned i;

	for (i = 0; (line = log_relay_line(&m->log, i)); i++)
		json_object_array_add(list, json_object_new_string(line));
	json_object_object_add(obj, "log", list);
}

char *report_status(const struct monitor *m)
{
	struct json_object *obj = json_object_new_object();
	char *text;

	add_text(obj, "name", m->volume->name);
	add_text(obj, "state", state_name(m));
	if (m->volume->vhost_user) {
		add_text(obj, "driver", "vhost-user");
		add_text(obj, "device", m->volume->socket);
	} else {
		report_binding(m->volume->name, obj);
	}
	add_volume(m->volume, obj);
	add_features(vblk_stat_get(&m->shared.head->features), obj);
	add_number(obj, "device_status",
		   vblk_stat_get(&m->shared.head->status));
	add_kernel(m, obj);
	add_processes(m, obj);
	add_counters(m, obj);
	add_queues(m, obj);
	add_log(m, obj);
	text = strdup(json_object_to_json_string_ext(
		obj, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(obj);
	return text;
}
