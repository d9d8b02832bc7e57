#include "support/shop_file.h"

#include <sqlite3.h>

namespace retailpulse::testing {

std::string ShopFile::rows(const std::string& text) {
  auto statement = db_->prepare(text);
  must(statement.status());
  std::string out;
  for (;;) {
    auto row = statement.value().step();
    must(row.status());
    if (!row.value()) return out;
    const int columns = sqlite3_column_count(statement.value().raw());
    for (int c = 0; c < columns; ++c) {
      if (c > 0) out += '|';
      out += statement.value().text(c);
    }
    out += '\n';
  }
}

}  // namespace retailpulse::testing
