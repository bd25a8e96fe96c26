/* SPDX-License-Identifier: MIT */
#include "tarball.h"

#include "fixture.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

static void add(struct sb_buf *tar, const void *bytes, size_t len)
{
	static const char zeros[512];
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_int_equal(sb_buf_add(tar, bytes, len, &err), 0);
	if (len % 512 != 0)
		assert_int_equal(sb_buf_add(tar, zeros, 512 - len % 512, &err), 0);
}

static void put_octal(char *field, size_t digits, unsigned value)
{
	for (size_t i = digits; i > 0; i--, value >>= 3)
		field[i - 1] = (char)('0' + (value & 7));
}

static void put_text(char *field, const char *text)
{
	const size_t len = text != NULL ? strlen(text) : 0;

	assert_true(len <= 100);
	if (len > 0)
		memcpy(field, text, len);
}

static void add_header(struct sb_buf *tar, const struct tar_entry *entry, size_t size)
{
	char header[512] = {0};
	const unsigned usual = entry->type == '5' ? 0755 : 0644;
	unsigned sum = 0;

	put_text(header, entry->name);
	put_octal(header + 100, 7, entry->mode != 0 ? entry->mode : usual);
	put_octal(header + 108, 7, entry->uid);
	put_octal(header + 116, 7, entry->gid);
	put_octal(header + 124, 11, (unsigned)size);
	put_octal(header + 136, 11, entry->mtime);
	memset(header + 148, ' ', 8);
	header[156] = entry->type;
	put_text(header + 157, entry->link);
	memcpy(header + 257, "ustar\00000", 8);
	put_octal(header + 329, 7, entry->major);
	put_octal(header + 337, 7, entry->minor);
	for (size_t i = 0; i < sizeof(header); i++)
		sum += (unsigned char)header[i];
	put_octal(header + 148, 6, sum);
	header[154] = '\0';
	add(tar, header, sizeof(header));
}

static void add_pax(struct sb_buf *tar, const char *lines)
{
	sb_autofree char *copy = sb_strdup(lines);
	sb_autofree char *records = sb_strdup("");

	for (char *saved = NULL, *line = strtok_r(copy, "\n", &saved); line != NULL;
		line = strtok_r(NULL, "\n", &saved)) {
		size_t len = strlen(line) + 3;
		char *longer = NULL;

		while (len != strlen(line) + 2 + (size_t)snprintf(NULL, 0, "%zu", len))
			len++;
		longer = sb_asprintf("%s%zu %s\n", records, len, line);
		free(records);
		records = longer;
	}
	add_header(tar, &(struct tar_entry){.name = "pax", .type = 'x'}, strlen(records));
	add(tar, records, strlen(records));
}

static void add_attr(struct sb_buf *tar, const struct tar_entry *entry)
{
	const size_t rest = strlen(" SCHILY.xattr.=\n") + strlen(entry->attr) + entry->value_len;
	SB_AUTO_BUF record = SB_BUF_INIT(1 << 10);
	SB_AUTO_ERROR err = SB_ERROR_INIT;

	assert_true(rest > 10 && rest < 98);
	assert_int_equal(
		sb_buf_addf(&record, &err, "%zu SCHILY.xattr.%s=", rest + 2, entry->attr), 0);
	assert_int_equal(sb_buf_add(&record, entry->value, entry->value_len, &err), 0);
	assert_int_equal(sb_buf_add_char(&record, '\n', &err), 0);
	add_header(tar, &(struct tar_entry){.name = "pax", .type = 'x'}, record.len);
	add(tar, record.data, record.len);
}

void tarball_add(struct sb_buf *tar, const struct tar_entry *entry)
{
	const char *text = entry->text != NULL ? entry->text : "";

	if (entry->pax != NULL)
		add_pax(tar, entry->pax);
	if (entry->attr != NULL)
		add_attr(tar, entry);
	add_header(tar, entry, strlen(text));
	add(tar, text, strlen(text));
}

void tarball_end(struct sb_buf *tar)
{
	static const char zeros[1024];

	add(tar, zeros, sizeof(zeros));
}

static ssize_t read_bytes(void *self, void *bytes, size_t len, struct sb_error *err)
{
	struct bytes_reader *reader = self;
	size_t n = reader->len - reader->given;

	if (reader->fail_at != 0 && reader->given >= reader->fail_at)
		return sb_fail(err, SB_E_NETWORK, "the line is cut");
	n = n < len ? n : len;
	if (reader->piece != 0 && n > reader->piece)
		n = reader->piece;
	memcpy(bytes, reader->bytes + reader->given, n);
	reader->given += n;
	return (ssize_t)n;
}

struct sb_reader bytes_reader(struct bytes_reader *reader)
{
	return (struct sb_reader){.read = read_bytes, .self = reader};
}

int buf_sink(void *self, const void *bytes, size_t len, struct sb_error *err)
{
	return sb_buf_add(self, bytes, len, err);
}
