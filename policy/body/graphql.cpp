#include <algorithm>

#include "base/text.h"
#include "policy/body.h"
#include "policy/body/graphql_document.h"
#include "policy/body/media_type.h"
#include "policy/body/strict_json.h"

namespace weir::policy {

namespace {

constexpr GraphqlLimits kLimits;

Reading unreadable(std::string problem) {
  return {.state = Reading::State::unreadable, .operations = {}, .problem = std::move(problem)};
}

std::string in_ticks(std::string_view key) { return '`' + printable(key, 60) + '`'; }

constexpr std::string_view kStored = "the request names a stored document";

// GraphQL over HTTP, "Request parameters".
const JsonShape kExtensions{.keys = {{.key = "persistedQuery"}}};
const JsonShape kMessage{
    .keys = {
        {.key = "query"}, {.key = "operationName"}, {.key = "variables"}, {.key = "extensions", .inside = &kExtensions}}};

Reading read_document(std::string_view document) {
  Reading reading{.state = Reading::State::read, .operations = {}, .problem = {}};
  auto result = read_graphql_document(document, kLimits, reading.operations);
  if (!result) return unreadable(std::move(result.error().message));
  return reading;
}

// Whether the object of `extensions` names a stored document. SECURITY: G7, a server may run that one and leave the document
// beside it unread.
bool names_stored(const JsonObject& extensions) {
  return extensions.find("persistedQuery") != nullptr || !extensions.lookalike.empty();
}

Result<void> read_message(const JsonObject& message, std::vector<Operation>& out) {
  constexpr auto kCode = "body_unreadable";
  // Keys of a server's own (`id`, `documentId`, `doc_id` …) name stored documents, so no other key is let pass.
  if (message.has_other) return fail(kCode, "the key " + in_ticks(message.other) + " is unknown to GraphQL over HTTP");
  if (const auto* const extensions = message.find("extensions");
      extensions != nullptr && extensions->kind != JsonKind::null) {
    if (extensions->kind != JsonKind::object) return fail(kCode, "`extensions` is not an object");
    if (names_stored(extensions->object)) return fail(kCode, std::string(kStored));
  }
  const auto* const query = message.find("query");
  if (query == nullptr || query->kind != JsonKind::string) return fail(kCode, "there is no `query`");
  return read_graphql_document(query->text, kLimits, out);
}

Reading read_json(std::string_view body) {
  auto messages = read_strict_json(body, kMessage);
  if (!messages) return unreadable(std::move(messages.error().message));
  Reading reading{.state = Reading::State::read, .operations = {}, .problem = {}};
  for (const auto& message : messages->objects) {
    auto result = read_message(message, reading.operations);
    if (!result) return unreadable(std::move(result.error().message));
  }
  return reading;
}

Reading read_body(std::string_view content_type, std::string_view content_encoding, std::string_view body) {
  const auto type = parse_media_type(content_type);
  if (!type) return unreadable("there is no content type, or not one");
  if (const auto problem = encoding_problem(*type, content_encoding); !problem.empty())
    return unreadable(std::string(problem));
  if (type->essence == "application/graphql") return read_document(body);
  if (is_json(*type)) return read_json(body);
  return unreadable("GraphQL is not read from " + printable(type->essence, 60));
}

// Whether some server takes the parameter for `wanted`: in another letter case, or with what PHP and others make arrays of
// (`query[]`) or cut off (` query`).
bool near(std::string_view name, std::string_view wanted) {
  return looks_like(trim(name.substr(0, name.find('['))), wanted);
}

struct FromUrl {
  std::string_view problem;
  const std::string* query = nullptr;
};

// What the URL says of GraphQL, whether or not a body follows.
FromUrl read_url(const QueryParameters& url) {
  if (!url.sound) return {.problem = "the URL's query can be read in more than one way"};
  FromUrl result;
  for (const auto& [name, value] : url.parameters) {
    if (name == "query") {
      if (result.query != nullptr) return {.problem = "the URL has `query` twice"};
      result.query = &value;
    } else if (near(name, "query")) {
      return {.problem = "the URL has a parameter that some servers take for `query`"};
    } else if (near(name, "extensions")) {
      // Not parsed: whoever writes the word in any form means it.
      if (to_lower(value).find("persisted") != std::string::npos || value.find('\\') != std::string::npos)
        return {.problem = kStored};
    } else {
      for (const std::string_view key :
           {"documentId", "document_id", "docId", "doc_id", "queryId", "query_id", "persistedQuery"})
        if (near(name, key)) return {.problem = kStored};
    }
  }
  return result;
}

}  // namespace

Reading read_graphql(std::string_view, std::string_view query_string, std::string_view content_type,
                     std::string_view content_encoding, std::string_view body) {
  // The method makes no difference: some servers read `query` of a POST's URL, some the body of a GET.
  const auto url = parse_query(query_string);
  const auto from_url = read_url(url);
  if (!from_url.problem.empty()) return unreadable(std::string(from_url.problem));
  if (from_url.query == nullptr) return body.empty() ? Reading{} : read_body(content_type, content_encoding, body);
  if (!body.empty()) return unreadable("the URL has a `query`, and there is a body");
  return read_document(*from_url.query);
}

}  // namespace weir::policy
