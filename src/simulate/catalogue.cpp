#include "simulate/catalogue.h"

#include <fmt/format.h>
#include <retailpulse/types.h>

#include <array>

namespace retailpulse::simulate {
namespace {

// Written as JSON already: nothing here needs an escaper, and hostile texts stay readable.
constexpr std::array<std::string_view, 20> kCategories{"Home/Kitchen",
                                                       "Home/Bathroom",
                                                       "Home/Lighting",
                                                       "Garden/Tools",
                                                       "Garden/Plants",
                                                       "Electronics/Phones",
                                                       "Electronics/Audio",
                                                       "Electronics/Computers",
                                                       "Fashion/Shoes",
                                                       "Fashion/Women",
                                                       "Fashion/Men",
                                                       "Sports/Outdoor",
                                                       "Sports/Fitness",
                                                       "Beauty/Skin care",
                                                       "Toys & Games",
                                                       "Books/Fiction",
                                                       "Books/Non-fiction",
                                                       "Food/Coffee & Tea",
                                                       "Haus & Garten/Gr\u00fcnes",
                                                       "\u672c/\u6f2b\u753b"};

constexpr std::array<std::string_view, 24> kAdjectives{
    "Small",   "Large",    "Classic", "Modern",   "Vintage", "Wooden",  "Steel",   "Ceramic",
    "Folding", "Portable", "Organic", "Wireless", "Striped", "Blue",    "Red",     "Green",
    "Soft",    "Heavy",    "Light",   "Slim",     "Double",  "Compact", "Premium", "Everyday"};
constexpr std::array<std::string_view, 30> kNouns{
    "Mug",        "Lamp",       "Kettle",       "Chair",          "Backpack", "Notebook",
    "Headphones", "Phone Case", "Sneakers",     "Jacket",         "T-Shirt",  "Tent",
    "Yoga Mat",   "Hand Cream", "Puzzle",       "Board Game",     "Novel",    "Cookbook",
    "Espresso",   "Green Tea",  "Watering Can", "Pruning Shears", "Towel",    "Mirror",
    "Desk",       "Keyboard",   "Charger",      "Speaker",        "Socks",    "Sun Hat"};

// Every kHostileEvery-th product has one of these: what dashboards were broken by.
constexpr std::uint32_t kHostileEvery = 37;
constexpr std::array<std::string_view, 16> kHostileNames{
    R"("<script>alert('sold')</script>")",
    R"("\"Quoted\" 12\" Vinyl")",
    "\"Caf\u00e9 cr\u00e8me\"",
    R"("\u202egnp.exe \u202cMug")",
    R"("'; DROP TABLE totals;--")",
    R"("=cmd|' /C calc'!A0")",
    R"("\ud83d\udc69\u200d\ud83d\udc69\u200d\ud83d\udc67 Family Photo Frame")",
    R"("Back\\slash \/ Slash")",
    R"("Tab\tand\nNewline")",
    R"("\u001b[31mRed Lamp\u001b[0m")",
    R"("&lt;b&gt; Already Escaped &amp;amp;")",
    R"("\u0645\u0635\u0628\u0627\u062d")",
    R"("<img src=x onerror=alert(1)>")",
    R"("null")",
    R"("{{constructor.constructor('x')()}}")",
    R"("Zero\u200bWidth Zalgo Z\u0351\u036b\u0343\u036a")"};

constexpr std::array<std::string_view, 12> kComments{
    R"("Great")",
    R"("Does what it says.")",
    R"("Arrived broken, \"sorry\" card inside")",
    R"("Zu gro\u00df f\u00fcr den Preis")",
    R"("<script>fetch('/api/v1/sql')</script>")",
    R"("5/5 \ud83c\udf1f")",
    R"("meh")",
    R"("")",
    R"("\u202ereversed\u202c")",
    R"("Second one I bought, first one lasted ten years. Would buy again, and again, and again.")",
    R"("=1+1")",
    "\"\u7d20\u6674\u3089\u3057\u3044\""};

constexpr std::array<std::string_view, 8> kPhrases{
    R"("mug")",         R"("running shoes")", "\"gr\u00fcner tee\"", R"("' OR 1=1 --")",
    R"("<b>lamp</b>")", R"("\u9774")",        R"("iphone case")",    R"("%00")"};

std::int64_t draw_price(Random& random) {
  // Median 10, as an average order of CDNOW (median 25.98) needs; sigma as measured in a gift shop.
  const auto whole = static_cast<std::int64_t>(random.log_normal(2.3, 0.95));
  static constexpr std::array<std::int64_t, 4> kEndings{990'000, 950'000, 490'000, 0};
  const std::int64_t ending = kEndings[random.pick(std::array{70, 20, 7, 3})];
  const std::int64_t price = (whole < 9999 ? whole : 9999) * kMicrosPerUnit + ending;
  return price > 0 ? price : 990'000;
}

std::string draw_name(std::uint32_t index, Random& random) {
  if (index % kHostileEvery == kHostileEvery - 1) {
    return std::string(kHostileNames[index / kHostileEvery % kHostileNames.size()]);
  }
  const auto adjective = kAdjectives[random.below(kAdjectives.size())];
  const auto noun = kNouns[random.below(kNouns.size())];
  return fmt::format("\"{} {}\"", adjective, noun);
}

}  // namespace

Catalogue::Catalogue(std::uint32_t products, Random& random) : size_(products) {
  products_.resize(products + kLaunchesMax);
  for (std::uint32_t i = 0; i < products_.size(); ++i) {
    Product& product = products_[i];
    product.id = fmt::format("P-{:05}", i + 1);
    product.name_json = draw_name(i, random);
    // The shop sells much of a few categories: the lesser of two draws.
    const auto a = random.below(kCategories.size());
    const auto b = random.below(kCategories.size());
    product.category = static_cast<std::uint8_t>(a < b ? a : b);
    product.price_micros = draw_price(random);
    product.quality = random.unit();
  }
}

std::size_t category_count() { return kCategories.size(); }
std::string_view category_name(std::size_t index) { return kCategories[index]; }
std::size_t comment_count() { return kComments.size(); }
std::string_view comment_json(std::size_t index) { return kComments[index]; }
std::size_t phrase_count() { return kPhrases.size(); }
std::string_view phrase_json(std::size_t index) { return kPhrases[index]; }

}  // namespace retailpulse::simulate
