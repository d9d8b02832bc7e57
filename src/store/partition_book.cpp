#include "store/partition_book.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/check.h"

namespace retailpulse {
namespace {

constexpr int kLastOffset = 5;  // its column in the query of partitions()

Fingerprint fingerprint_of(const Statement& row) {
  if (row.is_null(kLastOffset)) return {};
  return {row.integer(kLastOffset), row.integer(kLastOffset + 1),
          static_cast<std::uint64_t>(row.integer(kLastOffset + 2)),
          row.is_null(kLastOffset + 3) ? -1
                                       : static_cast<std::int32_t>(row.integer(kLastOffset + 3))};
}

}  // namespace

Status PartitionBook::load(Database& db, std::uint32_t rejects_max) {
  const std::initializer_list<std::pair<Statement*, const char*>> statements = {
      {&insert_,
       "INSERT INTO partition_state(topic,partition,first_offset,next_offset,idle,consumed,late,"
       "future) VALUES(?1,?2,?3,?3,0,0,0,0) ON CONFLICT DO NOTHING"},
      {&find_, "SELECT slot_id FROM partition_state WHERE topic=?1 AND partition=?2"},
      {&advance_,
       "UPDATE partition_state SET next_offset=?3,end_offset=max(ifnull(end_offset,?3),?3),consumed=consumed+?4,late=late+?5,"
       "future=future+?6,max_event_us=coalesce(max(max_event_us,?7),?7,max_event_us),"
       "min_event_us=coalesce(min(min_event_us,?8),?8,min_event_us),"
       "watermark_us=coalesce(?7-?9,watermark_us),halted=NULL,"
       "last_offset=coalesce(?10,last_offset),last_time_us=coalesce(?11,last_time_us),"
       "last_hash=coalesce(?12,last_hash),"
       "leader_epoch=CASE WHEN ?10 IS NULL THEN leader_epoch ELSE ?13 END "
       "WHERE slot_id=?1 AND next_offset=?2"},
      {&ledger_,
       "INSERT INTO ledger_counts VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET "
       "records=records+excluded.records"},
      {&balance_,
       "SELECT consumed-(SELECT ifnull(sum(records),0) FROM ledger_counts l WHERE "
       "l.slot_id=p.slot_id) FROM partition_state p WHERE slot_id=?1"},
      {&leave_,
       "UPDATE ledger_counts SET records=records-1 WHERE slot_id=?1 AND bucket='rejected' AND "
       "reason=?2 AND records>0"},
      {&emptied_, "DELETE FROM ledger_counts WHERE slot_id=?1 AND bucket='rejected' AND records=0"},
      {&replayed_, "DELETE FROM reject_rows WHERE id=?1"},
      {&reject_, "INSERT INTO reject_rows VALUES(?1,?2,?3,?4,?5,?6,?7)"},
      {&trim_rejects_, "DELETE FROM reject_rows WHERE id<=?1"},
      {&recent_, "INSERT INTO recent_ids VALUES(?1,?2,?3)"},
      {&trim_recent_, "DELETE FROM recent_ids WHERE slot_id=?1 AND upto<=?2"},
      {&gap_, "INSERT INTO gaps(slot_id,from_offset,to_offset,wall_us) VALUES(?1,?2,?3,?4)"},
      {&halt_, "UPDATE partition_state SET halted=?2 WHERE slot_id=?1"},
      {&idle_, "UPDATE partition_state SET idle=?2 WHERE slot_id=?1 AND idle<>?2"},
      {&end_, "UPDATE partition_state SET end_offset=max(?2,next_offset) WHERE slot_id=?1"}};
  for (const auto& [into, sql] : statements) {
    auto statement = db.prepare(sql);
    if (!statement.ok()) return statement.status();
    *into = std::move(statement).value();
  }
  rejects_max_ = rejects_max;
  auto last = db.integer("SELECT max(id) FROM reject_rows");
  if (!last.ok()) return last.status();
  last_reject_ = last.value().value_or(0);
  recent_count_.clear();
  auto recent = db.prepare("SELECT slot_id,max(upto) FROM recent_ids GROUP BY slot_id");
  if (!recent.ok()) return recent.status();
  for (;;) {
    auto more = recent.value().step();
    if (!more.ok()) return more.status();
    if (!more.value()) return {};
    recent_count_[recent.value().integer(0)] = recent.value().integer(1);
  }
}

Result<std::vector<StoredPartition>> PartitionBook::partitions(Database& db) {
  auto rows = db.prepare(
      "SELECT slot_id,topic,partition,next_offset,max_event_us,last_offset,last_time_us,last_hash,"
      "leader_epoch,halted FROM partition_state");
  if (!rows.ok()) return rows.status();
  auto ids = db.prepare("SELECT ids FROM recent_ids WHERE slot_id=?1 ORDER BY upto");
  if (!ids.ok()) return ids.status();
  std::vector<StoredPartition> found;
  Statement& row = rows.value();
  for (;;) {
    auto more = row.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return found;
    StoredPartition p{std::string(row.text(1)), static_cast<std::int32_t>(row.integer(2)),
                      row.integer(3), row.is_null(4) ? INT64_MIN : row.integer(4), {},
                      fingerprint_of(row), std::string(row.text(9))};
    ids.value().bind(1, row.integer(0));
    for (;;) {
      auto chunk = ids.value().step();
      if (!chunk.ok()) return chunk.status();
      if (!chunk.value()) break;
      const auto bytes = ids.value().blob(0);
      const auto before = p.recent_ids.size();
      p.recent_ids.resize(before + bytes.size() / sizeof(std::uint64_t));
      std::memcpy(p.recent_ids.data() + before, bytes.data(),
                  (p.recent_ids.size() - before) * sizeof(std::uint64_t));
    }
    found.push_back(std::move(p));
  }
}

Status PartitionBook::begin_log(Database& db, const NewLog& log, std::int64_t wall_us) {
  auto change = db.prepare(
      "INSERT INTO log_changes(slot_id,incarnation,old_first,old_next,new_first,why,wall_us) "
      "SELECT slot_id,incarnation+1,first_offset,next_offset,?3,coalesce(halted,''),?4 "
      "FROM partition_state WHERE topic=?1 AND partition=?2");
  if (!change.ok()) return change.status();
  auto noted = change.value().bind(1, log.topic).bind(2, std::int64_t{log.partition})
                   .bind(3, log.start).bind(4, wall_us).run();
  if (!noted.ok()) return noted.status();
  RP_CHECK(noted.value() == 1, "a log is replaced that was read");
  auto replace = db.prepare(
      "UPDATE partition_state SET first_offset=?3,next_offset=?3,end_offset=NULL,"
      "last_offset=NULL,last_time_us=NULL,last_hash=NULL,leader_epoch=NULL,halted=NULL,"
      "incarnation=incarnation+1 WHERE topic=?1 AND partition=?2");
  if (!replace.ok()) return replace.status();
  auto replaced = replace.value().bind(1, log.topic).bind(2, std::int64_t{log.partition})
                      .bind(3, log.start).run();
  return replaced.ok() ? Status() : replaced.status();
}

Status PartitionBook::bind(PartitionSlot slot, const std::string& topic, std::int32_t partition,
                           Offset start) {
  auto inserted = insert_.bind(1, topic).bind(2, std::int64_t{partition}).bind(3, start).run();
  if (!inserted.ok()) return inserted.status();
  auto row = find_.bind(1, topic).bind(2, std::int64_t{partition}).step();
  if (!row.ok()) return row.status();
  RP_CHECK(row.value(), "a bound partition has a row");
  if (slot_ids_.size() <= index_of(slot)) slot_ids_.resize(index_of(slot) + 1, 0);
  slot_ids_[index_of(slot)] = find_.integer(0);
  find_.reset();
  return {};
}

std::int64_t PartitionBook::slot_id(PartitionSlot slot) const {
  RP_CHECK(index_of(slot) < slot_ids_.size() && slot_ids_[index_of(slot)] != 0,
           "a slot is bound before it is committed");
  return slot_ids_[index_of(slot)];
}

Status PartitionBook::write(const Epoch& epoch, Duration out_of_order) {
  for (const PartitionAdvance& advance : epoch.advances) {
    if (Status s = write_advance(advance, out_of_order); !s.ok()) return s;
  }
  if (Status s = write_rejects(epoch); !s.ok()) return s;
  return write_replays(epoch);
}

Status PartitionBook::write_advance(const PartitionAdvance& a, Duration out_of_order) {
  const std::int64_t id = slot_id(a.slot);
  const bool timed = a.max_event_us != INT64_MIN;
  const bool accepted = a.min_event_us != INT64_MAX;
  advance_.bind(1, id).bind(2, a.begin).bind(3, a.next)
      .bind(4, static_cast<std::int64_t>(a.records)).bind(5, static_cast<std::int64_t>(a.late))
      .bind(6, static_cast<std::int64_t>(a.future));
  advance_.bind_optional(7, timed ? std::optional(a.max_event_us) : std::nullopt);
  advance_.bind_optional(8, accepted ? std::optional(a.min_event_us) : std::nullopt);
  advance_.bind(9, out_of_order.count());
  bind_fingerprint(a.last);
  auto changed = advance_.run();
  if (!changed.ok()) return changed.status();
  if (changed.value() != 1) {
    return Status(Code::kCorrupt,
                  fmt::format("a partition's next offset in the store is not {}, from which the "
                              "commit goes on: another process wrote to this file",
                              a.begin));
  }
  if (Status s = write_ledger(id, a); !s.ok()) return s;
  return write_recent(id, a);
}

// No record was read: nothing changes, and the old one stays what the log is known by.
void PartitionBook::bind_fingerprint(const Fingerprint& last) {
  const bool read = last.offset >= 0;
  const auto known = [](bool is, std::int64_t value) {
    return is ? std::optional(value) : std::nullopt;
  };
  advance_.bind_optional(10, known(read, last.offset))
      .bind_optional(11, known(read, last.time_us))
      .bind_optional(12, known(read, static_cast<std::int64_t>(last.hash)))
      .bind_optional(13, known(read && last.leader_epoch >= 0, last.leader_epoch));
}

Status PartitionBook::write_ledger(std::int64_t id, const PartitionAdvance& a) {
  const auto put = [&](Bucket bucket, Reason reason, std::uint64_t n) {
    return n == 0 ? Status() : add_to_ledger(id, bucket, reason, static_cast<std::int64_t>(n));
  };
  for (std::size_t b = 0; b < kBuckets; ++b) {
    if (static_cast<Bucket>(b) == Bucket::kRejected) continue;  // by reason, below
    if (Status s = put(static_cast<Bucket>(b), Reason::kNone, a.counts[b]); !s.ok()) return s;
  }
  for (std::size_t r = 0; r < kReasons; ++r) {
    if (Status s = put(Bucket::kRejected, static_cast<Reason>(r), a.rejected[r]); !s.ok()) return s;
  }
  return check_balance(id);
}

Status PartitionBook::add_to_ledger(std::int64_t id, Bucket bucket, Reason reason,
                                    std::int64_t records) {
  auto done = ledger_.bind(1, id).bind(2, kBucketNames[static_cast<std::size_t>(bucket)])
                  .bind(3, kReasonNames[static_cast<std::size_t>(reason)]).bind(4, records).run();
  return done.ok() ? Status() : done.status();
}

Status PartitionBook::check_balance(std::int64_t id) {
  auto row = balance_.bind(1, id).step();
  if (!row.ok()) return row.status();
  RP_CHECK(row.value() && balance_.integer(0) == 0, "the ledger balances: consumed == sum of buckets");
  balance_.reset();
  return {};
}

Status PartitionBook::write_recent(std::int64_t id, const PartitionAdvance& a) {
  if (a.recent_ids.empty()) return {};
  const auto keep = std::min<std::size_t>(a.recent_ids.size(), kRecentIdsKept);
  const std::string_view bytes(
      reinterpret_cast<const char*>(a.recent_ids.data() + (a.recent_ids.size() - keep)),
      keep * sizeof(std::uint64_t));
  std::int64_t& upto = recent_count_[id];
  upto += static_cast<std::int64_t>(a.recent_ids.size());
  auto done = recent_.bind(1, id).bind(2, upto).bind_blob(3, bytes).run();
  if (!done.ok()) return done.status();
  auto trimmed = trim_recent_.bind(1, id).bind(2, upto - kRecentIdsKept).run();
  return trimmed.ok() ? Status() : trimmed.status();
}

Status PartitionBook::write_rejects(const Epoch& epoch) {
  if (epoch.rejects.empty()) return {};
  for (const Reject& r : epoch.rejects) {
    auto done = reject_.bind(1, ++last_reject_).bind(2, slot_id(r.slot)).bind(3, r.offset)
                    .bind(4, kReasonNames[static_cast<std::size_t>(r.reason)]).bind(5, r.field)
                    .bind(6, to_us(r.record_time)).bind_blob(7, r.raw).run();
    if (!done.ok()) return done.status();
  }
  auto trimmed = trim_rejects_.bind(1, last_reject_ - rejects_max_).run();
  return trimmed.ok() ? Status() : trimmed.status();
}

// Moves records that are good now from `rejected` to where they belong. Their rows may have been
// trimmed in the meantime; the ledger never forgets them.
Status PartitionBook::write_replays(const Epoch& epoch) {
  for (const Replayed& r : epoch.replays) {
    if (r.bucket == Bucket::kRejected) continue;
    const std::int64_t id = slot_id(r.slot);
    auto left = leave_.bind(1, id).bind(2, kReasonNames[static_cast<std::size_t>(r.was)]).run();
    if (!left.ok()) return left.status();
    if (left.value() != 1) {
      return Status(Code::kCorrupt,
                    fmt::format("the ledger has no record that was rejected as {} left to replay",
                                kReasonNames[static_cast<std::size_t>(r.was)]));
    }
    if (Status s = add_to_ledger(id, r.bucket, Reason::kNone, 1); !s.ok()) return s;
    auto emptied = emptied_.bind(1, id).run();
    if (!emptied.ok()) return emptied.status();
    auto gone = replayed_.bind(1, r.reject).run();
    if (!gone.ok()) return gone.status();
    if (Status s = check_balance(id); !s.ok()) return s;
  }
  return {};
}

Status PartitionBook::write_gaps(std::span<const GapRow> gaps, std::int64_t wall_us) {
  for (const GapRow& gap : gaps) {
    auto done = gap_.bind(1, slot_id(gap.slot)).bind(2, gap.from).bind(3, gap.to)
                    .bind(4, wall_us).run();
    if (!done.ok()) return done.status();
  }
  return {};
}

Status PartitionBook::write_context(const CommitContext& context) {
  for (std::size_t slot = 0; slot < slot_ids_.size(); ++slot) {
    if (slot_ids_[slot] == 0) continue;
    const bool idle = std::find(context.idle.begin(), context.idle.end(),
                                static_cast<PartitionSlot>(slot)) != context.idle.end();
    auto done = idle_.bind(1, slot_ids_[slot]).bind(2, std::int64_t{idle}).run();
    if (!done.ok()) return done.status();
  }
  for (const auto& [slot, why] : context.halted) {
    auto done = halt_.bind(1, slot_id(slot)).bind(2, why).run();
    if (!done.ok()) return done.status();
  }
  for (const auto& [slot, end] : context.end_offsets) {
    auto done = end_.bind(1, slot_id(slot)).bind(2, end).run();
    if (!done.ok()) return done.status();
  }
  return {};
}

}  // namespace retailpulse
