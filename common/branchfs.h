/*
 * Copyright (c) 2026 The sandlock authors
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */
/*
 * What branchfs, a file system in user space with branches, is told by ioctls
 * on the control file in its top and in that of each branch.
 */

#ifndef BRANCHFS_H
#define BRANCHFS_H

#define BRANCHFS_CTL		".branchfs_ctl"
#define BRANCHFS_ID_SIZE	128	/* with its NUL */

/* On the directory's: make a branch, which is then @ID there. */
#define BRANCHFS_CREATE		0x80806200U	/* the id is written back */
/* On the branch's own; either ends it. */
#define BRANCHFS_COMMIT		0x6201U
#define BRANCHFS_ABORT		0x6202U

/*
 * Whether what a server has written is an id: one name of letters, digits,
 * '.', '_' and '-' that begins with none of these, and NULs to the end.
 */
int	 branchfs_id(const char [BRANCHFS_ID_SIZE]);

#endif
