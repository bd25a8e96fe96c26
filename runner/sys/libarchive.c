/* SPDX-License-Identifier: MIT */

/*
 * libarchive, loaded when the first archive is read. Its functions that we call stand here under
 * their own names (archive.h is the contract) and hand on to it: linking it would cost every run of
 * the program the start-up of libxml2, ICU and ten more libraries, as long as all the namespaces of
 * a step, and a build whose base is unpacked reads no archive.
 *
 * A function that is missing here does not link: add its line below.
 */
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

/* The soname of every libarchive 3. */
static const char library_name[] = "libarchive.so.13";

/* Like the dynamic loader when a library is missing: there is nothing to go on with. */
static _Noreturn void give_up(void)
{
	(void)fprintf(stderr,
		"safebuild: error: %s\nhint: install libarchive 3 (Debian: libarchive13)\n",
		dlerror());
	_exit(3);
}

/* Loading again gives the library that is loaded, so threads need no lock. */
static void *find(_Atomic(void *) *cached, const char *name)
{
	void *function = *cached;

	if (function != NULL)
		return function;

	void *library = dlopen(library_name, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	function = library != NULL ? dlsym(library, name) : NULL;
	if (function == NULL)
		give_up();
	*cached = function;
	return function;
}

#define FORWARD(type, name, params, args) \
	type name params \
	{ \
		static _Atomic(void *) function; \
\
		return ((__typeof__(&name))find(&function, #name))args; \
	}

/* The parameters are archive.h's, which says what they are. The analyzer of clang 14 loses
 * va_start.
 * NOLINTBEGIN(readability-inconsistent-declaration-parameter-name,clang-analyzer-valist.Uninitialized)
 */
/* clang-format off */
FORWARD(mode_t, archive_entry_filetype, (struct archive_entry *a), (a))
FORWARD(la_int64_t, archive_entry_gid, (struct archive_entry *a), (a))
FORWARD(const char *, archive_entry_hardlink, (struct archive_entry *a), (a))
FORWARD(int, archive_entry_is_data_encrypted, (struct archive_entry *a), (a))
FORWARD(time_t, archive_entry_mtime, (struct archive_entry *a), (a))
FORWARD(int, archive_entry_mtime_is_set, (struct archive_entry *a), (a))
FORWARD(long, archive_entry_mtime_nsec, (struct archive_entry *a), (a))
FORWARD(const char *, archive_entry_pathname, (struct archive_entry *a), (a))
FORWARD(const char *, archive_entry_pathname_utf8, (struct archive_entry *a), (a))
FORWARD(mode_t, archive_entry_perm, (struct archive_entry *a), (a))
FORWARD(dev_t, archive_entry_rdev, (struct archive_entry *a), (a))
FORWARD(dev_t, archive_entry_rdevmajor, (struct archive_entry *a), (a))
FORWARD(dev_t, archive_entry_rdevminor, (struct archive_entry *a), (a))
FORWARD(la_int64_t, archive_entry_size, (struct archive_entry *a), (a))
FORWARD(int, archive_entry_sparse_count, (struct archive_entry *a), (a))
FORWARD(const char *, archive_entry_symlink, (struct archive_entry *a), (a))
FORWARD(la_int64_t, archive_entry_uid, (struct archive_entry *a), (a))
FORWARD(int, archive_entry_xattr_next, (struct archive_entry *a, const char **b, const void **c, size_t *d), (a, b, c, d))
FORWARD(int, archive_entry_xattr_reset, (struct archive_entry *a), (a))
FORWARD(int, archive_errno, (struct archive *a), (a))
FORWARD(const char *, archive_error_string, (struct archive *a), (a))
FORWARD(la_int64_t, archive_filter_bytes, (struct archive *a, int b), (a, b))
FORWARD(int, archive_filter_count, (struct archive *a), (a))
FORWARD(int, archive_read_append_filter, (struct archive *a, int b), (a, b))
FORWARD(la_ssize_t, archive_read_data, (struct archive *a, void *b, size_t c), (a, b, c))
FORWARD(int, archive_read_data_block, (struct archive *a, const void **b, size_t *c, la_int64_t *d), (a, b, c, d))
FORWARD(int, archive_read_free, (struct archive *a), (a))
FORWARD(la_int64_t, archive_read_header_position, (struct archive *a), (a))
FORWARD(struct archive *, archive_read_new, (void), ())
FORWARD(int, archive_read_next_header, (struct archive *a, struct archive_entry **b), (a, b))
FORWARD(int, archive_read_open, (struct archive *a, void *b, archive_open_callback *c, archive_read_callback *d, archive_close_callback *e), (a, b, c, d, e))
FORWARD(int, archive_read_open1, (struct archive *a), (a))
FORWARD(int, archive_read_set_callback_data, (struct archive *a, void *b), (a, b))
FORWARD(int, archive_read_set_read_callback, (struct archive *a, archive_read_callback *b), (a, b))
FORWARD(int, archive_read_set_skip_callback, (struct archive *a, archive_skip_callback *b), (a, b))
FORWARD(int, archive_read_support_filter_bzip2, (struct archive *a), (a))
FORWARD(int, archive_read_support_filter_compress, (struct archive *a), (a))
FORWARD(int, archive_read_support_filter_gzip, (struct archive *a), (a))
FORWARD(int, archive_read_support_filter_rpm, (struct archive *a), (a))
FORWARD(int, archive_read_support_filter_xz, (struct archive *a), (a))
FORWARD(int, archive_read_support_filter_zstd, (struct archive *a), (a))
FORWARD(int, archive_read_support_format_ar, (struct archive *a), (a))
FORWARD(int, archive_read_support_format_cpio, (struct archive *a), (a))
FORWARD(int, archive_read_support_format_empty, (struct archive *a), (a))
FORWARD(int, archive_read_support_format_raw, (struct archive *a), (a))
FORWARD(int, archive_read_support_format_tar, (struct archive *a), (a))
FORWARD(int, archive_read_support_format_zip_streamable, (struct archive *a), (a))
/* clang-format on */

void archive_set_error(struct archive *a, int code, const char *format, ...)
{
	static _Atomic(void *) function;
	char text[256];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	((__typeof__(&archive_set_error))find(&function, "archive_set_error"))(a, code, "%s", text);
}
/* NOLINTEND(readability-inconsistent-declaration-parameter-name,clang-analyzer-valist.Uninitialized)
 */
