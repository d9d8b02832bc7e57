#include "simulate/native_shape.h"

#include <fmt/format.h>

#include <chrono>

namespace retailpulse::simulate {
namespace {

void append_number(std::uint64_t value, std::string& out) {
  const fmt::format_int text(value);
  out.append(text.data(), text.size());
}

// Micros with `digits` decimals, or as many more as the value needs.
void append_micros(std::int64_t micros, int digits, std::string& out) {
  append_number(static_cast<std::uint64_t>(micros / kMicrosPerUnit), out);
  auto rest = static_cast<std::uint32_t>(micros % kMicrosPerUnit);
  if (rest == 0 && digits == 0) return;
  out.push_back('.');
  std::uint32_t unit = 100'000;
  for (int i = 0; i < digits || rest != 0; ++i) {
    out.push_back(static_cast<char>('0' + rest / unit));
    rest %= unit;
    unit /= 10;
  }
}

void append_milli(std::int64_t milli, std::string& out) {
  append_micros(milli * (kMicrosPerUnit / kMilliPerPiece), 0, out);
}

void append_two(unsigned value, char* out) {
  out[0] = static_cast<char>('0' + value / 10);
  out[1] = static_cast<char>('0' + value % 10);
}

void append_id(std::string_view prefix, std::uint64_t number, std::string& out) {
  out.append(prefix);
  append_number(number, out);
  out.push_back('"');
}

std::string_view id_start(EventKind kind) {
  switch (kind) {
    case EventKind::kSale:
      return R"({"transaction_id":"t-)";
    case EventKind::kRefund:
      return R"({"transaction_id":"r-)";
    case EventKind::kCancel:
      return R"({"transaction_id":"c-)";
    case EventKind::kFeedback:
      return R"({"feedback_id":"f-)";
    default:
      return R"({"event_id":"e-)";
  }
}

}  // namespace

void NativeShape::write_value(const Fact& fact, std::string& out) {
  out.clear();
  const Role role = role_of(fact.kind);
  if (role == Role::kListings) {
    write_listing(fact, out);
  } else {
    append_id(id_start(fact.kind), fact.id, out);
    if (role == Role::kInteractions) {
      out.append(R"(,"type":")").append(kActionNames[static_cast<std::size_t>(fact.action)]);
      out.push_back('"');
    }
    if (fact.user != 0) append_id(R"(,"user_id":"u-)", fact.user, out);
    if (fact.session != 0) append_id(R"(,"session_id":"s-)", fact.session, out);
    if (role == Role::kTransactions) write_transaction(fact, out);
    if (fact.has_product) {
      out.append(R"(,"product_id":")").append(catalogue_.at(fact.product).id).push_back('"');
    }
    if (role == Role::kFeedback) {
      out.append(R"(,"rating":)");
      append_milli(fact.rating_milli, out);
      out.append(R"(,"comment":)").append(comment_json(fact.text));
    }
    if (role == Role::kInteractions && fact.action == Action::kSearch) {
      out.append(R"(,"query":)").append(phrase_json(fact.text));
    }
  }
  out.append(R"(,"timestamp":")");
  write_time(fact.time, out);
  out.append("\"}");
}

void NativeShape::write_transaction(const Fact& fact, std::string& out) {
  if (fact.order != 0) append_id(R"(,"order_id":"o-)", fact.order, out);
  if (fact.kind == EventKind::kRefund) out.append(R"(,"op":"refund")");
  if (fact.kind == EventKind::kCancel) out.append(R"(,"op":"cancel")");
  const int digits = kCurrencyDigits[fact.currency];
  if (fact.as_items) {
    out.append(R"(,"items":[)");
    for (std::size_t i = 0; i < fact.line_count; ++i) {
      out.append(i == 0 ? "{" : ",{");
      write_line(fact.lines[i], digits, out);
      out.push_back('}');
    }
    out.push_back(']');
  } else {
    out.push_back(',');
    write_line(fact.lines[0], digits, out);
  }
  out.append(R"(,"currency":")").append(kCurrencies[fact.currency]).push_back('"');
}

void NativeShape::write_line(const FactLine& line, int digits, std::string& out) const {
  out.append(R"("product_id":")").append(catalogue_.at(line.product).id);
  out.append(R"(","amount":)");
  append_micros(line.amount_micros, digits, out);
  out.append(R"(,"quantity":)");
  append_milli(line.quantity_milli, out);
  if (line.own_category != kNoCategory) {
    out.append(R"(,"category":")").append(category_name(line.own_category)).push_back('"');
  }
}

void NativeShape::write_listing(const Fact& fact, std::string& out) const {
  const Product& product = catalogue_.at(fact.product);
  out.append(R"({"product_id":")").append(product.id).append(R"(","name":)");
  out.append(product.name_json).append(R"(,"category":")").append(category_name(fact.category));
  out.append(R"(","price":)");
  append_micros(fact.price_micros, 2, out);
  out.append(R"(,"currency":"USD")");
}

void NativeShape::write_key(const Fact& fact, std::string& out) const {
  out.clear();
  const Role role = role_of(fact.kind);
  if (role == Role::kListings || role == Role::kFeedback) {
    out = catalogue_.at(fact.product).id;
    return;
  }
  out = fact.user != 0 ? "u-" : "s-";
  append_number(fact.user != 0 ? fact.user : fact.session, out);
}

void NativeShape::write_time(EventTime time, std::string& out) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  if (second.time_since_epoch().count() != second_) {
    second_ = second.time_since_epoch().count();
    const auto day = std::chrono::floor<std::chrono::days>(second);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{second - day};
    char* text = second_text_.data();
    const auto year = static_cast<unsigned>(static_cast<int>(date.year()));
    append_two(year / 100, text);
    append_two(year % 100, text + 2);
    append_two(static_cast<unsigned>(date.month()), text + 5);
    append_two(static_cast<unsigned>(date.day()), text + 8);
    append_two(static_cast<unsigned>(clock.hours().count()), text + 11);
    append_two(static_cast<unsigned>(clock.minutes().count()), text + 14);
    append_two(static_cast<unsigned>(clock.seconds().count()), text + 17);
    text[4] = text[7] = '-';
    text[10] = 'T';
    text[13] = text[16] = ':';
  }
  out.append(second_text_.data(), second_text_.size());
  auto rest = static_cast<std::uint32_t>((time - second).count());
  const int digits = rest % 1000 == 0 ? 3 : 6;
  out.push_back('.');
  std::uint32_t unit = 100'000;
  for (int i = 0; i < digits; ++i, unit /= 10) {
    out.push_back(static_cast<char>('0' + rest / unit));
    rest %= unit;
  }
  out.push_back('Z');
}

}  // namespace retailpulse::simulate
