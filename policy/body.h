// What a request's body asks for, in the formats that rules know. Pure functions of bytes.
//
// Strict on purpose: what two parsers could read differently is not readable, and a request that cannot be read is denied
// where a rule depends on it. SECURITY: G7.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace weir::policy {

struct Operation {
  std::string kind;  // GraphQL: "query", "mutation" or "subscription"; JSON-RPC: the method
  std::string name;  // GraphQL: a root field; JSON-RPC: the tool of tools/call; else empty
  bool operator==(const Operation&) const = default;
};

struct Reading {
  enum class State { absent, unreadable, read } state = State::absent;  // absent: the request has nothing of this format at all
  // Of a batch: all of them, in order. Of GraphQL: each root field of a document once for query, mutation and subscription.
  std::vector<Operation> operations;
  std::string problem;  // why it is unreadable: "the key `method` stands twice"
  bool operator==(const Reading&) const = default;
};

// GraphQL over HTTP: a JSON object or a batch (array) with `query`, `application/graphql`, or `query=` of a GET's query
// string. Every operation of a document counts, whatever operationName says; root fields through fragments and inline
// fragments count too, aliases by what they stand for. A request that names a stored document instead of sending it is
// unreadable, and so is one whose JSON has keys that GraphQL over HTTP does not know. `query_string` is without its '?';
// `content_type` and `content_encoding` are the header values, or empty.
// GraphQL specification of October 2021, §2; GraphQL over HTTP.
Reading read_graphql(std::string_view method, std::string_view query_string, std::string_view content_type,
                     std::string_view content_encoding, std::string_view body);

// JSON-RPC 2.0: one call, notification or response, or a batch. A response (MCP's client answers server requests by POST)
// is an operation of kind "" and name "". For tools/call `name` is params.name, which must be a string.
Reading read_jsonrpc(std::string_view content_type, std::string_view content_encoding, std::string_view body);

// A request's query string taken apart: names and values percent-decoded, '+' as a space. Not `sound` when it can be read in
// more than one way: malformed or overlong escapes, NUL or invalid UTF-8, or a raw ';', which some servers take for '&'.
struct QueryParameters {
  bool sound = true;
  std::vector<std::pair<std::string, std::string>> parameters;  // in order, repeated ones too
  bool operator==(const QueryParameters&) const = default;
};
QueryParameters parse_query(std::string_view query_string);

}  // namespace weir::policy
