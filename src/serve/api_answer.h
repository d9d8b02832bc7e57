// RowSet and Answer: rows with columns, and how they become JSON, CSV or NDJSON.
//
// Thread: moved.
// Test:   tests/serve/api_test.cpp
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/status.h>

#include "serve/api.h"
#include "serve/frame_json.h"
#include "serve/http.h"
#include "serve/range.h"

namespace retailpulse {

class Cell {
 public:
  Cell() = default;  // null
  Cell(std::string text) : kind_(Kind::kText), value_(std::move(text)) {}       // NOLINT: implicit
  Cell(std::string_view text) : Cell(std::string(text)) {}                      // NOLINT: implicit
  Cell(const char* text) : Cell(std::string(text)) {}                           // NOLINT: implicit
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  Cell(Number n) : kind_(Kind::kJson), value_(std::to_string(n)) {}             // NOLINT: implicit
  Cell(std::optional<std::int64_t> n) {                                         // NOLINT: implicit
    if (n) *this = Cell(*n);
  }
  // A finished JSON value: a number or true or false.
  [[nodiscard]] static Cell json(std::string value);

  void write(JsonWriter& json) const;
  [[nodiscard]] const std::string& text() const { return value_; }  // empty when null

 private:
  enum class Kind : std::uint8_t { kNull, kText, kJson };
  Kind kind_ = Kind::kNull;
  std::string value_;
};

struct RowSet {
  std::vector<std::string_view> columns;
  std::vector<std::vector<Cell>> rows;
};
void write_rows(JsonWriter& json, const RowSet& set);

enum class RowFormat : std::uint8_t { kJson, kCsv, kNdjson };
[[nodiscard]] RowFormat row_format(const Request& request);

// An answer of rows: `head` are finished members of the JSON object ("\"frame\":3,..."); the rows
// follow as "rows". In CSV and NDJSON only the rows are sent, and the head's frame as a header.
[[nodiscard]] Reply rows_reply(const Request& request, std::uint64_t frame, const std::string& head,
                               const RowSet& rows);
[[nodiscard]] Reply object_reply(std::string json);  // with an ETag
[[nodiscard]] Reply status_reply(const Status& status);
[[nodiscard]] Reply too_many(const Status& status);  // 429: all places are taken

// Checks names and closed lists; an unknown one is a sentence that lists what there is.
[[nodiscard]] Status check_parameters(const Request& request,
                                      const std::vector<Parameter>& parameters);
// A whole number within [least, most], or `otherwise` when absent.
[[nodiscard]] Result<std::int64_t> number_parameter(const Request& request, std::string_view name,
                                                    std::int64_t otherwise, std::int64_t least,
                                                    std::int64_t most);

// What most answers begin with: the commit, its data clock, and the currency that is asked for.
struct View {
  HistoryView& history;
  DataClock clock;
  CurrencyRow currency;
  std::vector<std::string> currencies;
  std::optional<std::int64_t> stale_since_us = {};
};
[[nodiscard]] View open_view(HistoryView& history, const ApiContext& context,
                             const Request& request);
// {"frame":..,"from":..,...: opens the object and leaves it open.
void begin_answer(JsonWriter& json, const View& view);
void write_range(JsonWriter& json, const Cut& cut);
// provisional | revised | final of a whole range.
[[nodiscard]] std::string_view range_state(const View& view, const Cut& cut);

// Runs `body` in one transaction and gives its reply, or the reply of what went wrong. Headers say
// what the numbers stand for: RetailPulse-Watermark, RetailPulse-Lag (records that wait) and, while
// records may be missing, RetailPulse-Stale-Since.
[[nodiscard]] Reply answer(const ApiContext& context,
                           const std::function<Result<Reply>(HistoryView&)>& body);

}  // namespace retailpulse
