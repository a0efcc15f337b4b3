// `substitute`: the placeholder that the sandbox holds, and where it is replaced.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "policy/loading/credential_reader.h"

namespace weir::policy {

namespace {

struct SubstituteReader {
  Diagnostics& diagnostics;
  Substitution& substitute;
};

constexpr std::array<std::string_view, 4> kPlaces = {"header", "query", "path", "body"};
constexpr std::array<bool Substitution::*, 4> kFlags = {&Substitution::in_header, &Substitution::in_query, &Substitution::in_path,
                                                        &Substitution::in_body};
constexpr std::array<std::string_view, 2> kElsewhere = {"deny", "log"};

void read_places(SubstituteReader& reader, const YamlNode&, const YamlNode& value) {
  auto& substitute = reader.substitute;
  for (const auto flag : kFlags) substitute.*flag = false;
  for (const auto& word : read_list(reader.diagnostics, value, "in", "for instance: in: [header, body]")) {
    const auto found = std::ranges::find(kPlaces, word.text);
    if (found == kPlaces.end())
      reader.diagnostics.error(word.place, fmt::format("`{}` is not a place of a request", printable(word.text, 60)), suggest(word.text, kPlaces));
    else
      substitute.*kFlags.at(static_cast<std::size_t>(found - kPlaces.begin())) = true;
  }
}

void read_elsewhere(SubstituteReader& reader, const YamlNode&, const YamlNode& value) {
  const auto word = read_text(reader.diagnostics, value, "elsewhere");
  if (!word) return;
  if (std::ranges::find(kElsewhere, word->text) == kElsewhere.end())
    reader.diagnostics.error(word->place, fmt::format("`{}` is not `deny` or `log`", printable(word->text, 60)), suggest(word->text, kElsewhere));
  reader.substitute.elsewhere_logged = word->text == "log";
}

Schema words(std::span<const std::string_view> all) {
  Schema list = Schema::array();
  for (const auto word : all) list.push_back(word);
  return {{"enum", std::move(list)}};
}
Schema shape_of_placeholder() {
  return {{"type", "string"}, {"maxLength", kMaxPlaceholder}, {"pattern", R"re(^(\{claims\})?[0-9A-Za-z._~/+=-]*(\{random:[1-9][0-9]{0,2}\}[0-9A-Za-z._~/+=-]*)+$)re"}};
}
Schema variable() {
  Schema own = words(own_variables());
  return {{"type", "string"}, {"pattern", "^[A-Za-z_][0-9A-Za-z_]{0,127}$"}, {"not", std::move(own)}};
}
Schema places() { return {{"type", "array"}, {"minItems", 1}, {"uniqueItems", true}, {"items", words(kPlaces)}}; }

constexpr Key<SubstituteReader> kSubstituteKeys[] = {
    {"env", "A variable in the sandbox that holds the placeholder", variable,
     [](SubstituteReader& reader, const YamlNode&, const YamlNode& value) {
       read_checked(reader.diagnostics, value, "env", check_variable, reader.substitute.env);
     }},
    {"shape", "Of the placeholder: sk_live_{random:24}; {random:N} once or more, 16 or more together; {claims} at the beginning is what a JWT says",
     shape_of_placeholder,
     [](SubstituteReader& reader, const YamlNode&, const YamlNode& value) {
       read_checked(reader.diagnostics, value, "shape", check_shape, reader.substitute.shape);
     },
     true},
    {"in", "Where it is replaced; [header] when left out", places, read_places},
    {"elsewhere", "What becomes of a request that carries it to any other host; deny when left out", [] { return words(kElsewhere); },
     read_elsewhere},
};

}  // namespace

void read_substitute(CredentialReader& reader, const YamlNode& key, const YamlNode& node) {
  reader.substitute = key.place;
  SubstituteReader substitute{reader.diagnostics, reader.credential.substitute};
  read_section(reader.diagnostics, node, "`substitute`", kSubstituteKeys, substitute, {},
               "for instance: substitute: {env: STRIPE_API_KEY, shape: \"sk_live_{random:24}\"}");
}

Schema substitute_schema() { return section_schema(kSubstituteKeys); }

}  // namespace weir::policy
