/* SPDX-License-Identifier: MIT */
#include "base/filemode.h"

#include <stdbool.h>

static char execute_letter(bool may_execute, bool is_special, char special)
{
	if (is_special)
		return may_execute ? special : (char)(special - 'a' + 'A');
	return may_execute ? 'x' : '-';
}

void sb_file_mode_text(char type, unsigned mode, char out[SB_FILE_MODE_BYTES])
{
	static const char specials[] = "sst"; /* setuid, setgid, sticky: 04000, 02000, 01000 */

	out[0] = type;
	for (unsigned i = 0; i < 3; i++) {
		const unsigned rights = mode >> (6 - 3 * i);

		out[1 + 3 * i] = (rights & 4) != 0 ? 'r' : '-';
		out[2 + 3 * i] = (rights & 2) != 0 ? 'w' : '-';
		out[3 + 3 * i] =
			execute_letter((rights & 1) != 0, (mode & (04000U >> i)) != 0, specials[i]);
	}
	out[10] = '\0';
}
