// SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception
/*
 * floor: the least that an encrypted read or write of a file costs: io_uring
 * with registered buffers, and AES-256-XTS of libcrypto, in one thread, with no
 * rings of virtio, no notification and no checks around them.  With --rw idle
 * the cipher alone.  The key is constant: this protects nothing.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/hist.h"
#include "tests/bench/options.h"

#define NS 1000000000ULL

static const char usage[] =
	"floor [--file PATH] [OPTION...]\n"
	"\n"
	"  --rw WORKLOAD     randread, randwrite, randrw, read, write;\n"
	"                    idle: decrypt in memory, no file\n"
	"  --bs N            bytes of a request (4K)\n"
	"  --depth N         requests in flight (32)\n"
	"  --sector N        encryption sector, 512 or 4096 (512)\n"
	"  --offset N        where the data starts in the file (0)\n"
	"  --range N         bytes from there (all)\n"
	"  --direct          O_DIRECT\n"
	"  --plain           do not encrypt\n"
	"  --warmup S, --seconds S   not measured, measured (0.5, 2)\n"
	"  --seed N, --read-percent N, --cpu N\n";

struct slot {
	uint8_t *data;	 /* what a driver would see */
	uint8_t *bounce; /* registered */
	uint64_t offset;
	uint64_t begin;
	bool write;
};

struct floor {
	const struct options *opt;
	EVP_CIPHER_CTX *encrypt, *decrypt;
	struct io_uring uring;
	int fd;
	struct slot *slots;
	uint64_t blocks, next, random;
	uint64_t ops;
	unsigned int inflight;
	bool measuring, stop;
	struct hist hist;
};

static EVP_CIPHER_CTX *new_cipher(int encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[64];
	unsigned int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	if (!ctx || !EVP_CipherInit_ex(ctx, EVP_aes_256_xts(), NULL, key, NULL,
				       encrypt))
		errx(1, "libcrypto: no AES-256-XTS");
	return ctx;
}

/* Each sector with its number as initialisation vector (plain64). */
static void crypt_block(EVP_CIPHER_CTX *ctx, uint8_t *to, const uint8_t *from,
			uint32_t len, uint64_t sector, uint32_t sector_size)
{
	uint64_t iv[2] = { sector, 0 };
	uint32_t done;
	int out;

	for (done = 0; done < len; done += sector_size, iv[0]++)
		if (!EVP_CipherInit_ex(ctx, NULL, NULL, NULL, (uint8_t *)iv,
				       -1) ||
		    !EVP_CipherUpdate(ctx, to + done, &out, from + done,
				      sector_size))
			errx(1, "libcrypto: AES-256-XTS failed");
}

static void *allocate(size_t size)
{
	void *ptr;

	if (posix_memalign(&ptr, 4096, size))
		errx(1, "memory");
	memset(ptr, 0x5a, size);
	return ptr;
}

static void open_file(struct floor *floor)
{
	const struct options *opt = floor->opt;
	struct stat st;

	/* tmpfs answers at once, but io_uring only believes that of such. */
	floor->fd = open(opt->file, O_RDWR | O_CLOEXEC | O_NONBLOCK |
					    (opt->direct ? O_DIRECT : 0));
	if (floor->fd < 0 || fstat(floor->fd, &st))
		err(1, "%s", opt->file);
	floor->blocks = opt->range ? opt->range : st.st_size - opt->offset;
	floor->blocks /= opt->bs;
	if (!floor->blocks ||
	    opt->offset + floor->blocks * opt->bs > (uint64_t)st.st_size)
		errx(1, "%s: too small", opt->file);
}

/* What the kernel does in threads of its own, it does on our CPU. */
static void bind_helpers(struct io_uring *ring)
{
	cpu_set_t cpus;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		io_uring_register_iowq_aff(ring, sizeof(cpus), &cpus);
}

static void open_uring(struct floor *floor)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_SINGLE_ISSUER |
			 IORING_SETUP_DEFER_TASKRUN,
	};
	unsigned int depth = floor->opt->depth, i;
	struct iovec *iov = calloc(depth, sizeof(*iov));
	int ret;

	ret = io_uring_queue_init_params(depth, &floor->uring, &params);
	if (ret == -EINVAL) /* before Linux 6.1 */
		ret = io_uring_queue_init(depth, &floor->uring, 0);
	if (ret || !iov)
		errx(1, "io_uring: %s", strerror(-ret));
	for (i = 0; i < depth; i++)
		iov[i] = (struct iovec){ floor->slots[i].bounce,
					 floor->opt->bs };
	bind_helpers(&floor->uring);
	if (io_uring_register_files(&floor->uring, &floor->fd, 1))
		errx(1, "io_uring: the file cannot be registered");
	if (io_uring_register_buffers(&floor->uring, iov, depth))
		errx(1, "io_uring: buffers cannot be registered (ulimit -l)");
	free(iov);
}

static uint64_t first_sector(const struct floor *floor, const struct slot *slot)
{
	return (slot->offset - floor->opt->offset) / floor->opt->sector;
}

static void begin(struct floor *floor, unsigned int i)
{
	const struct options *opt = floor->opt;
	struct slot *slot = &floor->slots[i];
	struct io_uring_sqe *sqe;
	uint64_t block;

	if (opt->rw == READ || opt->rw == WRITE)
		block = floor->next++ % floor->blocks;
	else
		block = random_below(&floor->random, floor->blocks);
	slot->write = opt->rw == WRITE || opt->rw == RANDWRITE ||
		      (opt->rw == RANDRW &&
		       random_below(&floor->random, 100) >= opt->read_percent);
	slot->offset = opt->offset + block * opt->bs;
	slot->begin = floor->measuring ? now_ns() : 0;
	sqe = io_uring_get_sqe(&floor->uring);
	if (slot->write) {
		if (!opt->plain)
			crypt_block(floor->encrypt, slot->bounce, slot->data,
				    opt->bs, first_sector(floor, slot),
				    opt->sector);
		io_uring_prep_write_fixed(sqe, 0, slot->bounce, opt->bs,
					  slot->offset, i);
	} else {
		io_uring_prep_read_fixed(sqe, 0, slot->bounce, opt->bs,
					 slot->offset, i);
	}
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data64(sqe, i);
	floor->inflight++;
}

static void end(struct floor *floor, const struct io_uring_cqe *cqe)
{
	const struct options *opt = floor->opt;
	struct slot *slot = &floor->slots[cqe->user_data];

	if (cqe->res != (int)opt->bs)
		errx(1, "%s: %s", opt->file,
		     cqe->res < 0 ? strerror(-cqe->res) : "short");
	if (!slot->write && !opt->plain)
		crypt_block(floor->decrypt, slot->data, slot->bounce, opt->bs,
			    first_sector(floor, slot), opt->sector);
	if (slot->begin)
		hist_add(&floor->hist, now_ns() - slot->begin);
	floor->inflight--;
	floor->ops++;
}

/* All that completed is taken at once, and replaced. */
static void step_file(struct floor *floor)
{
	struct io_uring_cqe *cqe;
	unsigned int head, seen = 0;
	int ret = io_uring_submit_and_wait(&floor->uring, 1);

	if (ret < 0)
		errx(1, "io_uring: %s", strerror(-ret));
	io_uring_for_each_cqe(&floor->uring, head, cqe)
	{
		end(floor, cqe);
		if (!floor->stop)
			begin(floor, cqe->user_data);
		seen++;
	}
	io_uring_cq_advance(&floor->uring, seen);
}

static void step_cipher(struct floor *floor)
{
	struct slot *slot = &floor->slots[floor->ops % floor->opt->depth];

	crypt_block(floor->decrypt, slot->data, slot->bounce, floor->opt->bs,
		    floor->ops * floor->opt->bs / floor->opt->sector,
		    floor->opt->sector);
	floor->ops++;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * NS + now.tv_nsec;
}

/* Run for some time; how long it took, and what it used. */
static void run_for(struct floor *floor, double seconds, double *ret_seconds,
		    double *ret_cpu)
{
	uint64_t begun = now_ns(), cpu = cpu_ns(), now = begun;
	bool file = floor->opt->rw != IDLE;

	floor->ops = 0;
	while (now < begun + seconds * NS) {
		if (file)
			step_file(floor);
		else
			step_cipher(floor);
		now = now_ns();
	}
	*ret_seconds = (now - begun) / 1e9;
	*ret_cpu = (cpu_ns() - cpu) / 1e9;
}

static void print_result(struct floor *floor, double seconds, double cpu)
{
	const struct options *opt = floor->opt;
	double ops = floor->ops, mib = ops * opt->bs / (1 << 20);

	printf("{\"rw\": \"%s\", \"bs\": %u, \"depth\": %u, \"sector\": %u, "
	       "\"plain\": %s, \"seconds\": %.3f, \"ops\": %.0f, "
	       "\"iops\": %.1f, \"mib_s\": %.2f, \"cpu_s\": %.6f, "
	       "\"cpu_us_per_io\": %.4f, ",
	       workload_names[opt->rw], opt->bs, opt->depth, opt->sector,
	       opt->plain ? "true" : "false", seconds, ops, ops / seconds,
	       mib / seconds, cpu, cpu * 1e6 / (ops > 0 ? ops : 1));
	hist_print(&floor->hist);
	printf("}\n");
}

int main(int argc, char **argv)
{
	static struct floor floor;
	struct options opt;
	double seconds, cpu;
	unsigned int i;

	options_parse(&opt, argc, argv, usage);
	if ((opt.rw != IDLE && !opt.file) || opt.bs % opt.sector)
		errx(2, "--file is missing, or --bs is no whole sectors");
	pin_to_cpu(opt.cpu);
	floor.opt = &opt;
	floor.random = opt.seed * 0x9e3779b97f4a7c15ULL + 1;
	floor.encrypt = new_cipher(1);
	floor.decrypt = new_cipher(0);
	floor.slots = calloc(opt.depth, sizeof(*floor.slots));
	if (!floor.slots)
		errx(1, "memory");
	for (i = 0; i < opt.depth; i++) {
		floor.slots[i].data = allocate(opt.bs);
		floor.slots[i].bounce = allocate(opt.bs);
	}
	if (opt.rw != IDLE) {
		open_file(&floor);
		open_uring(&floor);
		for (i = 0; i < opt.depth; i++)
			begin(&floor, i);
	}
	run_for(&floor, opt.warmup, &seconds, &cpu);
	floor.measuring = true;
	run_for(&floor, opt.seconds, &seconds, &cpu);
	floor.stop = true;
	print_result(&floor, seconds, cpu);
	while (floor.inflight)
		step_file(&floor);
	return 0;
}
