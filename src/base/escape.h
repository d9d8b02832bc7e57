// escape: how text that may be hostile leaves the program, as JSON, as CSV, to a terminal.
//
// Texts come from events and from a person's SQL. Whatever the bytes are, the result is valid
// UTF-8 and cannot end its string, its cell or its line, nor start markup, a formula or an escape
// sequence. Bytes that are not UTF-8 become U+FFFD.
//
// Thread: any.
// Test:   tests/base/escape_test.cpp
#pragma once

#include <string>
#include <string_view>

namespace retailpulse {

// A quoted JSON string. < > & U+2028 U+2029 and control characters are \u escapes, so that it may
// stand inside HTML, a script or an SSE line.
void append_json_string(std::string& out, std::string_view bytes);

// A cell of RFC 4180. A text that a spreadsheet would take for a formula (begins with = + - @, also
// in their wide forms, a tab or a line end, and is not a plain number) gets a leading apostrophe.
void append_csv_cell(std::string& out, std::string_view bytes);

// For a table on a terminal: control characters as \xNN or \u{NNNN}.
[[nodiscard]] std::string terminal_text(std::string_view bytes);

// Characters (code points) of a valid UTF-8 text: its width, but for wide scripts.
[[nodiscard]] std::size_t code_points(std::string_view text);

}  // namespace retailpulse
