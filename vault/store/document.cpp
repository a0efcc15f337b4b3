#include "vault/store/document.h"

#include <algorithm>
#include <bit>
#include <initializer_list>
#include <nlohmann/json.hpp>
#include <span>

#include "base/encoding.h"
#include "base/text.h"

namespace weir::vault::store {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kFormat = "weir-vault";
constexpr std::uint64_t kFormatVersion = 1;
constexpr std::size_t kTag = 16;
constexpr std::uint64_t kMaxVersion = std::uint64_t{1} << 53U;  // exact in every JSON reader

std::unexpected<Error> damaged(std::string_view where, std::string_view what) {
  return fail("vault_damaged", std::string(where) + " " + std::string(what));
}

// A passphrase's key is derived, and how is what its name says; the others are where their names say.
std::string_view kdf_name(Protection protection) {
  return protection == Protection::kPassphrase ? "scrypt" : name_of(protection);
}

Json to_json(const Document& document) {
  Json json;
  json["format"] = kFormat;
  json["version"] = kFormatVersion;
  json["id"] = hex_encode(document.id);
  Json kdf{{"name", kdf_name(document.protection)}};
  if (const auto& scrypt = document.scrypt) {
    kdf["n"] = scrypt->n;
    kdf["r"] = scrypt->r;
    kdf["p"] = scrypt->p;
    kdf["salt"] = hex_encode(scrypt->salt);
  }
  json["kdf"] = std::move(kdf);
  json["key_check"] = hex_encode(document.key_check);
  json["generation"] = document.generation;
  Json entries = Json::object();
  for (const auto& [name, versions] : document.entries) {
    Json list = Json::array();
    for (const Version& version : versions)
      list.push_back({{"number", version.number},
                      {"created", version.created},
                      {"nonce", hex_encode(version.nonce)},
                      {"sealed", hex_encode(version.sealed)}});
    entries[name] = std::move(list);
  }
  json["entries"] = std::move(entries);
  return json;
}

// Reads one object's members and notices the ones that nobody asked for.
class Members {
 public:
  Members(const Json& object, std::string where) : object_(object), where_(std::move(where)) {}

  Result<void> only(std::initializer_list<std::string_view> known) const {
    if (!object_.is_object()) return damaged(where_, "is not an object");
    for (const auto& [key, value] : object_.items())
      if (std::ranges::find(known, key) == known.end())
        return damaged(where_, "has an unknown member `" + printable(key, 60) + "`");
    for (const auto key : known)
      if (!object_.contains(key)) return damaged(where_, "lacks `" + std::string(key) + "`");
    return {};
  }
  Result<std::uint64_t> number(const char* key, std::uint64_t least, std::uint64_t most) const {
    const Json& value = object_.at(key);
    if (!value.is_number_unsigned()) return damaged(where_, std::string("has a `") + key + "` that is not a whole number");
    const auto read = value.get<std::uint64_t>();
    if (read < least || read > most) return damaged(where_, std::string("has a `") + key + "` out of range");
    return read;
  }
  Result<std::string> text(const char* key, std::size_t most) const {
    const Json& value = object_.at(key);
    if (!value.is_string()) return damaged(where_, std::string("has a `") + key + "` that is not text");
    auto read = value.get<std::string>();
    if (read.size() > most) return damaged(where_, std::string("has a `") + key + "` that is too long");
    return read;
  }
  // Lower-case hexadecimal digits only, so that each value has one spelling.
  Result<std::string> octets(const char* key, std::size_t least, std::size_t most) const {
    auto digits = text(key, most * 2);
    if (!digits) return std::unexpected(digits.error());
    auto read = hex_decode(*digits);
    if (!read || hex_encode(*read) != *digits || read->size() < least)
      return damaged(where_, std::string("has a `") + key + "` that is not " + std::to_string(least * 2) +
                                 (most > least ? " or more" : "") + " lower-case hexadecimal digits");
    return std::move(*read);
  }

 private:
  const Json& object_;
  std::string where_;
};

Result<Scrypt> parse_scrypt(const Json& json) {
  const Members members(json, "`kdf`");
  if (auto known = members.only({"name", "n", "r", "p", "salt"}); !known) return std::unexpected(known.error());
  // Bounded, or a file could make its reader spend all memory: at most 128·n·r = 1 GiB.
  const auto n = members.number("n", 1U << 15U, 1U << 20U);
  const auto r = members.number("r", 8, 8);
  const auto p = members.number("p", 1, 16);
  auto salt = members.octets("salt", 16, 16);
  if (!n) return std::unexpected(n.error());
  if (!r) return std::unexpected(r.error());
  if (!p) return std::unexpected(p.error());
  if (!salt) return std::unexpected(salt.error());
  if (!std::has_single_bit(*n)) return damaged("`kdf`", "has an `n` that is not a power of two");
  return Scrypt{.n = *n, .r = static_cast<std::uint32_t>(*r), .p = static_cast<std::uint32_t>(*p), .salt = std::move(*salt)};
}

// Fills in protection and scrypt.
Result<void> parse_kdf(const Json& json, Document& document) {
  if (!json.is_object() || !json.contains("name")) return damaged("`kdf`", "has no `name`");
  for (const auto protection :
       {Protection::kKeyFile, Protection::kPassphrase, Protection::kKeyring, Protection::kSystemdCredential}) {
    if (json.at("name") != kdf_name(protection)) continue;
    document.protection = protection;
    if (protection != Protection::kPassphrase) return Members(json, "`kdf`").only({"name"});
    auto scrypt = parse_scrypt(json);
    if (!scrypt) return std::unexpected(scrypt.error());
    document.scrypt = std::move(*scrypt);
    return {};
  }
  return damaged("`kdf`", "is not one that this weir knows");
}

Result<std::vector<Version>> parse_versions(const std::string& name, const Json& list) {
  const std::string entry = "entry `" + name + "`";
  if (!list.is_array() || list.empty()) return damaged(entry, "has no list of versions");
  std::vector<Version> versions;
  for (const Json& json : list) {
    const Members members(json, entry + ", version " + std::to_string(versions.size() + 1) + " of its list,");
    if (auto known = members.only({"number", "created", "nonce", "sealed"}); !known) return std::unexpected(known.error());
    const std::uint64_t least = versions.empty() ? 1 : versions.back().number + 1;
    const auto number = members.number("number", least, kMaxVersion);
    auto created = members.text("created", 40);
    auto nonce = members.octets("nonce", 12, 12);
    auto sealed = members.octets("sealed", kTag + 1, kTag + kMaxValue);
    if (!number) return std::unexpected(number.error());
    if (!created) return std::unexpected(created.error());
    if (!nonce) return std::unexpected(nonce.error());
    if (!sealed) return std::unexpected(sealed.error());
    versions.push_back(
        {.number = *number, .created = std::move(*created), .nonce = std::move(*nonce), .sealed = std::move(*sealed)});
  }
  return versions;
}

}  // namespace

bool is_entry_name(std::string_view name) {
  const auto edge = [](char c) { return c == '/' || c == '.'; };
  return !name.empty() && name.size() <= 128 && !edge(name.front()) && !edge(name.back()) &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
                  c == '-' || c == '/';
         });
}

std::string signed_text(const Document& document) { return to_json(document).dump(); }

std::string to_text(const Document& document) {
  Json json = to_json(document);
  json["seal"] = {{"sha256", hex_encode(document.checksum)}, {"hmac", hex_encode(document.seal)}};
  return json.dump(1) + "\n";
}

Result<Document> parse_document(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const Json::exception& error) {
    // The library's sentence quotes the input; the place is all that a reader needs.
    const auto* parse = dynamic_cast<const Json::parse_error*>(&error);
    return damaged("it", "is not whole: it stops being JSON at octet " + std::to_string(parse != nullptr ? parse->byte : 0) +
                             " of " + std::to_string(text.size()));
  }
  const Members members(json, "it");
  if (!json.is_object() || !json.contains("format") || json["format"] != kFormat)
    return damaged("it", "is not a weir vault");
  if (json.contains("version") && json["version"].is_number_unsigned() &&
      json["version"].get<std::uint64_t>() > kFormatVersion)
    return fail("vault_too_new", "it was written by a newer weir (format " +
                                     std::to_string(json["version"].get<std::uint64_t>()) + "); upgrade weir");
  if (auto known = members.only({"format", "version", "id", "kdf", "key_check", "generation", "entries", "seal"}); !known)
    return std::unexpected(known.error());
  const Members seals(json["seal"], "`seal`");
  if (auto known = seals.only({"sha256", "hmac"}); !known) return std::unexpected(known.error());

  const auto version = members.number("version", kFormatVersion, kFormatVersion);
  auto id = members.octets("id", 16, 16);
  Document document;
  const auto kdf = parse_kdf(json["kdf"], document);
  auto key_check = members.octets("key_check", 32, 32);
  const auto generation = members.number("generation", 0, kMaxVersion);
  auto checksum = seals.octets("sha256", 32, 32);
  auto seal = seals.octets("hmac", 32, 32);
  if (!version) return std::unexpected(version.error());
  if (!id) return std::unexpected(id.error());
  if (!kdf) return std::unexpected(kdf.error());
  if (!key_check) return std::unexpected(key_check.error());
  if (!generation) return std::unexpected(generation.error());
  if (!checksum) return std::unexpected(checksum.error());
  if (!seal) return std::unexpected(seal.error());
  document.id = std::move(*id);
  document.key_check = std::move(*key_check);
  document.generation = *generation;
  document.checksum = std::move(*checksum);
  document.seal = std::move(*seal);
  if (!json["entries"].is_object()) return damaged("`entries`", "is not an object");
  for (const auto& [name, list] : json["entries"].items()) {
    if (!is_entry_name(name))
      return damaged("`entries`", "has a name that no entry can have: `" + printable(name, 60) + "`");
    auto versions = parse_versions(name, list);
    if (!versions) return std::unexpected(versions.error());
    document.entries.emplace(name, std::move(*versions));
  }
  return document;
}

}  // namespace weir::vault::store
