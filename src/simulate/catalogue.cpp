#include "simulate/catalogue.h"

#include <fmt/format.h>
#include <retailpulse/types.h>

#include <array>
#include <span>

namespace retailpulse::simulate {
namespace {

using Words = std::span<const std::string_view>;

// The first word of a product's name; what is sold under it is the shelf's own.
constexpr std::array<std::string_view, 32> kModels{
    "Arlo", "Mira", "Lund", "Nova", "Otto", "Juno", "Kiri", "Vega", "Elba", "Tilda", "Rune",
    "Sora", "Bravo", "Cleo", "Dune", "Faro", "Gala", "Hugo", "Iris", "Kobe", "Lima", "Maro",
    "Nilo", "Orla", "Pico", "Riva", "Skye", "Toro", "Uma", "Vito", "Wren", "Yuma"};
constexpr std::array<std::string_view, 12> kGrown{
    "Young", "Tall", "Dwarf", "Potted", "Hardy", "Evergreen",
    "Climbing", "Wild", "White", "Golden", "Early", "Hanging"};
constexpr std::array<std::string_view, 12> kTold{
    "The Silent", "The Last", "The Hidden", "A Distant", "The Glass", "The Paper",
    "The Seventh", "An Empty", "The Burning", "The Borrowed", "Beyond the", "Letters from the"};
constexpr std::array<std::string_view, 10> kTaught{
    "A History of", "The Science of", "Notes on", "The Art of", "A Field Guide to",
    "The Future of", "Understanding", "The Joy of", "The Economics of", "A Life in"};
constexpr std::array<std::string_view, 12> kOrigins{
    "Kenya", "Ethiopia", "Assam", "Sumatra", "Brazil", "Ceylon",
    "Nepal", "Peru", "Rwanda", "Yunnan", "Java", "Honduras"};
constexpr std::array<std::string_view, 6> kMangas{
    "\u661f\u306e\u5ead", "\u96e8\u306e\u8857", "\u98a8\u306e\u4e18",
    "\u6708\u306e\u821f", "\u6771\u306e\u6d77", "\u732b\u306e\u9b54\u8853\u5e2b"};

struct Shelf {
  std::string_view category;
  Words first;
  std::array<std::string_view, 8> second;
};

// Written as JSON already: nothing here needs an escaper, and hostile texts stay readable.
constexpr std::array<Shelf, 20> kShelves{{
    {"Home/Kitchen", kModels,
     {"Mug", "Kettle", "Cast-Iron Pan", "Knife Set", "Mixing Bowl", "Cutting Board",
      "Coffee Grinder", "Spice Rack"}},
    {"Home/Bathroom", kModels,
     {"Bath Towel", "Mirror", "Soap Dispenser", "Bath Mat", "Shower Curtain", "Laundry Basket",
      "Bathrobe", "Towel Rail"}},
    {"Home/Lighting", kModels,
     {"Desk Lamp", "Floor Lamp", "Pendant", "Fairy Lights", "Wall Light", "Reading Lamp", "Lantern",
      "Night Light"}},
    {"Garden/Tools", kModels,
     {"Watering Can", "Pruning Shears", "Spade", "Rake", "Garden Hose", "Wheelbarrow",
      "Hedge Trimmer", "Garden Gloves"}},
    {"Garden/Plants", kGrown,
     {"Lavender", "Fern", "Olive Tree", "Monstera", "Basil", "Rose", "Succulent", "Ivy"}},
    {"Electronics/Phones", kModels,
     {"Phone", "Phone Case", "Charger", "Charging Cable", "Power Bank", "Screen Protector",
      "Car Mount", "Tripod"}},
    {"Electronics/Audio", kModels,
     {"Headphones", "Earbuds", "Speaker", "Soundbar", "Turntable", "Microphone", "Radio",
      "Amplifier"}},
    {"Electronics/Computers", kModels,
     {"Keyboard", "Mouse", "Monitor", "Laptop Stand", "Webcam", "Dock", "Notebook", "Printer"}},
    {"Fashion/Shoes", kModels,
     {"Sneakers", "Boots", "Sandals", "Loafers", "Running Shoes", "Slippers", "Ankle Boots",
      "Clogs"}},
    {"Fashion/Women", kModels,
     {"Dress", "Blouse", "Skirt", "Cardigan", "Jacket", "Scarf", "Sun Hat", "Jeans"}},
    {"Fashion/Men", kModels,
     {"Shirt", "T-Shirt", "Chinos", "Sweater", "Jacket", "Belt", "Socks", "Coat"}},
    {"Sports/Outdoor", kModels,
     {"Tent", "Backpack", "Sleeping Bag", "Trekking Poles", "Water Bottle", "Headlamp",
      "Rain Jacket", "Camping Stove"}},
    {"Sports/Fitness", kModels,
     {"Yoga Mat", "Dumbbells", "Skipping Rope", "Kettlebell", "Foam Roller", "Resistance Band",
      "Gym Bag", "Balance Board"}},
    {"Beauty/Skin care", kModels,
     {"Hand Cream", "Face Cream", "Serum", "Cleanser", "Sunscreen", "Lip Balm", "Body Lotion",
      "Face Mask"}},
    {"Toys & Games", kModels,
     {"Puzzle", "Board Game", "Building Blocks", "Kite", "Card Game", "Train Set", "Teddy Bear",
      "Marble Run"}},
    {"Books/Fiction", kTold,
     {"Harbour", "Garden", "Winter", "Orchard", "Lighthouse", "Letter", "River", "Island"}},
    {"Books/Non-fiction", kTaught,
     {"Sleep", "Bread", "Rivers", "Money", "Birds", "Numbers", "Colour", "Trade"}},
    {"Food/Coffee & Tea", kOrigins,
     {"Espresso", "Filter Coffee", "Black Tea", "Green Tea", "White Tea", "Cold Brew", "Decaf",
      "House Blend"}},
    {"Haus & Garten/Gr\u00fcnes", kModels,
     {"Gie\u00dfkanne", "Blumentopf", "Gartenbank", "Vogelhaus", "Hochbeet", "Pflanzschale",
      "Rankgitter", "Kr\u00e4uterbeet"}},
    {"\u672c/\u6f2b\u753b", kMangas,
     {"\u7b2c1\u5dfb", "\u7b2c2\u5dfb", "\u7b2c3\u5dfb", "\u7b2c4\u5dfb", "\u7b2c5\u5dfb",
      "\u7b2c6\u5dfb", "\u7b2c7\u5dfb", "\u7b2c8\u5dfb"}},
}};
constexpr std::size_t kWeighedShelf = 17;
static_assert(kShelves[kWeighedShelf].category == "Food/Coffee & Tea");

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

std::string draw_name(std::uint32_t index, const Shelf& shelf, Random& random) {
  if (index % kHostileEvery == kHostileEvery - 1) {
    return std::string(kHostileNames[index / kHostileEvery % kHostileNames.size()]);
  }
  const auto first = shelf.first[random.below(shelf.first.size())];
  const auto second = shelf.second[random.below(shelf.second.size())];
  return fmt::format("\"{} {}\"", first, second);
}

}  // namespace

Catalogue::Catalogue(std::uint32_t products, Random& random) : size_(products) {
  products_.resize(products + kLaunchesMax);
  for (std::uint32_t i = 0; i < products_.size(); ++i) {
    Product& product = products_[i];
    product.id = fmt::format("P-{:05}", i + 1);
    // The shop sells much of a few categories: the lesser of two draws.
    const auto a = random.below(kShelves.size());
    const auto b = random.below(kShelves.size());
    product.category = static_cast<std::uint8_t>(a < b ? a : b);
    product.name_json = draw_name(i, kShelves[product.category], random);
    product.price_micros = draw_price(random);
    product.quality = random.unit();
  }
}

std::size_t category_count() { return kShelves.size(); }
std::string_view category_name(std::size_t index) { return kShelves[index].category; }
bool sold_by_weight(std::size_t category) { return category == kWeighedShelf; }
std::size_t comment_count() { return kComments.size(); }
std::string_view comment_json(std::size_t index) { return kComments[index]; }
std::size_t phrase_count() { return kPhrases.size(); }
std::string_view phrase_json(std::size_t index) { return kPhrases[index]; }

}  // namespace retailpulse::simulate
