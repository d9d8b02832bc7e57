#include "store/history_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/escape.h"

namespace retailpulse {
namespace {

constexpr std::size_t kTableRows = 1000;

// The columns of a statement and the present row's values as text.
class Columns {
 public:
  explicit Columns(Statement& statement)
      : statement_(statement), count_(sqlite3_column_count(statement.raw())) {}

  [[nodiscard]] int count() const { return count_; }
  [[nodiscard]] std::string_view name(int column) const {
    return sqlite3_column_name(statement_.raw(), column);
  }
  [[nodiscard]] bool is_null(int column) const { return type(column) == SQLITE_NULL; }
  [[nodiscard]] bool is_number(int column) const {
    return type(column) == SQLITE_INTEGER || type(column) == SQLITE_FLOAT;
  }
  [[nodiscard]] bool is_integer(int column) const { return type(column) == SQLITE_INTEGER; }
  [[nodiscard]] std::int64_t integer(int column) const { return statement_.integer(column); }
  // Shortest text that reads back as the same number; text and blobs as they are.
  [[nodiscard]] std::string text(int column) const {
    switch (type(column)) {
      case SQLITE_NULL: return {};
      case SQLITE_INTEGER: return std::to_string(statement_.integer(column));
      case SQLITE_FLOAT: return real_text(statement_.real(column));
      default: return std::string(statement_.blob(column));
    }
  }

 private:
  [[nodiscard]] int type(int column) const { return sqlite3_column_type(statement_.raw(), column); }
  static std::string real_text(double value) {
    std::string text = fmt::format("{}", value);
    if (std::isfinite(value) && text.find_first_of(".e") == std::string::npos) text += ".0";
    return text;
  }

  Statement& statement_;
  const int count_;
};

class LineWriter : public RowPrinter {
 public:
  LineWriter(Statement& statement, std::ostream& out) : columns_(statement), out_(out) {}
  [[nodiscard]] std::uint64_t bytes() const override { return bytes_; }

 protected:
  void write(const std::string& text) {
    out_ << text;
    bytes_ += text.size();
  }
  Columns columns_;

 private:
  std::ostream& out_;
  std::uint64_t bytes_ = 0;
};

class CsvWriter final : public LineWriter {
 public:
  CsvWriter(Statement& statement, std::ostream& out) : LineWriter(statement, out) {
    std::string line;
    for (int c = 0; c < columns_.count(); ++c) {
      if (c > 0) line += ',';
      append_csv_cell(line, columns_.name(c));
    }
    write(line + "\n");
  }
  void row() override {
    std::string line;
    for (int c = 0; c < columns_.count(); ++c) {
      if (c > 0) line += ',';
      append_csv_cell(line, columns_.text(c));
    }
    write(line + "\n");
  }
  void end() override {}
};

class JsonRowWriter : public LineWriter {
 public:
  using LineWriter::LineWriter;
  void row() override {
    std::string line = first_ ? "[\n{" : ",\n{";
    first_ = false;
    for (int c = 0; c < columns_.count(); ++c) {
      if (c > 0) line += ',';
      append_json_string(line, columns_.name(c));
      line += ':';
      append_value(line, c);
    }
    write(line + "}");
  }
  void end() override { write(first_ ? "[]\n" : "\n]\n"); }

 protected:
  void append_value(std::string& line, int column) const {
    const std::string text = columns_.text(column);
    const bool finite = text.find_first_of("in") == std::string::npos;  // inf, nan
    if (columns_.is_null(column) || (columns_.is_number(column) && !finite)) {
      line += "null";
    } else if (columns_.is_number(column)) {
      line += text;
    } else {
      append_json_string(line, text);
    }
  }
  bool first_ = true;
};

// The members "columns" and "rows" of a JSON object.
class MembersWriter final : public JsonRowWriter {
 public:
  MembersWriter(Statement& statement, std::ostream& out) : JsonRowWriter(statement, out) {
    std::string line = "\"columns\":[";
    for (int c = 0; c < columns_.count(); ++c) {
      if (c > 0) line += ',';
      append_json_string(line, columns_.name(c));
    }
    write(line + "],\"rows\":[");
  }
  void row() override {
    std::string line = first_ ? "\n[" : ",\n[";
    first_ = false;
    for (int c = 0; c < columns_.count(); ++c) {
      if (c > 0) line += ',';
      append_exact(line, c);
    }
    write(line + "]");
  }
  void end() override { write("]"); }

 private:
  // A reader whose numbers are doubles must not round: what a double cannot hold is a text.
  void append_exact(std::string& line, int column) const {
    constexpr std::int64_t kExact = std::int64_t{1} << 53;
    const bool beyond = columns_.is_integer(column) &&
                        (columns_.integer(column) > kExact || columns_.integer(column) < -kExact);
    if (beyond) append_json_string(line, columns_.text(column));
    else append_value(line, column);
  }
};

class TableWriter final : public LineWriter {
 public:
  TableWriter(Statement& statement, std::ostream& out) : LineWriter(statement, out) {
    std::vector<Cell> names;
    for (int c = 0; c < columns_.count(); ++c) names.push_back({terminal_text(columns_.name(c))});
    add(std::move(names));
  }
  void row() override {
    std::vector<Cell> cells;
    for (int c = 0; c < columns_.count(); ++c) {
      cells.push_back({columns_.is_null(c) ? "NULL" : terminal_text(columns_.text(c)),
                       columns_.is_number(c)});
    }
    add(std::move(cells));
    if (waiting_.size() > kTableRows) flush();
  }
  void end() override { flush(); }

 private:
  struct Cell {
    std::string text;
    bool right = false;  // numbers stand at the right
  };

  void add(std::vector<Cell> cells) {
    widths_.resize(cells.size());
    for (std::size_t c = 0; c < cells.size() && !fixed_; ++c) {
      widths_[c] = std::max(widths_[c], code_points(cells[c].text));
    }
    waiting_.push_back(std::move(cells));
  }

  void flush() {
    for (const auto& cells : waiting_) {
      write_line(cells);
      if (!fixed_) write_rule();
      fixed_ = true;
    }
    waiting_.clear();
  }

  void write_line(const std::vector<Cell>& cells) {
    std::string line;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::size_t width = code_points(cells[c].text);
      const std::string pad(widths_[c] > width ? widths_[c] - width : 0, ' ');
      if (c > 0) line += "  ";
      line += cells[c].right ? pad + cells[c].text : cells[c].text + pad;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    write(line + "\n");
  }

  void write_rule() {
    std::string line;
    for (std::size_t c = 0; c < widths_.size(); ++c) {
      if (c > 0) line += "  ";
      line += std::string(widths_[c], '-');
    }
    write(line + "\n");
  }

  std::vector<std::vector<Cell>> waiting_;
  std::vector<std::size_t> widths_;
  bool fixed_ = false;  // the head is written
};

}  // namespace

std::unique_ptr<RowPrinter> make_row_printer(SqlFormat format, Statement& statement,
                                             std::ostream& out) {
  switch (format) {
    case SqlFormat::kCsv: return std::make_unique<CsvWriter>(statement, out);
    case SqlFormat::kJson: return std::make_unique<JsonRowWriter>(statement, out);
    case SqlFormat::kMembers: return std::make_unique<MembersWriter>(statement, out);
    case SqlFormat::kTable: break;
  }
  return std::make_unique<TableWriter>(statement, out);
}

}  // namespace retailpulse
