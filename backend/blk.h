/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * The block contract: what every layer below the device model is.
 *
 * A device (struct blk_dev) is shared, and what users see of it is read-only
 * once it is open.  A queue (struct blk_queue) belongs to one thread and its
 * loop, from open to close, and may share things with the other queues of that
 * loop.  Layers stack: the cipher is a device that is made on top of a device.
 *
 * Sectors are units of 512 bytes of this layer's device, whatever the logical
 * block size is.  A layer allocates nothing per request: it sizes its slots
 * in open_queue.
 *
 * Requests go down through blk_submit and come back through blk_end; both
 * check the contract, so that an implementation need not.
 */
#ifndef BACKEND_BLK_H
#define BACKEND_BLK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define BLK_SECTOR_SIZE 512U

struct blk_dev;
struct blk_queue;
struct blk_req;
struct loop;

enum blk_op {
	BLK_READ,
	BLK_WRITE,
	BLK_FLUSH,	  /* all writes that have ended are made durable */
	BLK_DISCARD,	  /* contents become undefined, space may be freed */
	BLK_WRITE_ZEROES, /* contents become zeroes */
};

enum blk_req_flags {
	BLK_FUA = 1 << 0,   /* WRITE, WRITE_ZEROES: durable when it ends */
	BLK_UNMAP = 1 << 1, /* WRITE_ZEROES: space may be freed for it */
};

/*
 * What a device is; set before it is handed out, constant afterwards but for
 * nr_sectors: see blk_nr_sectors and blk_resize.
 */
struct blk_info {
	uint64_t nr_sectors;	  /* of 512 bytes */
	uint32_t block_size;	  /* bytes; requests are multiples of it */
	uint32_t phys_block_size; /* bytes; multiple of block_size */
	uint32_t io_opt;	  /* bytes; best transfer size, 0: unknown */
	bool readonly;		  /* WRITE, DISCARD, WRITE_ZEROES: -EROFS */
	bool discard;		  /* BLK_DISCARD is served */
	bool by_device;		  /* hardware works on requests, no CPU */
	const char *cache;	  /* "direct", "buffered", ... for status */
};

/*
 * One request.  The submitter owns it and everything it points to, and leaves
 * them alone until end_io.
 */
struct blk_req {
	enum blk_op op;
	unsigned flags;		 /* enum blk_req_flags */
	unsigned tag;		 /* < depth, unique among those in flight */
	uint64_t sector;	 /* of 512 bytes; not for FLUSH */
	uint64_t nr_sectors;	 /* of 512 bytes; the length; not for FLUSH */
	const struct iovec *iov; /* READ, WRITE: its bytes are nr_sectors */
	int iovcnt;
	/*
	 * Called exactly once, in the queue's thread, perhaps before
	 * blk_submit returns.  @res: 0 or -errno.  After a READ that failed
	 * the buffers hold anything but secrets.  The request may be used
	 * again at once.
	 */
	void (*end_io)(struct blk_req *req, int res);
	struct blk_queue *queue; /* set by blk_submit */
};

/* All of these are required, but for resize. */
struct blk_ops {
	const char *name;
	/*
	 * A queue for up to @depth requests in flight, in the thread of
	 * @loop, before loop_seal.  0 or -errno.
	 */
	int (*open_queue)(struct blk_dev *dev, struct loop *loop,
			  unsigned depth, struct blk_queue **ret);
	/* Ends in blk_end(req), exactly once, now or later. */
	void (*submit)(struct blk_queue *queue, struct blk_req *req);
	/* No request is in flight.  Frees @queue. */
	void (*close_queue)(struct blk_queue *queue);
	/* No queue is open.  Frees @dev, and what it stands on. */
	void (*close)(struct blk_dev *dev);
	/*
	 * Have room for @nr_sectors below, if there are to be more, and take
	 * that size with blk_set_nr_sectors.  0 or -errno.  NULL: a size
	 * that stays.
	 */
	int (*resize)(struct blk_dev *dev, uint64_t nr_sectors);
};

/* First member of every implementation's device. */
struct blk_dev {
	const struct blk_ops *ops;
	struct blk_info info;
};

/* First member of every implementation's queue. */
struct blk_queue {
	struct blk_dev *dev;
	struct loop *loop;
	unsigned depth;
	unsigned in_flight;
};

/* The size now, which another thread may be changing. */
static inline uint64_t blk_nr_sectors(const struct blk_dev *dev)
{
	/* Acquire: what stands below has grown before. */
	return __atomic_load_n(&dev->info.nr_sectors, __ATOMIC_ACQUIRE);
}

/* For implementations of resize. */
static inline void blk_set_nr_sectors(struct blk_dev *dev, uint64_t nr_sectors)
{
	__atomic_store_n(&dev->info.nr_sectors, nr_sectors, __ATOMIC_RELEASE);
}

/*
 * Give the device another size, of whole blocks and not 0, while its queues
 * may be running.  One thread at a time.  Nothing that stands in the lost part
 * is waited for: the caller knows that no such request is in flight.
 * 0, -EINVAL, -EOPNOTSUPP or what the implementation says.
 */
int blk_resize(struct blk_dev *dev, uint64_t nr_sectors);

int blk_open_queue(struct blk_dev *dev, struct loop *loop, unsigned depth,
		   struct blk_queue **ret);

/* NULL is allowed. */
void blk_close_queue(struct blk_queue *queue);

/* NULL is allowed. */
void blk_close(struct blk_dev *dev);

/*
 * Hand a request down.  What the device cannot take (see blk_check) ends
 * here, through end_io; the implementation sees only valid requests.
 */
void blk_submit(struct blk_queue *queue, struct blk_req *req);

/* For implementations: the request is done. */
void blk_end(struct blk_req *req, int res);

/*
 * Whether the device can take the request: 0, or -EINVAL (misaligned, or the
 * lengths do not agree), -EIO (beyond the end), -EROFS, -EOPNOTSUPP
 * (unknown operation, or DISCARD where it is not served).
 */
int blk_check(const struct blk_dev *dev, const struct blk_req *req);

#endif
