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
 * Removal of a directory tree that somebody hostile filled.
 */

#ifndef RMTREE_H
#define RMTREE_H

/*
 * Remove name, which lies directly in the directory parentfd, with everything
 * below it.  Links are not followed, other file systems and mount points not
 * entered; depth costs memory, never descriptors or stack.  What cannot be
 * removed is left and the rest removed all the same; then -1 with the errno of
 * the first failure is returned.  0 when nothing is left, also when nothing
 * was there or somebody else removed it meanwhile.
 *
 * System calls: openat (directories, for reading or with O_PATH), statx,
 * getdents64, lseek, unlinkat, fchmod, fchmodat, close, and memory.
 */
int	 rmtree(int, const char *);

#endif
