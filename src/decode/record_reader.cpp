#include "decode/record_reader.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <initializer_list>
#include <utility>

#include "base/hash.h"

namespace retailpulse {
namespace {

constexpr std::uint64_t kSessionSeed = 1;  // a session id is never taken for a user id
constexpr std::array<std::string_view, 5> kFixedTypeNames{"sale", "refund", "cancel", "rating",
                                                          "listing"};

std::uint64_t not_zero(std::uint64_t hash) { return hash == 0 ? 1 : hash; }  // 0 means "none"

// The first of the fields that is given; the first of them when none is.
Field first_given(const RecordFields& fields, std::initializer_list<Field> candidates) {
  for (const Field field : candidates) {
    if (is_given(fields[field])) return field;
  }
  return *candidates.begin();
}

// An id that may be missing: empty then.
Fault optional_id(const RecordFields& fields, Field field, std::string_view& out) {
  out = {};
  if (!is_given(fields[field])) return {};
  const Reason reason = read_name(fields[field], out);
  return {reason, field};
}

// Who it was: the user, else the session, else nobody we know.
Fault read_visitor(Record& record) {
  std::string_view user;
  std::string_view session;
  if (const Fault fault = optional_id(record.fields, Field::kUser, user)) return fault;
  if (const Fault fault = optional_id(record.fields, Field::kSession, session)) return fault;
  if (!user.empty()) {
    record.event->visitor = not_zero(hash64(user));
  } else if (!session.empty()) {
    record.event->visitor = not_zero(hash64(session, kSessionSeed));
  }
  return {};
}

// Records are the same when id and bytes are: a changed body under an old id is another record.
// The source has it already: it is what the log is known by.
std::uint64_t hash_of_value(const Message& message) {
  return message.value_hash != 0 ? message.value_hash : hash64(message.value);
}

Fault read_record_id(Record& record, Field field, std::string_view& id) {
  if (const Fault fault = optional_id(record.fields, field, id)) return fault;
  if (!id.empty()) record.event->record_id = not_zero(hash64(id, hash_of_value(record.message)));
  return {};
}

// A key for an order that the record does not name. Not by slot: slots are numbered anew in every
// run and keys are stored.
std::uint64_t unnamed_order(const Record& record) {
  const auto offset = static_cast<std::uint64_t>(record.message.offset);
  const auto time = static_cast<std::uint64_t>(to_us(record.message.record_time));
  const std::uint64_t seed = hash64(record.stream.topic) ^ offset ^ std::rotl(time, 32);
  return not_zero(hash64(record.message.value, seed));
}

Fault read_order(Record& record, std::size_t lines, std::string_view id) {
  std::string_view order;
  if (const Fault fault = optional_id(record.fields, Field::kOrder, order)) return fault;
  if (!order.empty()) {
    record.event->order = not_zero(hash64(order));
  } else if (lines > 1) {
    record.event->order = id.empty() ? unnamed_order(record) : not_zero(hash64(id));
  }
  return {};
}

// Another event of the same record: what a line does not set itself is as in the line before.
void next_line(Record& record, NameId category) {
  record.out.events.push_back(*record.event);
  record.event = &record.out.events.back();
  record.event->category = category;
  record.event->flags &= static_cast<std::uint8_t>(~kFirstOfRecord);
}

}  // namespace

RecordReader::RecordReader(const TimeConfig& time, Zone zone, ConsumerMetrics* metrics)
    : time_(time),
      zone_(std::move(zone)),
      local_(zone_),
      metrics_(metrics),
      names_{NameTable(Dimension::kProduct, kDimensionCap[0]),
             NameTable(Dimension::kCategory, kDimensionCap[1]),
             NameTable(Dimension::kCurrency, kDimensionCap[2]),
             NameTable(Dimension::kType, kDimensionCap[3])} {
  static_assert(kFixedTypeNames.size() == kFixedTypes && kDimensions == 4);
  fixed_types_.fill(kNoName);
}

Fault RecordReader::read(Record& record) {
  // Made in place: copying an event of two cache lines costs more than filling it.
  record.event = &record.out.events.emplace_back();
  record.event->slot = record.message.slot;
  record.event->offset = record.message.offset;
  record.event->flags = kFirstOfRecord;
  if (const Fault fault = time(record)) return fault;
  switch (record.stream.role) {
    case Role::kTransactions: return transaction(record);
    case Role::kListings: return listing(record);
    case Role::kFeedback: return feedback(record);
    case Role::kInteractions: return interaction(record);
  }
  return {};
}

Fault RecordReader::time(Record& record) {
  Event& event = *record.event;
  const FieldValue& value = record.fields[Field::kTimestamp];
  const bool by_record = record.stream.record_time || !is_given(value);
  if (by_record) {
    event.time = record.message.record_time;
    event.flags |= kRecordTime;
  } else {
    if (value.kind != ValueKind::kNumber && value.kind != ValueKind::kString) {
      return {Reason::kWrongType, Field::kTimestamp};
    }
    const TimeResult result = value.kind == ValueKind::kNumber
                                  ? parse_epoch(value.text(), event.time)
                                  : parse_time(trim(value.text()), local_, event.time);
    if (result == TimeResult::kNotATime) return {Reason::kBadTime, Field::kTimestamp};
    if (result == TimeResult::kTooFar) return {Reason::kTimeOutOfRange, Field::kTimestamp};
  }
  if (event.time < time_.earliest || event.time >= time_.latest) {
    if (by_record) return {Reason::kTimeOutOfRange, Field::kNone, -1, "$ts"};
    return {Reason::kTimeOutOfRange, Field::kTimestamp};
  }
  if (event.time - time_.future_skew > record.message.record_time) event.flags |= kFutureStamp;
  return {};
}

Fault RecordReader::transaction(Record& record) {
  const RecordFields& fields = record.fields;
  Op op = Op::kSale;
  if (is_given(fields[Field::kOp])) {
    const Reason reason = read_op(fields[Field::kOp], op);
    if (reason != Reason::kNone) return {reason, Field::kOp};
  }
  const bool has_items = is_given(fields[Field::kItems]);
  if (has_items && fields[Field::kItems].kind != ValueKind::kArray) {
    return {Reason::kWrongType, Field::kItems};
  }
  if (has_items && fields.items.empty()) return {Reason::kMissingField, Field::kItems};
  if (fields.too_many_items) return {Reason::kTooManyItems, Field::kItems};

  if (!has_items) seek_product(record);
  std::string_view id;
  if (const Fault fault = read_record_id(record, Field::kId, id)) return fault;
  if (record.product_hash) products().approach(*record.product_hash);
  if (const Fault fault = read_order(record, has_items ? fields.items.size() : 1, id)) return fault;
  if (const Fault fault = read_visitor(record)) return fault;
  if (const Fault fault = currency(record)) return fault;
  if (const Fault fault = category(record, fields[Field::kCategory], -1, record.event->category)) {
    return fault;
  }
  if (!has_items) return line(record, op, fields.values.data(), -1);
  const NameId category_of_record = record.event->category;
  for (std::size_t i = 0; i < fields.items.size(); ++i) {
    const int item = static_cast<int>(i);
    if (i > 0) next_line(record, category_of_record);
    if (fields.items[i].kind != ValueKind::kObject) return {Reason::kWrongType, Field::kNone, item};
    if (const Fault fault = line(record, op, fields.items[i].values.data(), item)) return fault;
  }
  return {};
}

// Its place in the table is cold: it is asked for now, and needed when the rest has been read.
void RecordReader::seek_product(Record& record) {
  const FieldValue& value = record.fields[Field::kProduct];
  std::string_view text;
  if (!is_given(value) || read_name(value, text) != Reason::kNone) return;
  record.product_hash = products().seek(text);
}

// `values` are the first kItemFields fields, of the record or of one of its items.
Fault RecordReader::line(Record& record, Op op, const FieldValue* values, int item) {
  const auto value = [values](Field f) -> const FieldValue& { return values[static_cast<int>(f)]; };
  Event& event = *record.event;
  if (const Fault fault = product(record, value(Field::kProduct), item, event.product)) {
    return fault;
  }
  if (item >= 0) {  // an item without a category has the record's
    const Fault fault = category(record, value(Field::kCategory), item, event.category);
    if (fault) return fault;
  }
  if (!is_given(value(Field::kAmount))) return {Reason::kMissingField, Field::kAmount, item};
  const Reason money = read_money(value(Field::kAmount), event.amount_micros, record.rounded);
  if (money != Reason::kNone) return {money, Field::kAmount, item};
  if (op == Op::kSale && event.amount_micros < 0) op = Op::kRefund;
  event.amount_micros = std::abs(event.amount_micros);

  event.quantity_milli = kMilliPerPiece;
  if (is_given(value(Field::kQuantity))) {
    const Reason reason = read_quantity(value(Field::kQuantity), event.quantity_milli);
    if (reason != Reason::kNone) return {reason, Field::kQuantity, item};
  }
  if (op == Op::kSale && event.quantity_milli < 0) {
    return {Reason::kBadNumber, Field::kQuantity, item};
  }
  event.quantity_milli = std::abs(event.quantity_milli);

  using Meaning = std::pair<EventKind, FixedType>;
  constexpr std::array<Meaning, 3> kMeanings{Meaning{EventKind::kSale, FixedType::kSale},
                                             Meaning{EventKind::kRefund, FixedType::kRefund},
                                             Meaning{EventKind::kCancel, FixedType::kCancel}};
  const auto& [kind, type] = kMeanings[static_cast<std::size_t>(op)];
  event.kind = kind;
  event.type = fixed_type(type, record.out);
  return {};
}

Fault RecordReader::listing(Record& record) {
  const RecordFields& fields = record.fields;
  Event& event = *record.event;
  Listing listing;
  if (is_given(fields[Field::kOp])) {
    const Reason reason = read_listing_op(fields[Field::kOp], listing.deleted);
    if (reason != Reason::kNone) return {reason, Field::kOp};
  }
  if (const Fault fault = product(record, fields[Field::kProduct], -1, event.product)) return fault;
  std::string_view name;
  if (const Fault fault = optional_id(fields, Field::kName, name)) return fault;
  if (const Fault fault = currency(record)) return fault;
  if (const Fault fault = category(record, fields[Field::kCategory], -1, event.category)) {
    return fault;
  }
  listing.has_price = is_given(fields[Field::kPrice]);
  if (listing.has_price) {
    const Reason reason = read_money(fields[Field::kPrice], listing.price_micros, record.rounded);
    if (reason != Reason::kNone) return {reason, Field::kPrice};
    if (listing.price_micros < 0) return {Reason::kBadMoney, Field::kPrice};
  }
  listing.product = event.product;
  listing.category = event.category;
  listing.currency = event.currency;
  listing.from = event.time;
  listing.offset = event.offset;
  listing.name = trim(name);
  event.kind = EventKind::kListing;
  event.type = fixed_type(FixedType::kListing, record.out);
  event.listing = static_cast<std::uint32_t>(record.out.listings.size());
  record.out.listings.push_back(std::move(listing));
  return {};
}

Fault RecordReader::feedback(Record& record) {
  const RecordFields& fields = record.fields;
  Event& event = *record.event;
  std::string_view id;
  if (const Fault fault = read_record_id(record, Field::kId, id)) return fault;
  if (const Fault fault = read_visitor(record)) return fault;
  if (const Fault fault = product(record, fields[Field::kProduct], -1, event.product)) return fault;
  if (!is_given(fields[Field::kRating])) return {Reason::kMissingField, Field::kRating};
  const Reason reason = read_rating(fields[Field::kRating], event.rating_milli);
  if (reason != Reason::kNone) return {reason, Field::kRating};
  event.kind = EventKind::kFeedback;
  event.type = fixed_type(FixedType::kRating, record.out);
  return {};
}

Fault RecordReader::interaction(Record& record) {
  const RecordFields& fields = record.fields;
  Event& event = *record.event;
  const Field type = first_given(fields, {Field::kType, Field::kTypeAlias, Field::kTypeAlias2});
  std::string_view text;
  if (!is_given(fields[type])) return {Reason::kMissingField, type};
  const Reason reason = read_type(fields[type], type_text_, text);
  if (reason != Reason::kNone) return {reason, type};
  if (text.empty()) return {Reason::kMissingField, type};

  std::string_view id;
  const Field id_field = first_given(fields, {Field::kId, Field::kIdAlias});
  if (const Fault fault = read_record_id(record, id_field, id)) return fault;
  if (const Fault fault = read_visitor(record)) return fault;
  std::string_view product;
  if (const Fault fault = optional_id(fields, Field::kProduct, product)) return fault;
  if (!product.empty()) event.product = intern(Dimension::kProduct, product, record.out);
  event.kind = EventKind::kInteraction;
  event.type = intern(Dimension::kType, text, record.out);
  return {};
}

Fault RecordReader::currency(Record& record) {
  const FieldValue& value = record.fields[Field::kCurrency];
  if (is_given(value)) {
    std::array<char, 3> code{};
    const Reason reason = read_currency(value, code);
    if (reason != Reason::kNone) return {reason, Field::kCurrency};
    // Nearly all records of a shop have one. What went beyond the table is counted each time.
    if (code != last_code_ || last_currency_ == kOtherName) {
      last_currency_ = intern(Dimension::kCurrency, {code.data(), code.size()}, record.out);
      last_code_ = code;
    }
    record.event->currency = last_currency_;
    return {};
  }
  if (record.stream_currency == kNoName) {
    record.stream_currency = intern(Dimension::kCurrency, record.stream.currency, record.out);
  }
  record.event->currency = record.stream_currency;
  return {};
}

Fault RecordReader::product(Record& record, const FieldValue& value, int item, NameId& out) {
  if (!is_given(value)) return {Reason::kMissingField, Field::kProduct, item};
  std::string_view text;
  const Reason reason = read_name(value, text);
  if (reason != Reason::kNone) return {reason, Field::kProduct, item};
  if (text.empty()) return {Reason::kMissingField, Field::kProduct, item};
  const std::uint64_t hash = record.product_hash ? *record.product_hash : products().seek(text);
  out = capped(products().intern(text, hash, record.out.names));
  return {};
}

Fault RecordReader::category(Record& record, const FieldValue& value, int item, NameId& out) {
  if (!is_given(value)) return {};
  std::string_view text;
  const Reason reason = read_name(value, text);
  if (reason != Reason::kNone) return {reason, Field::kCategory, item};
  text = trim(text);
  if (!text.empty()) out = intern(Dimension::kCategory, text, record.out);
  return {};
}

NameId RecordReader::intern(Dimension dimension, std::string_view text, EventBatch& out) {
  return capped(names_[static_cast<std::size_t>(dimension)].intern(text, out.names));
}

NameId RecordReader::capped(NameId id) const {
  if (id == kOtherName && metrics_ != nullptr) metrics_->names_capped.add();
  return id;
}

NameId RecordReader::fixed_type(FixedType type, EventBatch& out) {
  NameId& id = fixed_types_[static_cast<std::size_t>(type)];
  if (id == kNoName) {
    id = intern(Dimension::kType, kFixedTypeNames[static_cast<std::size_t>(type)], out);
  }
  return id;
}

}  // namespace retailpulse
