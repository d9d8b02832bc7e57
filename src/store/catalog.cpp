#include "store/catalog.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <tuple>

#include <retailpulse/window.h>

#include "store/schema.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kMinuteUs = kTierUs[static_cast<std::size_t>(Tier::kMinute)];

// Not a listing of the shop's, but where plan() lets a category begin or end.
constexpr std::int64_t kStepOffset = -1;
bool is_step(const ListingRow& listing) { return listing.offset == kStepOffset; }

bool has_category(const ListingRow& listing) { return listing.category != kUnknownId; }

// The first minute that starts at or after the listing.
std::int64_t effective_minute(const ListingRow& listing) {
  const std::int64_t pane = pane_of(listing.from_us, kMinuteUs);
  return pane == listing.from_us ? pane : pane + kMinuteUs;
}

}  // namespace

Status Catalog::load(Database& db) {
  products_.clear();
  const auto prepare = [&db](Statement& into, const char* sql) -> Status {
    auto statement = db.prepare(sql);
    if (!statement.ok()) return statement.status();
    into = std::move(statement).value();
    return {};
  };
  if (Status s = prepare(insert_, "INSERT OR REPLACE INTO listings VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
      !s.ok()) return s;
  if (Status s = prepare(remove_, "DELETE FROM listings WHERE product=?1 AND from_us=?2"); !s.ok())
    return s;
  if (Status s = prepare(latest_, "INSERT OR REPLACE INTO catalog VALUES(?1,?2,?3,?4,?5,?6)"); !s.ok())
    return s;
  Statement rows;
  if (Status s = prepare(rows, "SELECT * FROM listings ORDER BY product,from_us"); !s.ok()) return s;
  for (;;) {
    auto more = rows.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return {};
    ListingRow row{rows.integer(0), rows.integer(1), rows.integer(2), std::string(rows.text(3)),
                   rows.integer(4), rows.integer(5), std::nullopt,    rows.integer(7) != 0};
    if (!rows.is_null(6)) row.price_micros = rows.integer(6);
    versions_of(row.product).push_back(std::move(row));
  }
}

Catalog::Versions& Catalog::versions_of(std::int64_t product) {
  const auto index = static_cast<std::size_t>(product);
  if (products_.size() <= index) products_.resize(index + 1);
  return products_[index];
}

std::int64_t Catalog::category_in(const Versions& versions, std::int64_t minute_us) {
  std::int64_t found = kUnknownId;
  for (const ListingRow& version : versions) {
    if (version.category == kUnknownId) continue;
    if (found != kUnknownId && effective_minute(version) > minute_us) break;
    found = version.category;
  }
  return found;
}

std::int64_t Catalog::category(std::int64_t product, std::int64_t minute_us) const {
  const auto index = static_cast<std::size_t>(product);
  return index < products_.size() ? category_in(products_[index], minute_us) : kUnknownId;
}

// Of two listings for one moment the greater (offset, name, category) stays: never the one that
// came first. Offsets of two partitions may be the same, and ids depend on who came first.
Catalog::Versions Catalog::with(Versions versions, const ListingRow& listing, const Names& names) {
  const auto at = std::lower_bound(
      versions.begin(), versions.end(), listing.from_us,
      [](const ListingRow& version, std::int64_t from_us) { return version.from_us < from_us; });
  if (at == versions.end() || at->from_us != listing.from_us) {
    versions.insert(at, listing);
    return versions;
  }
  const auto rank = [&names](const ListingRow& l) {
    return std::tuple(l.offset, std::string_view(l.name),
                      has_category(l) ? names.category_text(l.category) : std::string_view());
  };
  if (rank(listing) <= rank(*at)) return versions;
  const std::int64_t category =
      is_step(*at) && !has_category(listing) ? at->category : listing.category;
  *at = listing;
  at->category = category;
  return versions;
}

std::vector<Recategorised> Catalog::difference(const Versions& old, const Versions& now) {
  std::set<std::int64_t> edges{INT64_MIN};
  for (const auto* versions : {&old, &now}) {
    for (const ListingRow& version : *versions) edges.insert(effective_minute(version));
  }
  std::vector<Recategorised> found;
  for (auto edge = edges.begin(); edge != edges.end(); ++edge) {
    const auto next = std::next(edge);
    const std::int64_t was = category_in(old, *edge);
    const std::int64_t is = category_in(now, *edge);
    if (was == is) continue;
    const std::int64_t to = next == edges.end() ? INT64_MAX : *next;
    const bool goes_on = !found.empty() && found.back().to_us == *edge &&
                         found.back().before == was && found.back().after == is;
    if (goes_on) {
      found.back().to_us = to;
    } else {
      found.push_back({now.front().product, *edge, to, was, is});
    }
  }
  return found;
}

// In a full history older listings are forgotten: nothing changes any more before its first one.
std::int64_t Catalog::forgotten_before(const Versions& versions) {
  if (versions.size() < kVersionsMax) return INT64_MIN;
  const auto first = std::find_if(versions.begin(), versions.end(), has_category);
  return first == versions.end() ? INT64_MIN : effective_minute(*first);
}

// What of these changes can be made: whole panes, of what is not forgotten.
std::vector<Recategorised> Catalog::kept(std::vector<Recategorised> changes, const Versions& old,
                                         const Seals& seals, const Zone& zone) {
  for (Recategorised& change : changes) {
    change.from_us = next_kept(std::max(change.from_us, forgotten_before(old)), seals, zone);
    change.to_us = last_kept(change.to_us, seals, zone);
  }
  std::erase_if(changes, [](const Recategorised& c) { return c.from_us >= c.to_us; });
  return changes;
}

void Catalog::set_category(Versions& versions, std::int64_t from_us, std::int64_t product,
                           std::int64_t category) {
  auto at = std::find_if(versions.begin(), versions.end(),
                         [&](const ListingRow& v) { return v.from_us >= from_us; });
  if (at == versions.end() || at->from_us != from_us) {
    at = versions.insert(at, ListingRow{});
    at->product = product;
    at->from_us = from_us;
    at->offset = kStepOffset;
  }
  at->category = category;
}

Catalog::Plan Catalog::plan(const ListingRow& listing, const Seals& seals, const Zone& zone,
                            const Names& names) const {
  const auto index = static_cast<std::size_t>(listing.product);
  static const Versions kNone;
  const Versions& old = index < products_.size() ? products_[index] : kNone;
  Plan plan{with(old, listing, names), {}};
  const auto wished = difference(old, plan.versions);
  plan.changes = kept(wished, old, seals, zone);
  // One that would become the first is quiet even if it changes nothing: what is forgotten stays so.
  const bool forgotten = effective_minute(listing) < forgotten_before(old);
  if (plan.changes == wished && !forgotten) return plan;
  // The listing gives its name and price alone; categories change where whole panes begin and end.
  ListingRow quiet = listing;
  const auto same = std::find_if(old.begin(), old.end(), [&](const ListingRow& v) {
    return v.from_us == listing.from_us;
  });
  quiet.category = same == old.end() ? kUnknownId : same->category;
  plan.versions = with(old, quiet, names);
  for (const Recategorised& change : plan.changes) {
    // What is before all listings has the category of the first one.
    const std::int64_t from_us = change.from_us != INT64_MIN
                                     ? change.from_us
                                     : std::min(listing.from_us, change.to_us - kMinuteUs);
    set_category(plan.versions, from_us, listing.product, change.after);
    const bool goes_back = change.to_us != INT64_MAX && category_in(plan.versions, change.to_us) !=
                                                            category_in(old, change.to_us);
    if (goes_back) {
      set_category(plan.versions, change.to_us, listing.product, change.before);
    }
  }
  return plan;
}

Status Catalog::apply(std::int64_t product, Plan plan) {
  Versions& versions = versions_of(product);
  for (const ListingRow& version : plan.versions) {
    if (std::find(versions.begin(), versions.end(), version) != versions.end()) continue;
    if (Status status = store_version(version); !status.ok()) return status;
  }
  versions = std::move(plan.versions);
  return store_latest(versions);
}

Status Catalog::store_version(const ListingRow& l) {
  auto done = insert_.bind(1, l.product).bind(2, l.from_us).bind(3, l.offset).bind(4, l.name)
                  .bind(5, l.category).bind(6, l.currency).bind_optional(7, l.price_micros)
                  .bind(8, std::int64_t{l.deleted}).run();
  return done.ok() ? Status() : done.status();
}

// What pages show: the newest listing, with what it did not say taken from earlier ones.
Status Catalog::store_latest(const Versions& versions) {
  const auto newest = std::find_if_not(versions.rbegin(), versions.rend(), is_step);
  ListingRow row = newest == versions.rend() ? versions.back() : *newest;
  for (auto v = versions.rbegin(); v != versions.rend(); ++v) {
    if (row.name.empty()) row.name = v->name;
    if (row.category == kUnknownId) row.category = v->category;
    if (!row.price_micros && v->price_micros) {
      row.price_micros = v->price_micros;
      row.currency = v->currency;
    }
  }
  auto done = latest_.bind(1, row.product).bind(2, row.name).bind(3, row.category)
                  .bind(4, row.currency).bind_optional(5, row.price_micros)
                  .bind(6, std::int64_t{row.deleted}).run();
  return done.ok() ? Status() : done.status();
}

Status Catalog::drop_surplus(std::int64_t product) {
  Versions& versions = versions_of(product);
  while (versions.size() > kVersionsMax) {
    // A listing with its predecessor's category (or none) changes no answer; the last one is shown.
    auto victim = versions.begin();
    for (auto v = std::next(versions.begin()); v != std::prev(versions.end()); ++v) {
      if (v->category == kUnknownId || v->category == std::prev(v)->category) {
        victim = v;
        break;
      }
    }
    auto done = remove_.bind(1, victim->product).bind(2, victim->from_us).run();
    if (!done.ok()) return done.status();
    versions.erase(victim);
  }
  return {};
}

}  // namespace retailpulse
