/* SPDX-License-Identifier: GPL-2.0-or-later WITH cryptsetup-OpenSSL-exception */
/*
 * Changing the key slots of a container, and what its header says of its use.
 *
 * libcryptsetup changes a private copy of the header in the cell in which all
 * headers are read (unlock.h), after the gate has let it through; then this
 * process carries what differs to the image.  So nobody parses the image's
 * bytes outside of the cell, what was judged is what is changed, and a kill at
 * any moment leaves the key slots as they were or as they shall be.
 */
#ifndef CRYPT_VOLUME_KEYS_H
#define CRYPT_VOLUME_KEYS_H

#include "crypt/luks_keys.h"
#include "crypt/unlock.h"

/*
 * Can key slots be changed in the container of @info, and one with these costs
 * be made?  For a caller that wants to know before it asks for passphrases.
 * The kind of key derivation is chosen for the container if it is left open.
 * Errors: -EINVAL, -EDOM, -ENOMEM, other -errno.
 */
int volume_keys_check(const struct volume_info *info,
		      struct luks_key_change *change, struct why *why);

/*
 * @request's header descriptor is open for writing, and the caller holds the
 * lock on the image (backend/lock.h).  Costs that change.kdf leaves open are
 * chosen for this machine.  *ret_info is what unlock.h says of the volume,
 * with the key slot that was made, changed or removed (of all that were erased:
 * how many).
 *
 * Errors: those of volume_unlock and luks_keys_change, -EDOM (a value that is
 * not possible), -EBUSY (cryptsetup has the header locked).
 */
int volume_keys_change(const struct volume_request *request,
		       const struct luks_key_change *change,
		       struct volume_info *ret_info, struct why *why);

#endif
