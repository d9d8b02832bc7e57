#include "store/names.h"

#include "base/check.h"
#include "base/decimal.h"
#include "store/schema.h"

namespace retailpulse {

Status Names::load(Database& db) {
  for (auto& texts : by_text_) texts.clear();
  category_texts_.assign(kFirstNameId, "");
  auto insert = db.prepare("INSERT INTO names(dimension,id,text) VALUES(?1,?2,?3)");
  if (!insert.ok()) return insert.status();
  insert_ = std::move(insert).value();
  auto currency = db.prepare("INSERT INTO currencies(currency,digits) VALUES(?1,?2)");
  if (!currency.ok()) return currency.status();
  insert_currency_ = std::move(currency).value();
  auto select = db.prepare("SELECT dimension,id,text FROM names WHERE id>=?1");
  if (!select.ok()) return select.status();
  Statement& row = select.value().bind(1, kFirstNameId);
  for (;;) {
    auto more = row.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return {};
    const auto dimension = static_cast<std::size_t>(row.integer(0));
    if (dimension >= kDimensions) return Status(Code::kCorrupt, "names: unknown dimension");
    remember(static_cast<Dimension>(dimension), std::string(row.text(2)), row.integer(1));
  }
}

void Names::remember(Dimension dimension, const std::string& text, std::int64_t id) {
  by_text_[static_cast<std::size_t>(dimension)].emplace(text, id);
  if (dimension != Dimension::kCategory) return;
  const auto index = static_cast<std::size_t>(id);
  if (category_texts_.size() <= index) category_texts_.resize(index + 1);
  category_texts_[index] = text;
}

const std::string& Names::category_text(std::int64_t id) const {
  return category_texts_.at(static_cast<std::size_t>(id));
}

Result<std::int64_t> Names::intern(Dimension dimension, const std::string& text) {
  const auto d = static_cast<std::size_t>(dimension);
  auto& texts = by_text_[d];
  if (const auto it = texts.find(text); it != texts.end()) return it->second;
  if (texts.size() >= kDimensionCap[d]) return kOtherId;
  const std::int64_t id = kFirstNameId + static_cast<std::int64_t>(texts.size());
  auto done = insert_.bind(1, static_cast<std::int64_t>(d)).bind(2, id).bind(3, text).run();
  if (!done.ok()) return done.status();
  if (dimension == Dimension::kCurrency) {
    auto digits = insert_currency_.bind(1, id).bind(2, std::int64_t{currency_digits(text)}).run();
    if (!digits.ok()) return digits.status();
  }
  remember(dimension, text, id);
  return id;
}

Status Names::learn(LaneId lane, const std::vector<NewName>& names) {
  if (lanes_.size() <= index_of(lane)) lanes_.resize(index_of(lane) + 1);
  for (const NewName& name : names) {
    auto id = intern(name.dimension, name.text);
    if (!id.ok()) return id.status();
    auto& ids = lanes_[index_of(lane)][static_cast<std::size_t>(name.dimension)];
    RP_CHECK(index_of(name.id) <= ids.size(), "a lane's names arrive in order");
    if (index_of(name.id) == ids.size()) ids.push_back(0);
    ids[index_of(name.id)] = id.value();
  }
  return {};
}

std::int64_t Names::id(LaneId lane, Dimension dimension, NameId name) const {
  if (name == kNoName) return kUnknownId;
  if (name == kOtherName) return kOtherId;
  const auto& ids = lanes_.at(index_of(lane))[static_cast<std::size_t>(dimension)];
  RP_CHECK(index_of(name) < ids.size(), "a delta's names were learnt before");
  return ids[index_of(name)];
}

}  // namespace retailpulse
