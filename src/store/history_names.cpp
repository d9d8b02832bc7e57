// The part of StoreView that is about names and about the pipeline, not about sales.
#include <utility>

#include "store/history_view.h"

namespace retailpulse {

std::optional<StoredId> StoreView::find_name(Dimension dimension, std::string_view text) {
  std::optional<StoredId> id;
  db_.each("SELECT id FROM names WHERE text=?1 AND dimension=?2", text,
           {static_cast<std::int64_t>(dimension)},
           [&](const Statement& row) { id = static_cast<StoredId>(row.integer(0)); });
  return id;
}

std::string StoreView::name(Dimension dimension, StoredId id) {
  std::string text;
  db_.each("SELECT text FROM names WHERE dimension=?1 AND id=?2",
           {static_cast<std::int64_t>(dimension), std::int64_t{id}},
           [&](const Statement& row) { text = row.text(0); });
  return text;
}

ProductRow StoreView::product(StoredId id) {
  ProductRow product;
  product.product_id = name(Dimension::kProduct, id);
  StoredId category = kStoredNone;
  StoredId currency = kStoredNone;
  db_.each("SELECT name,category,currency,price_micros,deleted FROM catalog WHERE product=?1",
           {std::int64_t{id}}, [&](const Statement& row) {
             product.listed = true;
             product.name = row.text(0);
             category = static_cast<StoredId>(row.integer(1));
             currency = static_cast<StoredId>(row.integer(2));
             if (!row.is_null(3)) product.price_micros = row.integer(3);
             product.deleted = row.integer(4) != 0;
           });
  if (product.name.empty()) product.name = product.product_id;
  product.category = name(Dimension::kCategory, category);
  if (product.price_micros) product.currency = name(Dimension::kCurrency, currency);
  return product;
}

std::vector<PartitionRow> StoreView::partitions() {
  std::vector<PartitionRow> rows;
  db_.each(
      "SELECT topic,partition,first_offset,next_offset,end_offset,max_event_us,watermark_us,idle,"
      "consumed,late,future,incarnation,last_offset,coalesce(halted,'') FROM partition_state"
      " ORDER BY topic,partition",
      {}, [&](const Statement& row) {
        const auto optional = [&row](int column) {
          return row.is_null(column) ? std::nullopt : std::optional(row.integer(column));
        };
        rows.push_back({std::string(row.text(0)), static_cast<std::int32_t>(row.integer(1)),
                        row.integer(2), row.integer(3), optional(4), optional(5), optional(6),
                        row.integer(7) != 0, row.integer(8), row.integer(9), row.integer(10),
                        row.integer(11), optional(12), std::string(row.text(13))});
      });
  return rows;
}

std::vector<LostRange> StoreView::lost_ranges() {
  std::vector<LostRange> rows;
  db_.each(
      "SELECT topic,partition,from_offset,to_offset,wall_us FROM gaps JOIN partition_state"
      " USING(slot_id) ORDER BY id DESC LIMIT ?1",
      {static_cast<std::int64_t>(kLostRangesMax)}, [&](const Statement& row) {
        rows.push_back({std::string(row.text(0)), static_cast<std::int32_t>(row.integer(1)),
                        row.integer(2), row.integer(3), row.integer(4)});
      });
  return rows;
}

LostSum StoreView::lost_sum() {
  LostSum sum;
  db_.each("SELECT count(*),ifnull(sum(to_offset-from_offset),0) FROM gaps", {},
           [&](const Statement& row) { sum = {row.integer(0), row.integer(1)}; });
  return sum;
}

std::vector<LedgerRow> StoreView::ledger() {
  std::vector<LedgerRow> rows;
  db_.each(
      "SELECT topic,partition,bucket,reason,records FROM ledger_counts JOIN partition_state"
      " USING(slot_id) ORDER BY topic,partition,bucket,reason",
      {}, [&](const Statement& row) {
        rows.push_back({std::string(row.text(0)), static_cast<std::int32_t>(row.integer(1)),
                        std::string(row.text(2)), std::string(row.text(3)), row.integer(4)});
      });
  return rows;
}

std::vector<RejectRow> StoreView::rejects(const RejectQuery& query) {
  std::vector<RejectRow> rows;
  db_.each(
      "SELECT r.id,topic,partition,offset,reason,field,record_us,raw FROM reject_rows r JOIN"
      " partition_state USING(slot_id) WHERE (?1='' OR topic=?1) AND (?2='' OR reason=?2) AND"
      " r.id<?3 ORDER BY r.id DESC LIMIT ?4",
      {query.topic, query.reason},
      {query.before == 0 ? INT64_MAX : query.before, static_cast<std::int64_t>(query.limit)},
      [&](const Statement& row) {
        rows.push_back({row.integer(0), std::string(row.text(1)),
                        static_cast<std::int32_t>(row.integer(2)), row.integer(3),
                        std::string(row.text(4)), std::string(row.text(5)), row.integer(6),
                        std::string(row.blob(7))});
      });
  return rows;
}

}  // namespace retailpulse
