/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Well-known signatures: see luks_signature.h.
 */
#include <stdbool.h>
#include <string.h>

#include "crypt/luks_signature.h"

struct signature {
	uint32_t offset;
	uint32_t len;
	const char *bytes;
	const char *name;
	bool wraps; /* a disk, which is not what the file's bytes are */
};

/* The first that matches wins: partition tables come last. */
static const struct signature signatures[] = {
	{ 0, 6, "LUKS\xba\xbe", "a LUKS container", true },
	/* cryptsetup's src/utils_reencrypt_luks1.c: MAKE_UNUSABLE. */
	{ 0, 6, "LUKS\xde\xad",
	  "a LUKS1 container whose re-encryption is under way (end it with"
	  " cryptsetup reencrypt)",
	  true },
	{ 0, 6, "SKUL\xba\xbe", "a LUKS2 container's second header", true },
	/* cryptsetup's lib/bitlk/bitlk.c, also the GUID of "To Go". */
	{ 3, 8, "-FVE-FS-",
	  "a BitLocker volume (open it with cryptsetup --type bitlk)" },
	{ 424, 16,
	  "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01",
	  "a BitLocker To Go volume (open it with cryptsetup --type bitlk)" },
	{ 1080, 2, "\x53\xef", "an ext2/3/4 file system" },
	{ 0, 4, "XFSB", "an XFS file system" },
	{ 65600, 8, "_BHRfS_M", "a btrfs file system" },
	{ 1024, 4, "\x10\x20\xf5\xf2", "an F2FS file system" },
	{ 3, 8, "NTFS    ", "an NTFS file system" },
	{ 3, 8, "EXFAT   ", "an exFAT file system" },
	{ 82, 5, "FAT32", "a FAT file system" },
	{ 54, 4, "FAT1", "a FAT file system" },
	{ 4086, 10, "SWAPSPACE2", "swap space" },
	{ 536, 8, "LVM2 001", "an LVM physical volume" },
	{ 4096, 4, "\xfc\x4e\x2b\xa9", "a Linux RAID member" },
	/* util-linux's libblkid/src/superblocks/cs_fvault2.c */
	{ 88, 2, "CS",
	  "a FileVault2 volume (open it with cryptsetup --type fvault2)" },
	{ 0, 4, "hsqs", "a squashfs file system" },
	{ 32769, 5, "CD001", "an ISO 9660 file system" },
	{ 0, 4, "QFI\xfb", "a qcow2 image", true },
	{ 0, 4, "KDMV", "a VMDK image", true },
	{ 0, 8, "vhdxfile", "a VHDX image", true },
	{ 0, 8, "conectix", "a VHD image", true },
	{ 64, 4, "\x7f\x10\xda\xbe", "a VDI image", true },
	{ 0, 8, "bcachefs", "a bcachefs file system" },
	{ 0, 2, "\x1f\x8b", "a gzip file" },
	{ 0, 6,
	  "\xfd"
	  "7zXZ",
	  "an xz file" },
	{ 0, 4, "\x28\xb5\x2f\xfd", "a zstd file" },
	{ 0, 4,
	  "\x7f"
	  "ELF",
	  "a program" },
	{ 0, 4, "%PDF", "a PDF document" },
	{ 0, 4, "PK\x03\x04", "a ZIP file" },
	{ 257, 5, "ustar", "a tar archive" },
	{ 512, 8, "EFI PART", "a GPT partition table" },
	{ 4096, 8, "EFI PART", "a GPT partition table" },
	{ 510, 2, "\x55\xaa", "a partition table or boot sector" },
};

static const struct signature *find(const uint8_t *start, size_t len)
{
	const struct signature *s, *end;

	end = signatures + sizeof(signatures) / sizeof(signatures[0]);
	for (s = signatures; s < end; s++)
		if (s->offset + s->len <= len &&
		    !memcmp(start + s->offset, s->bytes, s->len))
			return s;
	return NULL;
}

const char *signature_name(const uint8_t *start, size_t len)
{
	const struct signature *s = find(start, len);

	return s ? s->name : NULL;
}

const char *signature_wrapping(const uint8_t *start, size_t len)
{
	const struct signature *s = find(start, len);

	return s && s->wraps ? s->name : NULL;
}
