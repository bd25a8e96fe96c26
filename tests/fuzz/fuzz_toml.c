/* SPDX-License-Identifier: MIT */
#include "base/error.h"
#include "fuzz.h"
#include "registry/toml.h"

/* Whatever the text, it is a table or an error that names a line. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	SB_AUTO_JSON root = NULL;
	SB_AUTO_ERROR err = SB_ERROR_INIT;
	SB_AUTO_BUF text = SB_BUF_INIT(1 << 20);

	if (sb_buf_add(&text, data, len, &err) < 0) {
		sb_error_ignore(&err, "longer than is of use here");
		return 0;
	}
	if (sb_toml_parse(text.data, text.len, &root, &err) == 0)
		SB_BUG_ON(!json_is_object(root));
	else
		SB_BUG_ON(err.code != SB_E_SYNTAX && err.code != SB_E_LIMIT);
	return 0;
}
